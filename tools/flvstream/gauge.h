// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the progress of the stream from the elements.
#pragma once

#include "display.h"
#include "pipeline.h"

namespace flvstream {

class Gauge {
public:
  // Both borrowed.
  Gauge(const Options &options, const Pipeline &pipeline);

  // ms: the position of the converter's start in the input.
  void set_start(guint64 start) {
    start_ = start;
    origin_.reset();
  }
  [[nodiscard]] Progress progress();
  void summarize(Summary &summary);
  [[nodiscard]] bool has_media() const;

private:
  [[nodiscard]] std::int64_t position();
  [[nodiscard]] double rate(guint64 bytes);
  [[nodiscard]] std::optional<double> share(const Progress &progress) const;
  [[nodiscard]] std::optional<unsigned> clients() const;

  const Options &options_;
  const Pipeline &pipeline_;
  bool names_no_pace_;           // the output is a regular file
  std::optional<guint64> start_; // of the converter
  std::optional<gint64> origin_; // ms: the timestamp at the start of the recording
  guint64 bytes_before_ = 0;
  gint64 time_before_; // us
  double rate_ = 0;
};

} // namespace flvstream
