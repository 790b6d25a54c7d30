// SPDX-License-Identifier: LGPL-2.1-or-later
// What comes in front of a stream that starts in the middle of a file: file header, onMetaData with
// a true keyframe index, configurations.
#pragma once

#include "file_probe.h"
#include "flv/stream/stream_header.h"

namespace flv {

// What becomes of what onMetaData says about places in the file.
enum class MetadataKeyframes : std::uint8_t {
  Rewrite,  // made true for the stream as it is sent
  Original, // left as it is, for players that ask for offsets in the file
  Strip,    // left out
};

struct Reinsert {
  bool header = true;
  bool metadata = true;
  bool configurations = true;
};

// A stream that is a head and then a part of the file.
struct PartOfFile {
  std::uint64_t begin = 0;
  std::optional<std::uint64_t> end; // where that is known
  // Key frames in the part, by their position in the file; nothing where they aren't known.
  std::optional<KeyframeIndex> index;
};

// The metadata object as it is true for the stream: entries of the index that are outside the part
// are gone, the others, the file size and the last key frame's location count from the stream's
// start, where the head has `head_size` bytes. What can't be known is left out; the duration stays.
[[nodiscard]] amf0::Value rewritten(const amf0::Value &metadata, const PartOfFile &part,
                                    std::uint64_t head_size);
// Without the index, and nothing said about places.
[[nodiscard]] amf0::Value stripped(const amf0::Value &metadata);

// What is true for those who join in the middle of a stream whose end is not known, and which has
// these kinds of tags: nothing about a file, its length or what it had besides.
[[nodiscard]] amf0::Value live(const amf0::Value &metadata, bool audio, bool video);

// The head's bytes. `configurations` are whole tags, and keep their timestamps. Metadata that can't
// be read is left out.
[[nodiscard]] std::vector<std::uint8_t>
write_stream_head(const FileFacts &facts, const std::vector<SharedBytes> &configurations,
                  const PartOfFile &part, const Reinsert &reinsert, MetadataKeyframes keyframes);

} // namespace flv
