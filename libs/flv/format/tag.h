// SPDX-License-Identifier: LGPL-2.1-or-later
// The file header and the tag header: Adobe, Video File Format Specification 10.1, annex E.2 to
// E.4.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "bytes.h"

namespace flv {

inline constexpr std::size_t kFileHeaderSize = 9;
inline constexpr std::size_t kTagHeaderSize = 11;
inline constexpr std::size_t kPreviousTagSizeSize = 4;
inline constexpr std::uint32_t kMaxDataSize = 0xFFFFFF; // the size field has 24 bits
// Bytes. A file header can announce more than 9 bytes. No known producer exceeds this limit.
inline constexpr std::uint32_t kMaxFileHeaderSize = 1024;

enum class TagType : std::uint8_t {
  Audio = 8,
  Video = 9,
  ScriptAmf3 = 15,
  Script = 18,
};

// The first bytes of a file (E.2).
struct FileHeader {
  std::uint8_t version = 1;
  bool has_audio = false;
  bool has_video = false;
  std::uint32_t size = kFileHeaderSize; // bytes from the start of the file to PreviousTagSize0
};

// The 11 bytes before a tag's data (E.4.1).
struct TagHeader {
  TagType type = TagType::Script;
  bool filtered = false;       // the data is encrypted, or otherwise preprocessed
  std::uint32_t data_size = 0; // bytes after the header, without the PreviousTagSize
  std::uint32_t timestamp = 0; // decoding time in ms: 24 bits, and 8 extended bits above them
  std::uint32_t stream_id = 0; // 24 bits; 0 unless the publisher copies RTMP's message stream id

  [[nodiscard]] bool is_script() const {
    return type == TagType::Script || type == TagType::ScriptAmf3;
  }
  // Bytes of the header and the data: the value of the PreviousTagSize after the tag.
  [[nodiscard]] std::uint32_t tag_size() const {
    return static_cast<std::uint32_t>(kTagHeaderSize) + data_size;
  }

  friend bool operator==(const TagHeader &, const TagHeader &) = default;
};

// The reason why bytes are not a header, and the wrong number.
struct Fault {
  enum class Kind : std::uint8_t {
    None,
    Signature,    // not "FLV"; value: the first three bytes
    Version,      // value: the version byte
    HeaderLength, // value: the length that the file header announces
    TagType,      // value: the type byte
    StreamId,     // value: the stream id, which the stream does not use
    DataSize,     // value: the data size
    Truncated,    // the stream ended inside the item; value: the bytes received
    CutShort,     // another file begins inside the tag; value: the tag's bytes before it
  };
  Kind kind = Kind::None;
  std::uint32_t value = 0;

  friend bool operator==(const Fault &, const Fault &) = default;
};

// One line for an error message, such as "tag type 0x55 is not 8, 9, 15 or 18".
[[nodiscard]] std::string describe(const Fault &fault);

// Reads a file header. `data` must have at least kFileHeaderSize bytes.
[[nodiscard]] Fault read_file_header(const std::uint8_t *data, FileHeader &header);

// Reads a tag header. `data` must have at least kTagHeaderSize bytes. A data size over
// `max_data_size` is a fault. Ignores the two reserved bits of the type byte. Accepts any stream
// id.
[[nodiscard]] Fault read_tag_header(const std::uint8_t *data, std::uint32_t max_data_size,
                                    TagHeader &header);

[[nodiscard]] std::array<std::uint8_t, kFileHeaderSize + kPreviousTagSizeSize>
write_file_header(const FileHeader &header);

[[nodiscard]] std::array<std::uint8_t, kTagHeaderSize> write_tag_header(const TagHeader &header);

// Replaces the timestamp in the tag header at `tag`.
void store_timestamp(std::uint8_t *tag, std::uint32_t timestamp);

// Appends a whole tag: header, data, PreviousTagSize. `data` must not exceed kMaxDataSize bytes.
void append_tag(std::vector<std::uint8_t> &out, TagType type, std::uint32_t timestamp, Bytes data,
                std::uint32_t stream_id = 0);

} // namespace flv
