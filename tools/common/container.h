// SPDX-License-Identifier: LGPL-2.1-or-later
// Recognizes files that are not FLV: the container, and the codecs in MP4, Matroska and MPEG-TS.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tools {

// Reads bytes at any offset.
class ByteSource {
public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource &) = delete;
  ByteSource &operator=(const ByteSource &) = delete;

  // Returns the number of bytes that were read.
  [[nodiscard]] virtual std::size_t read(std::uint64_t offset,
                                         std::span<std::uint8_t> into) const = 0;
};

// A regular file, or another file that can be read at any offset.
class FileBytes final : public ByteSource {
public:
  explicit FileBytes(int descriptor) : descriptor_(descriptor) {} // borrowed
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const override;

private:
  int descriptor_;
};

// The first bytes of a stream.
class MemoryBytes final : public ByteSource {
public:
  explicit MemoryBytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {} // borrowed
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into) const override;

private:
  std::span<const std::uint8_t> bytes_;
};

enum class Track { Video, Audio, Other };

struct Codec {
  Track track = Track::Video;
  std::string name;
  bool fits_flv = false; // every version of ffmpeg copies it into FLV
};

struct Container {
  enum class Kind {
    Unknown,
    Media,      // ffmpeg may read it
    Compressed, // `unpack` decompresses it
    Text,       // a page or a playlist
  };
  Kind kind = Kind::Unknown;
  std::string name;          // "MP4"
  const char *unpack = "";   // "gunzip -c"
  std::vector<Codec> codecs; // the codecs that were found
};

[[nodiscard]] Container identify(const ByteSource &source);

// Used by identify().
[[nodiscard]] std::vector<Codec> codecs_of_mp4(const ByteSource &source);
[[nodiscard]] std::vector<Codec> codecs_of_matroska(const ByteSource &source);
[[nodiscard]] std::vector<Codec> codecs_of_transport_stream(const ByteSource &source);

} // namespace tools
