// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes the edit lists out of what qtdemux reads.
#pragma once

#include <gst/gst.h>

#include "edit_lists.h"

namespace remux {

class MovieProbe {
public:
  // `sink` is qtdemux's sink pad, borrowed. The probe must live as long as the pad.
  void watch(GstPad *sink);

  // Valid from the first pad of qtdemux on. Read by qtdemux's streaming thread.
  [[nodiscard]] const EditLists &lists() const { return lists_; }

private:
  static GstPadProbeReturn on_pull(GstPad *pad, GstPadProbeInfo *info, gpointer self) noexcept;
  static GstPadProbeReturn on_push(GstPad *pad, GstPadProbeInfo *info, gpointer self) noexcept;
  static GstPadProbeReturn on_event(GstPad *pad, GstPadProbeInfo *info, gpointer self) noexcept;

  EditLists lists_;
  MovieFinder finder_;
};

} // namespace remux
