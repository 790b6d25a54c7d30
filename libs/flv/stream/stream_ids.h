// SPDX-License-Identifier: LGPL-2.1-or-later
// The stream ids that a stream's tags carry.
#pragma once

#include <array>
#include <optional>

#include "flv/format/tag.h"

namespace flv {

// The specification wants stream id 0 in every tag. Some publishers copy RTMP's message stream id
// instead, some of them only into audio and video. The first tags say which ids a stream has; from
// then on another id means that the bytes are no tag header.
class StreamIds {
public:
  // Whether it may be a message stream id: these are small numbers, in either byte order.
  [[nodiscard]] static bool is_likely(std::uint32_t id);

  void clear() { *this = {}; }
  // Whether no tag is known.
  [[nodiscard]] bool is_empty() const;
  // Whether the id is that of the tags of its kind so far, or 0 where there are none. Another id
  // that is accepted needs a better proof that the bytes are a tag header.
  [[nodiscard]] bool expects(const TagHeader &header) const;
  // Whether a tag with this header can belong to the stream. The first one always can.
  [[nodiscard]] bool accepts(const TagHeader &header) const;
  // The stream has a tag with this header.
  void note(const TagHeader &header);

private:
  // An id is settled once so many tags in a row have it. Damage in the first tag's id rejects no
  // others, and servers put configurations of their own, with id 0, in front of frames with id 1.
  static constexpr unsigned kSettled = 4;

  struct Known {
    std::uint32_t id = 0;
    unsigned tags = 0; // in a row
  };

  [[nodiscard]] Known &of(const TagHeader &header) { return known_[header.is_script() ? 0 : 1]; }
  [[nodiscard]] const Known &of(const TagHeader &header) const {
    return known_[header.is_script() ? 0 : 1];
  }

  std::array<Known, 2> known_{}; // script tags; audio and video
};

// As read_tag_header(), and with a stream id that is not the stream's as a fault.
[[nodiscard]] Fault read_tag_header(const std::uint8_t *data, std::uint32_t max_data_size,
                                    const StreamIds &ids, TagHeader &header);

} // namespace flv
