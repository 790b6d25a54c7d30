// SPDX-License-Identifier: LGPL-2.1-or-later
// The data that a client needs before its first frame if it joins a stream in the middle.
#pragma once

#include <memory>
#include <vector>

#include "flv/format/codec.h"

namespace flv {

// Immutable bytes: equal pointers mean equal bytes.
using SharedBytes = std::shared_ptr<const std::vector<std::uint8_t>>;

// Collects the file header, the last onMetaData and the last decoder configuration of each track,
// as whole tags with their PreviousTagSize.
class StreamHeader {
public:
  // The effect of a tag on the header.
  enum class Change {
    None,     // the tag is not part of the header
    Repeated, // the header already has this content
    Changed,
  };

  // Limits of the configurations: their bytes, and their number. A configuration over the byte
  // limit is not kept. If a limit is exceeded, the oldest configurations are removed. Real streams
  // have a few configurations of about a hundred bytes each.
  static constexpr std::size_t kMaxConfigurations = 1 << 20;
  static constexpr std::size_t kMaxParts = 256;

  void clear();
  void set_file_header(Bytes bytes);

  // `tag` is the whole tag with its PreviousTagSize, as it is sent. `header` is its parsed header.
  // `info` is the result of classify() for its data.
  Change note(const TagHeader &header, const TagInfo &info, Bytes tag);

  // The same for a tag that is not parsed.
  Change note_tag(Bytes tag);

  // Adds the configurations of a later part of the stream.
  void note_all(const StreamHeader &later);

  [[nodiscard]] bool has_configurations() const { return !configurations_.empty(); }
  // Whether there is a configuration for each kind and track for which `other` has one.
  [[nodiscard]] bool covers(const StreamHeader &other) const;

  // In the order in which they must be sent.
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
