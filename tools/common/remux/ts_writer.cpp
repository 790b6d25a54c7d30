// SPDX-License-Identifier: LGPL-2.1-or-later
// MPEG-TS (ISO 13818-1): one program. The tables are repeated, so that a client can join at each
// key frame.
#include "writer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "nal.h"

namespace remux {

namespace {

constexpr std::size_t kPacket = 188;
constexpr std::size_t kPayload = kPacket - 4;
constexpr std::uint32_t kPatPid = 0;
constexpr std::uint32_t kPmtPid = 0x1000;
constexpr std::uint32_t kFirstPid = 0x100;
constexpr std::int64_t kLead = 63'000; // 90 kHz: from the clock reference to the decoding time
constexpr std::int64_t kTableInterval = 45'000; // 90 kHz: the tables are repeated
constexpr std::int64_t kClockInterval = 7'200;  // 90 kHz: 80 ms, of at most 100 ms
constexpr std::uint32_t kPrivate = 0x06;

using Packet = std::array<std::uint8_t, kPacket>;

std::int64_t to_90khz(std::int64_t ns) {
  constexpr std::int64_t kNumerator = 9;
  constexpr std::int64_t kDenominator = 100'000;
  return (ns * kNumerator + kDenominator / 2) / kDenominator;
}

std::uint32_t stream_type(Codec codec) {
  switch (codec) {
  case Codec::H264:
    return 0x1B;
  case Codec::Hevc:
    return 0x24;
  case Codec::Aac:
    return 0x0F;
  case Codec::Mp3:
  case Codec::Mp2:
    return 0x03;
  case Codec::Ac3:
    return 0x81;
  case Codec::Eac3:
    return 0x87;
  default:
    return kPrivate;
  }
}

// The stream ids of PES packets.
std::uint32_t pes_id(Codec codec) {
  constexpr std::uint32_t kVideo = 0xE0;
  constexpr std::uint32_t kAudio = 0xC0;
  constexpr std::uint32_t kPrivateStream1 = 0xBD;
  if (is_video(codec))
    return kVideo;
  const bool is_mpeg = codec == Codec::Aac || codec == Codec::Mp3 || codec == Codec::Mp2;
  return is_mpeg ? kAudio : kPrivateStream1;
}

std::uint32_t crc_of(flv::Bytes bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const std::uint8_t byte : bytes) {
    crc ^= std::uint32_t{byte} << 24;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc << 1 ^ ((crc & 0x80000000) != 0 ? 0x04C11DB7U : 0U);
  }
  return crc;
}

// The seven bytes before an AAC frame (ISO 14496-3, 1.A.2.2).
void put_adts(const Track &track, std::size_t frame, flv::Writer &put) {
  constexpr std::uint32_t kHeader = 7;
  constexpr std::uint32_t kExplicitRate = 15;
  const std::uint32_t first = track.config.size() > 1 ? track.config[0] : 0x12;
  const std::uint32_t second = track.config.size() > 1 ? track.config[1] : 0x10;
  std::uint32_t object = first >> 3;
  std::uint32_t rate = (first & 7) << 1 | second >> 7;
  std::uint32_t channels = second >> 3 & 15;
  if (object > 4 || object == 0) // SBR and PS: the frames are those of AAC-LC
    object = 2;
  if (rate == kExplicitRate)
    rate = 4;
  if (channels == 0)
    channels = track.channels == 8 ? 7 : track.channels & 7;
  const auto size = static_cast<std::uint32_t>(frame) + kHeader;
  put.u16(0xFFF1);
  put.u8((object - 1) << 6 | rate << 2 | channels >> 2);
  put.u8((channels & 3) << 6 | size >> 11);
  put.u8(size >> 3);
  put.u8((size & 7) << 5 | 0x1F);
  put.u8(0xFC);
}

// The control header of an Opus access unit (ETSI TS 103 491 and the Opus-in-TS draft, 5.2).
void put_opus_header(std::size_t size, flv::Writer &put) {
  put.u16(0x7FE0);
  for (; size >= 255; size -= 255)
    put.u8(255);
  put.u8(static_cast<std::uint32_t>(size));
}

void put_descriptors(const Track &track, std::vector<std::uint8_t> &out) {
  flv::Writer put(out);
  const auto registration = [&put](std::string_view text) {
    put.u16(0x0504);
    put.text(text);
  };
  if (track.codec == Codec::Opus) {
    registration("Opus");
    put.u24(0x7F0280); // the extension descriptor with the channel configuration
    put.u8(track.channels);
  } else if (track.codec == Codec::Ac3) {
    registration("AC-3");
  } else if (track.codec == Codec::Eac3) {
    registration("EAC3");
  } else if (track.codec == Codec::Hevc) {
    registration("HEVC");
  }
}

void put_timestamp(std::uint32_t prefix, std::int64_t time, flv::Writer &put) {
  const auto bits = static_cast<std::uint64_t>(time) & 0x1FFFFFFFF;
  put.u8(prefix << 4 | static_cast<std::uint32_t>(bits >> 30 & 7) << 1 | 1);
  put.u16(static_cast<std::uint32_t>(bits >> 15 & 0x7FFF) << 1 | 1);
  put.u16(static_cast<std::uint32_t>(bits & 0x7FFF) << 1 | 1);
}

class TsWriter final : public Writer {
public:
  void begin(const std::vector<Track> &tracks, std::optional<std::int64_t>, Output &out) override {
    tracks_ = tracks;
    configs_.clear();
    for (const Track &track : tracks_)
      configs_.push_back(parse_config(track.codec, track.config).value_or(NalConfig{}));
    counters_.assign(tracks.size(), 0);
    const auto video = std::ranges::find_if(tracks, is_video, &Track::codec);
    clock_track_ = video == tracks.end() ? 0 : static_cast<std::size_t>(video - tracks.begin());
    has_video_ = video != tracks.end();
    put_tables(out);
    tables_at_.reset();
  }

