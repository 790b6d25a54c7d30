// SPDX-License-Identifier: LGPL-2.1-or-later
// What somebody who joins a stream in its middle needs before the first frame.
#pragma once

#include <memory>
#include <vector>

#include "flv/format/codec.h"

namespace flv {

// Bytes that never change: the same pointer is the same bytes.
using SharedBytes = std::shared_ptr<const std::vector<std::uint8_t>>;

// Collects the file header, the last onMetaData and the last configuration of every track, as whole
// tags with their PreviousTagSize.
class StreamHeader {
public:
  // What a tag did to the head.
  enum class Change {
    None,     // it is no part of it
    Repeated, // it says what the head holds already
    Changed,
  };

  // Bytes, and their number. A larger configuration is not kept, and of more than that together
  // only the last ones: real ones have a hundred bytes each, and there are few.
  static constexpr std::size_t kMaxConfigurations = 1 << 20;
  static constexpr std::size_t kMaxParts = 256;

  void clear();
  void set_file_header(Bytes bytes);

  // `tag` is what read_tag_header() found in `header`, with its PreviousTagSize, as it is sent;
  // `info` is what classify() says of its data.
  Change note(const TagHeader &header, const TagInfo &info, Bytes tag);

  // The same for a tag of which nothing else is known.
  Change note_tag(Bytes tag);

  // Takes the configurations of a later stretch of the stream.
  void note_all(const StreamHeader &later);

  [[nodiscard]] bool has_configurations() const { return !configurations_.empty(); }
  // Whether it has a configuration for everything that `other` has one for.
  [[nodiscard]] bool covers(const StreamHeader &other) const;

  // In the order in which they have to be sent.
  [[nodiscard]] std::vector<SharedBytes> parts() const;

private:
  struct Part {
    TagType type = TagType::Script;
    DecoderConfigKind kind = DecoderConfigKind::Sequence;
    TrackSet tracks;
    SharedBytes tag;
  };

  Change note_configuration(const TagHeader &header, const TagInfo &info, Bytes tag);

  SharedBytes file_header_;
  SharedBytes metadata_;
  std::vector<Part> configurations_;
  std::size_t configuration_bytes_ = 0;
};

} // namespace flv
