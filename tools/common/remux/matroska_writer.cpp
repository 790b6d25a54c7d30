// SPDX-License-Identifier: LGPL-2.1-or-later
// Matroska and WebM (RFC 9559), written as a live stream: the segment and the clusters have unknown
// sizes, so each block leaves at once.
#include "writer.h"

#include <optional>

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

#include "audio_frames.h"
#include "nal.h"

namespace remux {

namespace {

// Element ids.
constexpr std::uint32_t kEbml = 0x1A45DFA3;
constexpr std::uint32_t kEbmlVersion = 0x4286;
constexpr std::uint32_t kEbmlReadVersion = 0x42F7;
constexpr std::uint32_t kMaxIdLength = 0x42F2;
constexpr std::uint32_t kMaxSizeLength = 0x42F3;
constexpr std::uint32_t kDocType = 0x4282;
constexpr std::uint32_t kDocTypeVersion = 0x4287;
constexpr std::uint32_t kDocTypeReadVersion = 0x4285;
constexpr std::uint32_t kSegment = 0x18538067;
constexpr std::uint32_t kInfo = 0x1549A966;
constexpr std::uint32_t kTimestampScale = 0x2AD7B1;
constexpr std::uint32_t kDuration = 0x4489;
constexpr std::uint32_t kMuxingApp = 0x4D80;
constexpr std::uint32_t kWritingApp = 0x5741;
constexpr std::uint32_t kTracks = 0x1654AE6B;
constexpr std::uint32_t kTrackEntry = 0xAE;
constexpr std::uint32_t kTrackNumber = 0xD7;
constexpr std::uint32_t kTrackUid = 0x73C5;
constexpr std::uint32_t kTrackType = 0x83;
constexpr std::uint32_t kFlagLacing = 0x9C;
constexpr std::uint32_t kDefaultDuration = 0x23E383;
constexpr std::uint32_t kCodecId = 0x86;
constexpr std::uint32_t kCodecPrivate = 0x63A2;
constexpr std::uint32_t kCodecDelay = 0x56AA;
constexpr std::uint32_t kSeekPreRoll = 0x56BB;
constexpr std::uint32_t kVideo = 0xE0;
constexpr std::uint32_t kPixelWidth = 0xB0;
constexpr std::uint32_t kPixelHeight = 0xBA;
constexpr std::uint32_t kDisplayWidth = 0x54B0;
constexpr std::uint32_t kDisplayHeight = 0x54BA;
constexpr std::uint32_t kAudio = 0xE1;
constexpr std::uint32_t kSamplingFrequency = 0xB5;
constexpr std::uint32_t kChannels = 0x9F;
constexpr std::uint32_t kCluster = 0x1F43B675;
constexpr std::uint32_t kTimestamp = 0xE7;
constexpr std::uint32_t kSimpleBlock = 0xA3;

constexpr std::int64_t kLongestCluster = 5000;   // ms
constexpr std::int64_t kLongestAudio = 1000;     // ms: of a stream without video
constexpr std::int64_t kUsualFrame = 40'000'000; // ns
constexpr std::uint64_t kPreRoll = 80'000'000;   // ns: of Opus (RFC 7845, 4.6)

const char *codec_id(Codec codec) {
  switch (codec) {
  case Codec::H264:
    return "V_MPEG4/ISO/AVC";
  case Codec::Hevc:
    return "V_MPEGH/ISO/HEVC";
  case Codec::Av1:
    return "V_AV1";
  case Codec::Vp8:
    return "V_VP8";
  case Codec::Vp9:
    return "V_VP9";
  case Codec::Aac:
    return "A_AAC";
  case Codec::Mp3:
    return "A_MPEG/L3";
  case Codec::Mp2:
    return "A_MPEG/L2";
  case Codec::Opus:
    return "A_OPUS";
  case Codec::Vorbis:
    return "A_VORBIS";
  case Codec::Flac:
    return "A_FLAC";
  case Codec::Ac3:
    return "A_AC3";
  case Codec::Eac3:
    return "A_EAC3";
  }
  return "";
}

class Elements {
public:
  explicit Elements(Output &out) : put_(out) {}

  void id(std::uint32_t id) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      if (id >> shift != 0)
        put_.u8(id >> shift);
    }
  }
  // A size in four bytes; up to 268 MB.
  void size(std::size_t size) { put_.u32(0x10000000 | static_cast<std::uint32_t>(size)); }
  void unknown_size() {
    put_.u32(0x01FFFFFF);
    put_.u32(0xFFFFFFFF);
  }
  void bytes(std::uint32_t name, flv::Bytes value) {
    id(name);
    size(value.size());
    put_.bytes(value);
  }
  void text(std::uint32_t name, std::string_view value) {
    bytes(name, {reinterpret_cast<const std::uint8_t *>(value.data()), value.size()});
  }
  void number(std::uint32_t name, std::uint64_t value) {
    id(name);
    put_.u8(0x88);
    put_.u32(static_cast<std::uint32_t>(value >> 32));
    put_.u32(static_cast<std::uint32_t>(value));
  }
  void real(std::uint32_t name, double value) {
    id(name);
    put_.u8(0x88);
    put_.f64(value);
  }

private:
  flv::Writer put_;
};

void write_video(const Track &track, Elements &entry) {
  Output content;
  Elements video(content);
  video.number(kPixelWidth, track.width);
  video.number(kPixelHeight, track.height);
  if (track.aspect_width != track.aspect_height && track.aspect_height != 0) {
    video.number(kDisplayWidth,
                 std::uint64_t{track.width} * track.aspect_width / track.aspect_height);
    video.number(kDisplayHeight, track.height);
  }
  entry.bytes(kVideo, content);
}

