// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes bytes and their arrival times. Counts tags, and records the points of the paced tags and
// the faults of the stream.
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
  std::uint64_t backward_timestamps = 0;    // compared with the previous tag of the same kind
  std::uint64_t interleaved_steps_back = 0; // the same for tags of any kind: not a fault
  std::uint64_t discontinuities = 0;        // as detected by flv::Timeline
  std::uint64_t extra_file_headers = 0;

  [[nodiscard]] std::uint64_t tags() const { return audio + video + script; }
};

// The state of a decoder that starts at the first byte.
struct Start {
  bool file_header = false;  // the stream starts with a file header
  bool metadata = false;     // before the first audio and video
  bool configuration = true; // every track that needs a configuration has it at its start
  bool key_frame = true;     // video starts with a keyframe

  [[nodiscard]] bool decodable() const {
    return file_header && metadata && configuration && key_frame;
  }
};

class Meter {
public:
  // All tags that `chunk` completes have the arrival time `now`.
  void feed(flv::Bytes chunk, Nanoseconds now);
  void finish();

  [[nodiscard]] const Counts &counts() const { return counts_; }
  [[nodiscard]] const Start &start() const { return start_; }
  [[nodiscard]] const std::vector<Point> &points() const { return points_; }
  // The first fault. If the stream does not start with a file header, that is the fault.
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
  std::vector<std::uint8_t> held_; // bytes of incomplete tags
  std::uint64_t held_from_ = 0;
  std::array<Track, 2> tracks_{};
  Nanoseconds now_ = 0; // the arrival time of the last bytes
  Nanoseconds first_arrival_ = 0;
  std::int64_t highest_ = 0;
  std::int64_t last_time_ = 0;

  Counts counts_;
  Start start_;
  std::vector<Point> points_;
  flv::Fault first_fault_;
};

} // namespace bench