  bool write(const Sample &sample, Output &out) override {
    const std::int64_t dts = to_90khz(sample.dts) + 2 * kLead;
    const bool joins = sample.key && sample.track == clock_track_;
    if ((joins && has_video_) || !tables_at_ || dts - *tables_at_ >= kTableInterval) {
      put_tables(out);
      tables_at_ = dts;
    }
    const bool has_clock = sample.track == clock_track_;
    if (!has_clock && clock_at_ && dts - *clock_at_ >= kClockInterval)
      put_clock_packet(dts, out);
    fill_pes(sample, dts);
    put_pes(sample.track, sample.key, has_clock ? std::optional(dts) : std::nullopt, out);
    return joins;
  }

  bool add(const Track &, Output &) override { return false; }
  void change(std::size_t index, const Track &track, Output &) override {
    tracks_[index] = track;
    configs_[index] = parse_config(track.codec, tracks_[index].config).value_or(NalConfig{});
  }

  void end(Output &) override {}

private:
  void put_tables(Output &out) {
    constexpr std::uint32_t kProgram = 1;
    std::vector<std::uint8_t> pat;
    flv::Writer put(pat);
    put.u16(kProgram);
    put.u16(0xE000 | kPmtPid);
    put_section(kPatPid, 0, pat, pat_counter_, out);
    std::vector<std::uint8_t> pmt;
    flv::Writer map(pmt);
    map.u16(0xE000 | pid_of(clock_track_));
    map.u16(0xF000);
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      std::vector<std::uint8_t> descriptors;
      put_descriptors(tracks_[i], descriptors);
      map.u8(stream_type(tracks_[i].codec));
      map.u16(0xE000 | pid_of(i));
      map.u16(0xF000 | static_cast<std::uint32_t>(descriptors.size()));
      map.bytes(descriptors);
    }
    put_section(kPmtPid, 2, pmt, pmt_counter_, out);
  }

  // A section fits one packet: a program of more than 15 tracks is not written.
  static void put_section(std::uint32_t pid, std::uint32_t table, flv::Bytes content,
                          std::uint8_t &counter, Output &out) {
    constexpr std::size_t kAfterLength = 5;
    constexpr std::size_t kCrc = 4;
    std::vector<std::uint8_t> section;
    flv::Writer put(section);
    put.u8(table);
    put.u16(0xB000 | static_cast<std::uint32_t>(kAfterLength + content.size() + kCrc));
    put.u16(1); // the transport stream, or the program
    put.u24(0xC10000);
    put.bytes(content);
    put.u32(crc_of(section));
    if (section.size() + 1 > kPayload)
      return;
    flv::Writer packet(out);
    packet.u8(0x47);
    packet.u16(0x4000 | pid);
    packet.u8(0x10U | counter);
    counter = (counter + 1) & 15;
    packet.u8(0);
    packet.bytes(section);
    out.insert(out.end(), kPayload - 1 - section.size(), 0xFF);
  }

  static std::uint32_t pid_of(std::size_t track) {
    return kFirstPid + static_cast<std::uint32_t>(track);
  }

