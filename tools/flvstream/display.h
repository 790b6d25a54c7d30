// SPDX-License-Identifier: LGPL-2.1-or-later
// What a run looks like, in one line while it goes on and as JSON at its end.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace flvstream {

// Now, or at the end.
struct Progress {
  std::int64_t position = 0;            // ms of media
  std::optional<std::int64_t> duration; // ms
  std::optional<double> share;          // 0 to 1
  double bits_per_second = 0;           // of late
  std::int64_t lead = 0;                // ms
  std::optional<unsigned> clients;      // of a server
};

struct Summary {
  std::string input;
  std::string result; // done, stopped, failed
  std::string error;
  std::uint64_t start_offset = 0; // bytes
  std::uint64_t start_time = 0;   // ms
  std::int64_t position = 0;      // ms of media, of the last tag
  double seconds = 0;             // that it took
  std::uint64_t bytes = 0;
  std::uint64_t audio_tags = 0;
  std::uint64_t video_tags = 0;
  std::uint64_t script_tags = 0;
  std::uint64_t key_frames = 0;
  std::uint64_t late_tags = 0;
  std::uint64_t rounds = 1;             // of a loop
  std::optional<std::uint64_t> clients; // that a server has had
};

// One line on standard error, whatever is in the text.
void complain(const std::string &text);

// "0:01:23.4  of 0:10:00  14 %  812 kbit/s  lead 2.0 s  3 clients"
[[nodiscard]] std::string line_of(const Progress &progress);
// One object, with a line end.
[[nodiscard]] std::string json_of(const Summary &summary);

} // namespace flvstream
