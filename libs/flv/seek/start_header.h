// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds the header of a stream that starts in the middle of a file: file header, onMetaData with a
// correct keyframe index, configurations.
#pragma once

#include "file_probe.h"
#include "flv/stream/stream_header.h"

namespace flv {

// The treatment of the file positions in onMetaData.
enum class MetadataKeyframes : std::uint8_t {
  Rewrite,  // corrected for the stream that is sent
  Original, // unchanged, for players that request offsets of the file
  Strip,    // removed
};

struct Reinsert {
  bool header = true;
  bool metadata = true;
  bool configurations = true;
};

// A stream that consists of a header and a part of the file.
struct PartOfFile {
  std::uint64_t begin = 0;
  std::optional<std::uint64_t> end; // nullopt: unknown
  // The keyframes of the part, by their position in the file; nullopt: unknown.
  std::optional<KeyframeIndex> index;
};

// The metadata object, corrected for the stream. Index entries outside the part are removed. The
// other entries, the file size and the last keyframe's location count from the start of the stream,
// where the header has `head_size` bytes. Unknown values are removed. The duration stays.
[[nodiscard]] amf0::Value rewritten(const amf0::Value &metadata, const PartOfFile &part,
                                    std::uint64_t head_size);
// The metadata without the keyframe index, the last keyframe's location and the file size.
[[nodiscard]] amf0::Value stripped(const amf0::Value &metadata);

// The metadata for clients that join a stream in the middle. The end of the stream is unknown, and
// it has these kinds of tags. Members that describe a file, its length or another kind are removed.
[[nodiscard]] amf0::Value live(const amf0::Value &metadata, bool audio, bool video);

// Appends the file's own header with corrected flags. The flag of a kind that was seen is set. The
// flag of a kind that was not seen is cleared if the whole file was read or the metadata does not
// announce the kind.
void append_file_header(std::vector<std::uint8_t> &out, const FileFacts &facts);

// The bytes of the stream header. `configurations` are whole tags, and keep their timestamps.
// Metadata that cannot be read is omitted.
[[nodiscard]] std::vector<std::uint8_t>
write_stream_head(const FileFacts &facts, const std::vector<SharedBytes> &configurations,
                  const PartOfFile &part, const Reinsert &reinsert, MetadataKeyframes keyframes);

} // namespace flv
