// SPDX-License-Identifier: LGPL-2.1-or-later
// The progress of a stream in one line, and its summary as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace flvstream {

struct Progress {
  std::int64_t position = 0;            // ms of media
  std::optional<std::int64_t> duration; // ms
  std::optional<double> share;          // 0 to 1
  double bits_per_second = 0;           // average of about the last second
  std::optional<std::int64_t> lead;     // ms
  std::optional<unsigned> clients;      // of a server
  bool names_no_pace = false; // the line says that the stream is paced, and names --no-pace
};

struct Summary {
  std::string input;
  std::string result; // done, stopped (by a signal), closed (by the receiver), failed
  std::string error;
  bool before_key_frames = false; // the error: no key frame before the start
  std::uint64_t start_offset = 0; // bytes
  std::uint64_t start_time = 0;   // ms
  std::int64_t position = 0;      // ms of media, at the last tag
  double seconds = 0;             // from the start to the end
  std::uint64_t bytes = 0;
  std::uint64_t audio_tags = 0;
  std::uint64_t video_tags = 0;
  std::uint64_t script_tags = 0;
  std::uint64_t key_frames = 0;
  std::uint64_t late_tags = 0;
  std::uint64_t discontinuities = 0;
  std::uint64_t rounds = 1;             // of a loop
  std::optional<std::uint64_t> clients; // of a server, in total
};

// Prints the text as one line on standard error. Control characters become "?".
void complain(const std::string &text);

// The width of standard error in columns.
[[nodiscard]] std::size_t terminal_width();

// "0:01:23.4 of 0:10:00  14 %  812 kbit/s  lead 2.0 s  3 clients". Parts are left out until the
// line has fewer than `width` columns: a character in the last column moves the cursor to the next
// line.
[[nodiscard]] std::string line_of(const Progress &progress, std::size_t width);
// One JSON object and a line feed.
[[nodiscard]] std::string json_of(const Summary &summary);

} // namespace flvstream
