// SPDX-License-Identifier: LGPL-2.1-or-later
// The stream ids of the tags of a stream.
#pragma once

#include <array>
#include <optional>

#include "flv/format/tag.h"

namespace flv {

// The specification requires stream id 0 in each tag. Some publishers copy RTMP's message stream id
// instead, some of them only into audio and video tags. The first tags determine the ids of the
// stream. Later, another id means that the bytes are not a tag header.
class StreamIds {
public:
  // Whether the id can be a message stream id. Those are small numbers, in either byte order.
  [[nodiscard]] static bool is_likely(std::uint32_t id);

  void clear() { *this = {}; }
  // Whether the stream has no tags yet.
  [[nodiscard]] bool is_empty() const;
  // Whether the id is that of the previous tags of this kind, or 0 if there are none. If another id
  // is accepted, the caller needs better evidence that the bytes are a tag header.
  [[nodiscard]] bool expects(const TagHeader &header) const;
  // Whether a tag with this header can belong to the stream. The first tag always can.
  [[nodiscard]] bool accepts(const TagHeader &header) const;
  // Adds a tag of the stream.
  void note(const TagHeader &header);

private:
  // An id is final after this many consecutive tags. Until then, a damaged id in the first tag does
  // not cause other tags to be rejected, and servers can send their own configurations with id 0
  // before frames with id 1.
  static constexpr unsigned kSettled = 4;

  struct Known {
    std::uint32_t id = 0;
    unsigned tags = 0; // consecutive
  };

  [[nodiscard]] Known &of(const TagHeader &header) { return known_[header.is_script() ? 0 : 1]; }
  [[nodiscard]] const Known &of(const TagHeader &header) const {
    return known_[header.is_script() ? 0 : 1];
  }

  std::array<Known, 2> known_{}; // script tags; audio and video
};

// The same as the other read_tag_header(). A stream id that `ids` does not accept is a fault.
[[nodiscard]] Fault read_tag_header(const std::uint8_t *data, std::uint32_t max_data_size,
                                    const StreamIds &ids, TagHeader &header);

} // namespace flv
