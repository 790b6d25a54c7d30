// SPDX-License-Identifier: LGPL-2.1-or-later
// FLV byte streams for tests: tag data, streams of tags, damage. The same call always gives the
// same bytes. No payload contains a zero byte, so no payload looks like a tag header.
#pragma once

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>

#include "flv/format/amf0.h"
#include "flv/format/codec.h"
#include "flv/format/tag.h"

namespace flvtest {

using Buffer = std::vector<std::uint8_t>;
using flv::Bytes;
using flv::TagType;

inline void append(Buffer &to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

inline Buffer joined(std::initializer_list<Bytes> parts) {
  Buffer out;
  for (const Bytes part : parts)
    append(out, part);
  return out;
}

inline Buffer payload(std::size_t size, std::uint32_t seed = 1) {
  // Repeated with a prime period, so that a shift by the size of a block or buffer shows.
  constexpr std::size_t kPeriod = 4099;
  Buffer out(size);
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::size_t i = 0; i < std::min(size, kPeriod); ++i) {
    state = state * 1664525U + 1013904223U;
    out[i] = static_cast<std::uint8_t>(1 + (state >> 16) % 255);
  }
  for (std::size_t at = kPeriod; at < size; at += kPeriod)
    std::memcpy(&out[at], out.data(), std::min(kPeriod, size - at));
  return out;
}

// --- Data of classic tags. A different `variant` gives a different configuration. ---

inline Buffer avc_config(std::uint8_t variant = 0) {
  return {0x17, 0,    0,    0,    0,    1, 0x64, 0, 0x1E, 0xFF, 0xE1, 0,    6,
          0x67, 0x64, 0x00, 0x1E, 0xAC, 1, 1,    0, 4,    0x68, 0xEE, 0x3C, variant};
}

inline Buffer avc_end() {
  return {0x17, 2, 0, 0, 0};
}

inline Buffer avc_frame(bool key, std::size_t size, std::uint32_t seed = 1) {
  return joined(
      {Buffer{static_cast<std::uint8_t>(key ? 0x17 : 0x27), 1, 0, 0, 0}, payload(size, seed)});
}

inline Buffer aac_config(std::uint8_t variant = 0) {
  return {0xAF, 0, 0x12, static_cast<std::uint8_t>(0x10 + variant)};
}

inline Buffer aac_frame(std::size_t size, std::uint32_t seed = 1) {
  return joined({Buffer{0xAF, 1}, payload(size, seed)});
}

inline Buffer mp3_frame(std::size_t size, std::uint32_t seed = 1) {
  return joined({Buffer{0x2F}, payload(size, seed)});
}

inline Buffer h263_frame(bool key, std::size_t size, std::uint32_t seed = 1) {
  return joined({Buffer{static_cast<std::uint8_t>(key ? 0x12 : 0x22)}, payload(size, seed)});
}

// A script event: its name, then its values.
inline Buffer script(const std::string &name, const std::vector<flv::amf0::Value> &values) {
  Buffer out;
  flv::amf0::write(out, {name});
  flv::amf0::write_all(out, values);
  return out;
}

using Members = std::vector<flv::amf0::Member>;

inline Buffer on_metadata(Members members) {
  return script("onMetaData", {{flv::amf0::EcmaArray{std::move(members)}}});
}

// --- Data of enhanced tags ---

enum class Packet : std::uint8_t {
  SequenceStart = 0,
  CodedFrames = 1,
  SequenceEnd = 2,
  CodedFramesX = 3,
  Metadata = 4,           // video
  MultichannelConfig = 4, // audio
  Mpeg2TsSequenceStart = 5,
};

inline void append_fourcc(Buffer &to, std::string_view code) {
  flv::Writer(to).u32(flv::fourcc(code));
}

// `frame_type`: 1 key, 2 inter.
inline Buffer ex_video(unsigned frame_type, Packet packet, std::string_view code, Bytes body) {
  Buffer out{static_cast<std::uint8_t>(0x80 | frame_type << 4 | static_cast<unsigned>(packet))};
  append_fourcc(out, code);
  append(out, body);
  return out;
}

inline Buffer ex_audio(Packet packet, std::string_view code, Bytes body) {
  Buffer out{static_cast<std::uint8_t>(0x90 | static_cast<unsigned>(packet))};
  append_fourcc(out, code);
  append(out, body);
  return out;
}

// Frame type 5: exactly one data byte.
inline Buffer ex_command(std::uint8_t command) {
  return {0xD0, command};
}

// Prepends a ModEx of `type` to the packet `data`; `modifier` has 1 to 65 536 bytes. Nested calls
// give consecutive modifiers.
inline Buffer with_modex(const Buffer &data, Bytes modifier, unsigned type = 0) {
  Buffer out{static_cast<std::uint8_t>((data.at(0) & 0xF0) | 7)};
  flv::Writer writer(out);
  const auto size = static_cast<std::uint32_t>(modifier.size() - 1);
  if (size < 255) {
    writer.u8(size);
  } else {
    writer.u8(255);
    writer.u16(size);
  }
  writer.bytes(modifier);
  writer.u8(type << 4 | (data[0] & 0x0FU));
  writer.bytes(Bytes(data).subspan(1));
  return out;
}

inline Buffer nanoseconds(std::uint32_t offset) {
  Buffer out;
  flv::Writer(out).u24(offset);
  return out;
}

enum class Multitrack : std::uint8_t { OneTrack, ManyTracks, ManyTracksManyCodecs };

struct Track {
  std::uint8_t id = 0;
  std::string code; // the first track's code applies to all tracks, unless each track has its own
  Buffer body;
};

// `frame_type` 0: audio.
inline Buffer multitrack(unsigned frame_type, Packet packet, Multitrack kind,
                         const std::vector<Track> &tracks) {
  Buffer out{
      static_cast<std::uint8_t>(frame_type ? 0x86 | frame_type << 4 : 0x95),
      static_cast<std::uint8_t>(static_cast<unsigned>(kind) << 4 | static_cast<unsigned>(packet))};
  if (kind != Multitrack::ManyTracksManyCodecs)
    append_fourcc(out, tracks.at(0).code);
  flv::Writer writer(out);
  for (const Track &track : tracks) {
    if (kind == Multitrack::ManyTracksManyCodecs)
      append_fourcc(out, track.code);
    writer.u8(track.id);
    if (kind == Multitrack::OneTrack) {
      writer.bytes(track.body);
      break;
    }
    writer.u24(static_cast<std::uint32_t>(track.body.size()));
    writer.bytes(track.body);
  }
  return out;
}

// --- Pieces of a stream ---

inline Buffer file_header(bool audio = true, bool video = true) {
  const auto bytes = flv::write_file_header({.has_audio = audio, .has_video = video});
  return {bytes.begin(), bytes.end()};
}

// A tag header of any values, valid or not.
inline Buffer tag_header(std::uint8_t type, std::uint32_t data_size, std::uint32_t timestamp = 0,
                         std::uint32_t stream_id = 0) {
  Buffer out;
  flv::Writer writer(out);
  writer.u8(type);
  writer.u24(data_size);
  writer.u24(timestamp);
  writer.u8(timestamp >> 24);
  writer.u24(stream_id);
  return out;
}

// Header, data, PreviousTagSize.
inline Buffer whole_tag(TagType type, std::uint32_t timestamp, Bytes data) {
  Buffer out;
  flv::append_tag(out, type, timestamp, data);
  return out;
}

// A stream under construction. Every call appends.
class Stream {
public:
  struct Tag {
    std::size_t begin = 0;
    std::size_t end = 0; // after the PreviousTagSize
    TagType type = TagType::Script;
    std::uint32_t timestamp = 0;
  };