  void fill_pes(const Sample &sample, std::int64_t dts) {
    const Track &track = tracks_[sample.track];
    const std::int64_t pts = to_90khz(sample.pts) + 2 * kLead;
    const bool video = is_video(track.codec);
    payload_.clear();
    flv::Writer payload(payload_);
    if (video) {
      append_byte_stream(track, configs_[sample.track], sample.data, sample.key, payload_);
    } else {
      if (track.codec == Codec::Aac)
        put_adts(track, sample.data.size(), payload);
      else if (track.codec == Codec::Opus)
        put_opus_header(sample.data.size(), payload);
      payload.bytes(sample.data);
    }
    const bool has_dts = pts != dts;
    const std::uint32_t header = has_dts ? 10 : 5;
    const std::size_t size = 3 + header + payload_.size();
    pes_.clear();
    flv::Writer put(pes_);
    put.u24(1);
    put.u8(pes_id(track.codec));
    put.u16(video || size > 0xFFFF ? 0 : static_cast<std::uint32_t>(size));
    put.u8(0x84); // the payload starts with an access unit
    put.u8(has_dts ? 0xC0 : 0x80);
    put.u8(header);
    put_timestamp(has_dts ? 3 : 2, pts, put);
    if (has_dts)
      put_timestamp(1, dts, put);
    put.bytes(payload_);
  }

  // The content of an adaptation field: flags and the clock reference.
  static void put_adaptation(bool key, std::optional<std::int64_t> dts,
                             std::vector<std::uint8_t> &out) {
    flv::Writer put(out);
    put.u8((key ? 0x40U : 0U) | (dts ? 0x10U : 0U));
    if (!dts)
      return;
    const auto base = static_cast<std::uint64_t>(*dts - kLead) & 0x1FFFFFFFF;
    put.u32(static_cast<std::uint32_t>(base >> 1));
    put.u16(static_cast<std::uint32_t>(base & 1) << 15 | 0x7E00);
  }

  void put_pes(std::size_t track, bool key, std::optional<std::int64_t> clock, Output &out) {
    std::vector<std::uint8_t> adaptation;
    if (key || clock)
      put_adaptation(key, clock, adaptation);
    if (clock)
      clock_at_ = clock;
    flv::Bytes rest = pes_;
    for (bool first = true; !rest.empty(); first = false) {
      // The adaptation field has a length byte, its content, and stuffing.
      const std::size_t used = adaptation.empty() ? 0 : adaptation.size() + 1;
      const std::size_t size = std::min(rest.size(), kPayload - used);
      const std::size_t field = kPayload - size;
      flv::Writer put(out);
      put.u8(0x47);
      put.u16((first ? 0x4000U : 0U) | pid_of(track));
      put.u8((field > 0 ? 0x30U : 0x10U) | counters_[track]);
      counters_[track] = (counters_[track] + 1) & 15;
      if (field > 0) {
        put.u8(static_cast<std::uint32_t>(field - 1));
        if (field > 1 && adaptation.empty())
          adaptation.push_back(0);
        put.bytes(adaptation);
        if (field > adaptation.size() + 1)
          out.insert(out.end(), field - 1 - adaptation.size(), 0xFF);
      }
      put.bytes(rest.first(size));
      rest = rest.subspan(size);
      adaptation.clear();
    }
  }

  // Between pictures that are far apart. It has no payload, so the counter stays.
  void put_clock_packet(std::int64_t dts, Output &out) {
    std::vector<std::uint8_t> adaptation;
    put_adaptation(false, dts, adaptation);
    flv::Writer put(out);
    put.u8(0x47);
    put.u16(pid_of(clock_track_));
    put.u8(0x20U | ((counters_[clock_track_] + 15U) & 15U));
    put.u8(static_cast<std::uint32_t>(kPayload - 1));
    put.bytes(adaptation);
    out.insert(out.end(), kPayload - 1 - adaptation.size(), 0xFF);
    clock_at_ = dts;
  }

  std::vector<Track> tracks_;
  std::vector<NalConfig> configs_; // point into tracks_
  std::vector<std::uint8_t> counters_;
  std::uint8_t pat_counter_ = 0;
  std::uint8_t pmt_counter_ = 0;
  std::size_t clock_track_ = 0;
  bool has_video_ = false;
  std::optional<std::int64_t> tables_at_; // 90 kHz
  std::optional<std::int64_t> clock_at_;  // 90 kHz
  std::vector<std::uint8_t> payload_;     // of the current sample
  std::vector<std::uint8_t> pes_;
};

} // namespace

std::unique_ptr<Writer> make_ts_writer() {
  return std::make_unique<TsWriter>();
}

} // namespace remux
