// SPDX-License-Identifier: LGPL-2.1-or-later
// Identifies an input that is not FLV.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/gst_ptr.h"
#include "common/container.h"

namespace flvstream {

// Reads a regular file. nullopt: `input` is none.
[[nodiscard]] std::optional<tools::Container> container_of_file(const std::string &input);

class Intake {
public:
  // `source` is borrowed, and must be destroyed before the Intake.
  Intake(GstElement *source, std::string input);
  Intake(const Intake &) = delete;
  Intake &operator=(const Intake &) = delete;
  ~Intake() = default;

  // Reads the file again. If that is not possible, uses the first bytes that came from the source.
  [[nodiscard]] tools::Container identify();

private:
  static GstPadProbeReturn on_bytes(GstPad *pad, GstPadProbeInfo *info, gpointer self);

  std::string input_;
  std::mutex mutex_;
  std::vector<std::uint8_t> head_; // guarded by mutex_
};

} // namespace flvstream
