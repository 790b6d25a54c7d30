// SPDX-License-Identifier: LGPL-2.1-or-later
// Computes the media time of each tag, and rewrites its timestamp.
#pragma once

#include "counters.h"
#include "flv/stream/timeline.h"
#include "settings.h"
#include "tag.h"

namespace flvpace {

class TagTimes {
public:
  TagTimes(GstElement *element, Counters &counters) : element_(element), counters_(counters) {}

  void clear() { timeline_.clear(); }
  void set_max_gap(std::uint32_t ms) { timeline_.set_max_gap(ms); }
  // One file ends here and another begins.
  void splice() { timeline_.splice(); }

  // Sets the tag's media time, and rewrites its timestamp if necessary.
  void place(Tag &tag, Retimestamp retimestamp);
  // ms of media time: of the first media tag, if there is one; of the end of the last tag.
  [[nodiscard]] std::optional<std::int64_t> first() const { return timeline_.first(); }
  [[nodiscard]] std::int64_t end() const { return timeline_.end(); }

private:
  void report_discontinuity(const Tag &tag, std::uint32_t timestamp) const;

  GstElement *element_; // borrowed
  Counters &counters_;
  flv::Timeline timeline_;
};

} // namespace flvpace