  Buffer bytes;
  std::vector<Tag> tags; // in `bytes`; direct changes of `bytes` do not update it

  Stream &header(bool audio = true, bool video = true) {
    return raw(flvtest::file_header(audio, video));
  }

  Stream &raw(Bytes more) {
    append(bytes, more);
    return *this;
  }

  Stream &tag(TagType type, std::uint32_t timestamp, Bytes data) {
    const std::size_t begin = bytes.size();
    flv::append_tag(bytes, type, timestamp, data);
    tags.push_back({begin, bytes.size(), type, timestamp});
    return *this;
  }

  Stream &audio(std::uint32_t timestamp, Bytes data) {
    return tag(TagType::Audio, timestamp, data);
  }
  Stream &video(std::uint32_t timestamp, Bytes data) {
    return tag(TagType::Video, timestamp, data);
  }
  Stream &script(std::uint32_t timestamp, Bytes data) {
    return tag(TagType::Script, timestamp, data);
  }

  // H.264 and AAC. The payload depends on the tag's number in the stream.
  Stream &metadata(Members members = {}) { return script(0, on_metadata(std::move(members))); }
  Stream &configs(std::uint32_t timestamp = 0, std::uint8_t variant = 0) {
    return video(timestamp, flvtest::avc_config(variant))
        .audio(timestamp, flvtest::aac_config(variant));
  }
  Stream &key(std::uint32_t timestamp, std::size_t size = 400) {
    return video(timestamp, avc_frame(true, size, seed()));
  }
  Stream &inter(std::uint32_t timestamp, std::size_t size = 100) {
    return video(timestamp, avc_frame(false, size, seed()));
  }
  Stream &aac(std::uint32_t timestamp, std::size_t size = 50) {
    return audio(timestamp, aac_frame(size, seed()));
  }