void write_audio(const Track &track, Elements &entry) {
  Output content;
  Elements audio(content);
  audio.real(kSamplingFrequency, track.rate);
  audio.number(kChannels, track.channels);
  entry.bytes(kAudio, content);
}

class MatroskaWriter final : public Writer {
public:
  explicit MatroskaWriter(Format format) : format_(format) {}

  void begin(const std::vector<Track> &tracks, std::optional<std::int64_t> duration,
             Output &out) override {
    tracks_ = tracks;
    has_video_ = std::ranges::any_of(tracks, is_video, &Track::codec);
    parameter_sets_.assign(tracks.size(), {});
    write_head(out);
    Elements top(out);
    top.id(kSegment);
    top.unknown_size();
    Output info;
    Elements fields(info);
    fields.number(kTimestampScale, 1'000'000);
    if (duration)
      fields.real(kDuration, static_cast<double>(*duration) / 1e6);
    fields.text(kMuxingApp, "gst-flv-streaming");
    fields.text(kWritingApp, "gst-flv-streaming");
    top.bytes(kInfo, info);
    Output entries;
    for (std::size_t i = 0; i < tracks.size(); ++i)
      write_entry(i, tracks[i], entries);
    top.bytes(kTracks, entries);
  }

  bool write(const Sample &sample, Output &out) override {
    const Track &track = tracks_[sample.track];
    const bool video = is_video(track.codec);
    const std::int64_t time = std::max<std::int64_t>(to_ms(sample.pts + codec_delay(track)), 0);
    const bool joins = needs_cluster(time, has_video_ ? video && sample.key : true, video);
    if (joins)
      begin_cluster(time, out);
    const auto &sets = parameter_sets_[sample.track];
    const flv::Bytes before = sample.key ? flv::Bytes(sets) : flv::Bytes();
    Elements block(out);
    block.id(kSimpleBlock);
    block.size(4 + before.size() + sample.data.size());
    flv::Writer put(out);
    put.u8(0x80 | static_cast<std::uint32_t>(sample.track + 1));
    put.u16(static_cast<std::uint32_t>(time - cluster_));
    put.u8(sample.key ? 0x80 : 0);
    put.bytes(before);
    put.bytes(sample.data);
    return joins && (!has_video_ || (video && sample.key));
  }

  bool add(const Track &, Output &) override { return false; }
  // The header is sent already, so the new parameter sets go into the key frames.
  void change(std::size_t index, const Track &track, Output &) override {
    parameter_sets_[index] = prefixed_parameter_sets(track.codec, track.config);
  }

  void end(Output &) override {}

private:
  void write_head(Output &out) const {
    Output head;
    Elements fields(head);
    fields.number(kEbmlVersion, 1);
    fields.number(kEbmlReadVersion, 1);
    fields.number(kMaxIdLength, 4);
    fields.number(kMaxSizeLength, 8);
    fields.text(kDocType, format_ == Format::WebM ? "webm" : "matroska");
    fields.number(kDocTypeVersion, 4);
    fields.number(kDocTypeReadVersion, 2);
    Elements(out).bytes(kEbml, head);
  }

  static void write_entry(std::size_t index, const Track &track, Output &out) {
    constexpr std::uint64_t kVideoType = 1;
    constexpr std::uint64_t kAudioType = 2;
    Output content;
    Elements entry(content);
    entry.number(kTrackNumber, index + 1);
    entry.number(kTrackUid, index + 1);
    entry.number(kTrackType, is_video(track.codec) ? kVideoType : kAudioType);
    entry.number(kFlagLacing, 0);
    entry.text(kCodecId, codec_id(track.codec));
    // Matroska has no private data for VP8. For VP9 it is optional, and in another form.
    if (!track.config.empty() && track.codec != Codec::Vp8 && track.codec != Codec::Vp9)
      entry.bytes(kCodecPrivate, track.config);
    if (track.codec == Codec::Opus) {
      entry.number(kCodecDelay, static_cast<std::uint64_t>(codec_delay(track)));
      entry.number(kSeekPreRoll, kPreRoll);
    }
    if (is_video(track.codec)) {
      // Without a duration, Chromium reads a live stream to its end before it plays.
      const std::int64_t frame = track.frame_duration > 0 ? track.frame_duration : kUsualFrame;
      entry.number(kDefaultDuration, static_cast<std::uint64_t>(frame));
      write_video(track, entry);
    } else {
      write_audio(track, entry);
    }
    Elements(out).bytes(kTrackEntry, content);
  }

  // The time of a block is relative to its cluster, in 16 bits.
  [[nodiscard]] bool needs_cluster(std::int64_t time, bool can_join, bool is_picture) const {
    const std::int64_t longest = has_video_ ? kLongestCluster : kLongestAudio;
    if (!has_cluster_ || (has_video_ && is_picture && can_join))
      return true;
    const std::int64_t span = time - cluster_;
    return span > longest || span < -kLongestCluster;
  }

  void begin_cluster(std::int64_t time, Output &out) {
    Elements cluster(out);
    cluster.id(kCluster);
    cluster.unknown_size();
    cluster.number(kTimestamp, static_cast<std::uint64_t>(time));
    cluster_ = time;
    has_cluster_ = true;
  }

  Format format_;
  std::vector<Track> tracks_;
  std::vector<std::vector<std::uint8_t>> parameter_sets_; // of changed tracks, before key frames
  std::int64_t cluster_ = 0;                              // ms: the cluster's time
  bool has_cluster_ = false;
  bool has_video_ = false;
};

} // namespace

std::unique_ptr<Writer> make_matroska_writer(Format format) {
  return std::make_unique<MatroskaWriter>(format);
}

} // namespace remux
