// SPDX-License-Identifier: LGPL-2.1-or-later
// FLV: H.264, AAC and MP3 as in Adobe's Video File Format Specification 10.1, other codecs as in
// Veovera's Enhanced RTMP v2.
#include "writer.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "flv/format/amf0.h"
#include "flv/format/codec.h"
#include "flv/format/tag.h"

namespace remux {

namespace {

constexpr std::uint8_t kAvc = 7;
constexpr std::uint8_t kAac = 10;
constexpr std::uint8_t kMp3 = 2;
constexpr std::uint8_t kMp3At8kHz = 14;
constexpr std::uint8_t kAacHeader = kAac << 4 | 0x0F; // always "44 kHz, 16 bit, stereo"
constexpr std::uint8_t kEnhancedVideo = 0x80;
constexpr std::uint8_t kEnhancedAudio = 0x90;
constexpr std::uint8_t kKeyFrame = 0x10;
constexpr std::uint8_t kInterFrame = 0x20;

// Packet types.
constexpr std::uint8_t kSequenceStart = 0;
constexpr std::uint8_t kCodedFrames = 1;
constexpr std::uint8_t kSequenceEnd = 2;
constexpr std::uint8_t kCodedFramesX = 3; // without a composition time

std::optional<std::uint32_t> fourcc_of(Codec codec) {
  switch (codec) {
  case Codec::Hevc:
    return flv::fourcc("hvc1");
  case Codec::Av1:
    return flv::fourcc("av01");
  case Codec::Vp8:
    return flv::fourcc("vp08");
  case Codec::Vp9:
    return flv::fourcc("vp09");
  case Codec::Opus:
    return flv::fourcc("Opus");
  case Codec::Flac:
    return flv::fourcc("fLaC");
  case Codec::Ac3:
    return flv::fourcc("ac-3");
  case Codec::Eac3:
    return flv::fourcc("ec-3");
  case Codec::H264:
  case Codec::Aac:
  case Codec::Mp3:
  case Codec::Mp2:
  case Codec::Vorbis:
    break;
  }
  return std::nullopt;
}

double metadata_codec(Codec codec) {
  if (const auto code = fourcc_of(codec))
    return *code;
  return codec == Codec::H264 ? kAvc : codec == Codec::Aac ? kAac : kMp3;
}

// The rate field has 5.5, 11, 22 or 44 kHz. Decoders read the rate from the frames.
std::uint8_t mp3_header(const Track &track) {
  constexpr std::uint8_t kBits16 = 2;
  constexpr std::uint32_t kLowest = 8000;
  const std::uint8_t stereo = track.channels == 1 ? 0 : 1;
  if (track.rate == kLowest)
    return static_cast<std::uint8_t>(kMp3At8kHz << 4 | kBits16 | stereo);
  const std::uint8_t rate = track.rate > 30'000 ? 3 : track.rate > 15'000 ? 2 : 1;
  return static_cast<std::uint8_t>(kMp3 << 4 | rate << 2 | kBits16 | stereo);
}

flv::amf0::Value metadata_of(const std::vector<Track> &tracks,
                             std::optional<std::int64_t> duration) {
  flv::amf0::EcmaArray array;
  const auto add = [&array](const char *name, auto value) {
    array.members.push_back({name, {value}});
  };
  if (duration)
    add("duration", static_cast<double>(*duration) / 1e9);
  for (const Track &track : tracks) {
    if (is_video(track.codec)) {
      add("width", double{static_cast<double>(track.width)});
      add("height", double{static_cast<double>(track.height)});
      add("videocodecid", metadata_codec(track.codec));
    } else {
      add("audiosamplerate", double{static_cast<double>(track.rate)});
      add("audiochannels", double{static_cast<double>(track.channels)});
      add("stereo", track.channels == 2);
      add("audiocodecid", metadata_codec(track.codec));
    }
  }
  add("encoder", std::string("gst-flv-streaming"));
  return {std::move(array)};
}

class FlvWriter final : public Writer {
public:
  void begin(const std::vector<Track> &tracks, std::optional<std::int64_t> duration,
             Output &out) override {
    tracks_ = tracks;
    flv::FileHeader header;
    for (const Track &track : tracks)
      (is_video(track.codec) ? header.has_video : header.has_audio) = true;
    append(out, flv::write_file_header(header));
    std::vector<std::uint8_t> script;
    flv::amf0::write_all(script, {{std::string("onMetaData")}, metadata_of(tracks, duration)});
    flv::append_tag(out, flv::TagType::Script, 0, script);
    for (const Track &track : tracks)
      write_configuration(track, out);
  }