  // The bytes of tag number `index`.
  [[nodiscard]] Bytes at(std::size_t index) const {
    return Bytes(bytes).subspan(tags.at(index).begin, tags[index].end - tags[index].begin);
  }

private:
  [[nodiscard]] std::uint32_t seed() const { return static_cast<std::uint32_t>(tags.size()); }
};

// H.264 at 25 frames/s with a keyframe every `gop` frames, and AAC at 44.1 kHz, interleaved by
// time. Starts at `start` ms.
struct Clip {
  std::uint32_t duration = 1000;
  std::uint32_t start = 0;
  std::uint32_t gop = 10;
  bool audio = true;
  bool video = true;
};

inline void append_media(Stream &stream, const Clip &clip) {
  constexpr std::uint32_t kFrame = 40;
  for (std::uint64_t frame = 0, samples = 0;;) {
    const auto video_time = static_cast<std::uint32_t>(frame * kFrame);
    const auto audio_time = static_cast<std::uint32_t>(samples * 1000 / 44100);
    const bool more_video = clip.video && video_time < clip.duration;
    const bool more_audio = clip.audio && audio_time < clip.duration;
    if (more_video && (!more_audio || video_time <= audio_time)) {
      const std::uint32_t time = clip.start + video_time;
      frame++ % clip.gop == 0 ? stream.key(time) : stream.inter(time);
    } else if (more_audio) {
      stream.aac(clip.start + audio_time);
      samples += 1024;
    } else {
      return;
    }
  }
}

// A whole file: header, onMetaData with the duration, configurations, media.
inline Stream file(const Clip &clip = {}) {
  Stream stream;
  stream.header(clip.audio, clip.video).metadata({{"duration", {clip.duration / 1000.0}}});
  if (clip.video)
    stream.video(clip.start, avc_config());
  if (clip.audio)
    stream.audio(clip.start, aac_config());
  append_media(stream, clip);
  return stream;
}

// --- Damage ---

inline Buffer inserted(Buffer bytes, std::size_t at, Bytes more) {
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
  return bytes;
}

inline Buffer overwritten(Buffer bytes, std::size_t at, Bytes with) {
  for (std::size_t i = 0; i < with.size(); ++i)
    bytes.at(at + i) = with[i];
  return bytes;
}

inline Buffer erased(Buffer bytes, std::size_t at, std::size_t count) {
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  return bytes;
}

// Replaces every PreviousTagSize with `size`.
inline Buffer with_previous_sizes(const Stream &stream, std::uint32_t size) {
  Buffer bytes = stream.bytes;
  for (const Stream::Tag &tag : stream.tags)
    flv::store_u32(&bytes.at(tag.end - flv::kPreviousTagSizeSize), size);
  return bytes;
}

} // namespace flvtest
