// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the edit lists of MP4, and hides them from qtdemux.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "flv/format/bytes.h"

namespace remux {

// qtdemux 1.22 drops packets at the start and at the end of an edit, and differs between reading
// files and reading pipes. So the edit lists are renamed, and the durations in the movie header
// extended. qtdemux then sends all packets with the times of the media, and the first edit becomes
// a shift of the track.
struct EditLists {
  struct Track {
    std::uint32_t handler = 0; // a FourCC: vide, soun, …
    std::int64_t shift = 0;    // ns: added to the times of the media
  };
  std::vector<Track> tracks; // in the order of the file
  bool is_fragmented = false;
  std::optional<std::int64_t> duration; // ns of the longest track; nullopt: unknown

  // The shift of the track with this number among those of the handler, from 0.
  [[nodiscard]] std::int64_t shift_of(std::uint32_t handler, std::size_t number) const;
};

// `movie`: a whole moov box with its header. Changes it.
[[nodiscard]] EditLists take_edit_lists(std::span<std::uint8_t> movie);

// Finds the moov box in a stream of bytes. The box is held until it is whole.
class MovieFinder {
public:
  // Appends the bytes that leave. `movie` has the position of the moov box in them, if it is whole.
  struct Found {
    std::vector<std::uint8_t> bytes;
    std::optional<std::span<std::uint8_t>> movie; // in `bytes`
  };
  [[nodiscard]] Found feed(flv::Bytes bytes);
  // The next bytes start with a box.
  void reset();
  // Whether the moov box was found, or will not be.
  [[nodiscard]] bool is_done() const { return is_done_; }

private:
  std::vector<std::uint8_t> held_; // from the start of a box
  std::uint64_t skip_ = 0;         // bytes of the current box that are not read
  bool is_done_ = false;
};

} // namespace remux