  bool write(const Sample &sample, Output &out) override {
    const Track &track = tracks_[sample.track];
    const std::int64_t time = std::max<std::int64_t>(to_ms(sample.dts), 0);
    time_ = static_cast<std::uint32_t>(time);
    const bool video = is_video(track.codec);
    data_.clear();
    if (video)
      put_video_header(track, sample, to_ms(sample.pts) - time);
    else
      put_audio_header(track);
    append(data_, sample.data);
    if (data_.size() > flv::kMaxDataSize)
      return false;
    flv::append_tag(out, video ? flv::TagType::Video : flv::TagType::Audio, time_, data_);
    return sample.key && (video || tracks_.size() == 1);
  }

  bool add(const Track &track, Output &out) override {
    tracks_.push_back(track);
    write_configuration(track, out);
    return true;
  }

  void change(std::size_t index, const Track &track, Output &out) override {
    tracks_[index] = track;
    write_configuration(track, out);
  }

  void end(Output &out) override {
    for (const Track &track : tracks_) {
      if (track.codec != Codec::H264)
        continue;
      const std::uint8_t data[] = {kKeyFrame | kAvc, kSequenceEnd, 0, 0, 0};
      flv::append_tag(out, flv::TagType::Video, time_, data);
    }
  }

private:
  static void append(std::vector<std::uint8_t> &out, flv::Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
  }

  void put_video_header(const Track &track, const Sample &sample, std::int64_t composition) {
    flv::Writer put(data_);
    const std::uint8_t frame = sample.key ? kKeyFrame : kInterFrame;
    const auto offset = static_cast<std::uint32_t>(composition);
    const auto code = fourcc_of(track.codec);
    if (!code) {
      put.u8(frame | kAvc);
      put.u8(kCodedFrames);
      put.u24(offset & 0xFFFFFF);
      return;
    }
    const bool has_offset = track.codec == Codec::Hevc && composition != 0;
    put.u8(kEnhancedVideo | frame |
           (track.codec == Codec::Hevc && !has_offset ? kCodedFramesX : kCodedFrames));
    put.u32(*code);
    if (has_offset)
      put.u24(offset & 0xFFFFFF);
  }

  void put_audio_header(const Track &track) {
    flv::Writer put(data_);
    if (const auto code = fourcc_of(track.codec)) {
      put.u8(kEnhancedAudio | kCodedFrames);
      put.u32(*code);
    } else if (track.codec == Codec::Aac) {
      put.u8(kAacHeader);
      put.u8(kCodedFrames);
    } else {
      put.u8(mp3_header(track));
    }
  }

  void write_configuration(const Track &track, Output &out) {
    if (track.config.empty())
      return;
    const bool video = is_video(track.codec);
    data_.clear();
    flv::Writer put(data_);
    if (const auto code = fourcc_of(track.codec)) {
      put.u8(video ? kEnhancedVideo | kKeyFrame | kSequenceStart : kEnhancedAudio | kSequenceStart);
      put.u32(*code);
    } else if (video) {
      put.u8(kKeyFrame | kAvc);
      put.u32(kSequenceStart << 24); // and a composition time of 0
    } else {
      put.u8(kAacHeader);
      put.u8(kSequenceStart);
    }
    append(data_, track.config);
    flv::append_tag(out, video ? flv::TagType::Video : flv::TagType::Audio, time_, data_);
  }

  std::vector<Track> tracks_;
  std::vector<std::uint8_t> data_; // of the current tag
  std::uint32_t time_ = 0;         // ms: of the last sample
};

} // namespace

std::unique_ptr<Writer> make_flv_writer() {
  return std::make_unique<FlvWriter>();
}

} // namespace remux
