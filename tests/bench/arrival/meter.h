// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes bytes with the moment of their arrival; counts tags, keeps the points of the paced ones and
// what was wrong with the stream.
#pragma once

#include <array>
#include <cstdint>

#include "figures.h"
#include "flv/format/codec.h"
#include "flv/stream/splitter.h"
#include "flv/stream/timeline.h"

namespace bench {

using Nanoseconds = std::int64_t;

struct Counts {
  std::uint64_t bytes = 0;
  std::uint64_t audio = 0;
  std::uint64_t video = 0;
  std::uint64_t script = 0;
  std::uint64_t key_frames = 0;
  std::uint64_t configurations = 0;

  std::uint64_t damaged_places = 0;
  std::uint64_t skipped_bytes = 0;
  std::uint64_t truncated_bytes = 0;
  std::uint64_t wrong_previous_sizes = 0;
  std::uint64_t backward_timestamps = 0;    // against the tag before it of the same kind
  std::uint64_t interleaved_steps_back = 0; // against the one before it of any kind: no fault
  std::uint64_t discontinuities = 0;        // as flv::Timeline closes them
  std::uint64_t extra_file_headers = 0;

  [[nodiscard]] std::uint64_t tags() const { return audio + video + script; }
};

// What a decoder finds that joins with the first byte.
struct Start {
  bool file_header = false;  // is the first thing
  bool metadata = false;     // stands before the first audio and video
  bool configuration = true; // no track that needs one begins without
  bool key_frame = true;     // video begins with one

  [[nodiscard]] bool decodable() const {
    return file_header && metadata && configuration && key_frame;
  }
};

class Meter {
public:
  // Every tag that `chunk` completes arrived at `now`.
  void feed(flv::Bytes chunk, Nanoseconds now);
  void finish();

  [[nodiscard]] const Counts &counts() const { return counts_; }
  [[nodiscard]] const Start &start() const { return start_; }
  [[nodiscard]] const std::vector<Point> &points() const { return points_; }
  // The first thing that was wrong; with no file header at the start, that.
  [[nodiscard]] const flv::Fault &first_fault() const { return first_fault_; }

private:
  struct Track {
    bool started = false;
    bool configured = false;
    std::int64_t time = 0;
  };

  void take_items();
  void take_tag(const flv::Item &item);
  void take_media(const flv::TagHeader &header, const flv::TagInfo &info);

  flv::Splitter splitter_;
  flv::Timeline timeline_;
  std::vector<flv::Item> items_;
  std::vector<std::uint8_t> held_; // of tags that are not yet whole
  std::uint64_t held_from_ = 0;
  std::array<Track, 2> tracks_{};
  Nanoseconds now_ = 0; // when the last bytes arrived
  Nanoseconds first_arrival_ = 0;
  std::int64_t highest_ = 0;
  std::int64_t last_time_ = 0;

  Counts counts_;
  Start start_;
  std::vector<Point> points_;
  flv::Fault first_fault_;
};

} // namespace bench
