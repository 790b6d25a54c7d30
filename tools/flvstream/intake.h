// SPDX-License-Identifier: LGPL-2.1-or-later
// Identifies the input where it turns out not to be FLV.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "base/gst_ptr.h"
#include "container.h"

namespace flvstream {

class Intake {
public:
  // `source` is borrowed, and must be gone before the Intake.
  Intake(GstElement *source, std::string input);
  Intake(const Intake &) = delete;
  Intake &operator=(const Intake &) = delete;
  ~Intake() = default;

  // By the file, or where it cannot be read again by the bytes that have come from it.
  [[nodiscard]] Container identify();

private:
  static GstPadProbeReturn on_bytes(GstPad *pad, GstPadProbeInfo *info, gpointer self);

  std::string input_;
  std::mutex mutex_;
  std::vector<std::uint8_t> head_; // guarded
};

} // namespace flvstream
