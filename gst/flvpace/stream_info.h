// SPDX-License-Identifier: LGPL-2.1-or-later
// The tags and the duration in onMetaData.
#pragma once

#include <optional>

#include "base/gst_ptr.h"
#include "counters.h"

namespace flvpace {

class StreamInfo {
public:
  explicit StreamInfo(GstElement *element) : element_(element) {} // borrowed

  // From any thread.
  [[nodiscard]] std::optional<GstClockTime> duration() const;

  // From the streaming thread.
  void clear_duration() { duration_ = kUnknown; }
  // `data`: the data of a script tag with onMetaData. Posts a message if the duration changes.
  void note(flv::Bytes data);
  // The tags that were not taken yet; null if there are none.
  [[nodiscard]] gstflv::TagListPtr take_tags() { return std::move(tags_); }

private:
  static constexpr std::int64_t kUnknown = -1;

  GstElement *element_;
  gstflv::TagListPtr tags_;
  Shared<std::int64_t> duration_{kUnknown}; // ns
};

} // namespace flvpace
