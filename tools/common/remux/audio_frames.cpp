// SPDX-License-Identifier: LGPL-2.1-or-later
#include "audio_frames.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace remux {

namespace {

// Reads bits from the last one of a packet backwards, as the modes of Vorbis are found.
class BackwardBits {
public:
  explicit BackwardBits(flv::Bytes data) : data_(data), left_(data.size() * 8) {}

  [[nodiscard]] std::size_t left() const { return left_; }
  std::uint32_t read(std::size_t count) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count && left_ > 0; ++i) {
      --left_;
      value = value << 1 | (data_[left_ / 8] >> (left_ % 8) & 1U);
    }
    return value;
  }
  void back(std::size_t count) { left_ += count; }

private:
  flv::Bytes data_;
  std::size_t left_;
};

constexpr std::size_t kModeBits = 1 + 16 + 16 + 8;

// The setup header ends with the count of the modes, the modes, and a framing bit. A mode is a flag
// for the block size, two zeros of 16 bits, and a mapping. No code in front of them looks like the
// right count of modes.
std::vector<bool> read_modes(flv::Bytes setup) {
  constexpr std::size_t kMostModes = 64;
  BackwardBits bits(setup);
  while (bits.left() > 0 && bits.read(1) == 0) {
  }
  std::vector<bool> backwards;
  std::vector<bool> found;
  while (bits.left() > kModeBits && backwards.size() < kMostModes) {
    const std::uint32_t mapping = bits.read(8);
    const bool is_mode = mapping < kMostModes && bits.read(16) == 0 && bits.read(16) == 0;
    if (!is_mode)
      break;
    backwards.push_back(bits.read(1) != 0);
    constexpr std::size_t kCountBits = 6;
    const std::uint32_t count = bits.read(kCountBits) + 1;
    bits.back(kCountBits);
    if (count == backwards.size())
      found = backwards;
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::uint32_t bits_for(std::size_t count) {
  std::uint32_t bits = 0;
  while ((std::size_t{1} << bits) < count)
    ++bits;
  return bits;
}

constexpr std::array<std::uint32_t, 13> kAacRates = {
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350};

std::uint64_t samples_of_flac(flv::Bytes packet) {
  if (packet.size() < 5)
    return 0;
  const unsigned code = packet[2] >> 4;
  if (code == 1)
    return 192;
  if (code >= 2 && code <= 5)
    return std::uint64_t{576} << (code - 2);
  if (code >= 8)
    return std::uint64_t{256} << (code - 8);
  // The size follows the frame number, which is coded like UTF-8.
  std::size_t at = 5;
  for (unsigned bit = 0x40; (packet[4] & 0x80) != 0 && (packet[4] & bit) != 0; bit >>= 1)
    ++at;
  if (at + 2 > packet.size() || code == 0)
    return 0;
  return code == 6 ? packet[at] + std::uint64_t{1}
                   : flv::load_u16(packet.data() + at) + std::uint64_t{1};
}

} // namespace

PacketDurations::PacketDurations(const Track &track) : codec_(track.codec) {
  constexpr std::size_t kBlockSizesAt = 28;
  if (codec_ != Codec::Vorbis)
    return;
  const auto headers = split_xiph(track.config);
  if (headers.size() != 3 || headers[0].size() <= kBlockSizesAt)
    return;
  block_sizes_[0] = 1U << (headers[0][kBlockSizesAt] & 15);
  block_sizes_[1] = 1U << (headers[0][kBlockSizesAt] >> 4);
  mode_is_long_ = read_modes(headers[2]);
}

std::uint64_t PacketDurations::samples_of(flv::Bytes packet) {
  if (codec_ == Codec::Opus)
    return samples_of_opus(packet);
  return codec_ == Codec::Flac ? samples_of_flac(packet) : samples_of_vorbis(packet);
}

// A packet completes half of its own block and half of the block before it.
std::uint64_t PacketDurations::samples_of_vorbis(flv::Bytes packet) {
  if (packet.empty() || (packet[0] & 1) != 0 || mode_is_long_.empty())
    return 0;
  const std::size_t mode = packet[0] >> 1 & ((1U << bits_for(mode_is_long_.size())) - 1);
  if (mode >= mode_is_long_.size())
    return 0;
  const std::uint32_t block = block_sizes_[mode_is_long_[mode] ? 1 : 0];
  const std::uint32_t samples = last_block_ == 0 ? 0 : (last_block_ + block) / 4;
  last_block_ = block;
  return samples;
}

// RFC 6716, 3.1.
std::uint64_t samples_of_opus(flv::Bytes packet) {
  if (packet.empty())
    return 0;
  const unsigned config = packet[0] >> 3;
  std::uint64_t frame = 0;
  if (config < 12)
    frame = std::array<std::uint64_t, 4>{480, 960, 1920, 2880}[config & 3];
  else if (config < 16)
    frame = std::uint64_t{480} << (config & 1);
  else
    frame = std::uint64_t{120} << (config & 3);
  const unsigned code = packet[0] & 3;
  const std::uint64_t count = code == 0 ? 1 : code < 3 ? 2 : packet.size() > 1 ? packet[1] & 63 : 0;
  return frame * count;
}

std::vector<std::vector<std::uint8_t>> split_xiph(flv::Bytes bytes) {
  flv::Reader reader(bytes);
  std::uint8_t count = 0;
  if (!reader.u8(count))
    return {};
  std::vector<std::size_t> sizes(count);
  for (std::size_t &size : sizes) {
    std::uint8_t byte = 255;
    while (byte == 255) {
      if (!reader.u8(byte))
        return {};
      size += byte;
    }
  }
  std::vector<std::vector<std::uint8_t>> packets;
  for (std::size_t i = 0; i <= count; ++i) {
    flv::Bytes packet;
    if (!reader.bytes(i < count ? sizes[i] : reader.left(), packet))
      return {};
    packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

std::vector<std::uint8_t> join_xiph(const std::vector<flv::Bytes> &packets) {
  std::vector<std::uint8_t> out;
  if (packets.empty())
    return out;
  out.push_back(static_cast<std::uint8_t>(packets.size() - 1));
  for (std::size_t i = 0; i + 1 < packets.size(); ++i) {
    out.insert(out.end(), packets[i].size() / 255, 255);
    out.push_back(static_cast<std::uint8_t>(packets[i].size() % 255));
  }
  for (const flv::Bytes packet : packets)
    out.insert(out.end(), packet.begin(), packet.end());
  return out;
}

std::vector<std::uint8_t> opus_head(std::uint32_t channels, std::uint32_t rate,
                                    std::uint32_t pre_skip) {
  constexpr std::string_view kMagic = "OpusHead";
  std::vector<std::uint8_t> out(kMagic.begin(), kMagic.end());
  out.push_back(1);
  out.push_back(static_cast<std::uint8_t>(channels));
  for (int i = 0; i < 2; ++i)
    out.push_back(static_cast<std::uint8_t>(pre_skip >> (8 * i)));
  for (int i = 0; i < 4; ++i)
    out.push_back(static_cast<std::uint8_t>(rate >> (8 * i)));
  out.insert(out.end(), {0, 0, 0});
  return out;
}

std::int64_t codec_delay(const Track &track) {
  constexpr std::size_t kPreSkip = 10; // offset in the identification header, little-endian
  constexpr std::int64_t kRate = 48'000;
  if (track.codec != Codec::Opus || track.config.size() < kPreSkip + 2)
    return 0;
  const std::int64_t samples = track.config[kPreSkip] | track.config[kPreSkip + 1] << 8;
  return samples * 1'000'000'000 / kRate;
}

void read_aac_config(flv::Bytes config, Track &track) {
  if (config.size() < 2)
    return;
  const unsigned rate = (config[0] & 7U) << 1 | config[1] >> 7U;
  const unsigned channels = config[1] >> 3 & 15;
  if (rate < kAacRates.size())
    track.rate = kAacRates[rate];
  if (channels != 0)
    track.channels = channels == 7 ? 8 : channels;
}

void read_mpeg_audio(flv::Bytes frame, Track &track) {
  constexpr std::array<std::uint32_t, 3> kRates = {44100, 48000, 32000};
  if (frame.size() < 4 || frame[0] != 0xFF || (frame[1] & 0xE0) != 0xE0)
    return;
  const unsigned version = frame[1] >> 3 & 3; // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5
  const unsigned rate = frame[2] >> 2 & 3;
  if (rate < kRates.size())
    track.rate = kRates[rate] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
  track.channels = frame[3] >> 6 == 3 ? 1 : 2;
}

// They are behind the side information, whose size depends on the version and the channels.
bool is_mp3_info(flv::Bytes frame) {
  constexpr std::size_t kHeader = 4;
  constexpr std::size_t kVbriAt = 36;
  const std::string_view text(reinterpret_cast<const char *>(frame.data()), frame.size());
  for (const std::size_t side : {std::size_t{9}, std::size_t{17}, std::size_t{32}}) {
    const std::size_t at = kHeader + side;
    if (at < text.size() &&
        (text.substr(at).starts_with("Xing") || text.substr(at).starts_with("Info")))
      return true;
  }
  return kVbriAt < text.size() && text.substr(kVbriAt).starts_with("VBRI");
}

// VP9, 6.2: the uncompressed header. The level is not in the stream; 0 is "unknown".
std::vector<std::uint8_t> vp_config(Codec codec, flv::Bytes frame) {
  std::uint8_t profile = 0;
  std::uint8_t depth = 8;
  std::uint8_t chroma = 1; // 4:2:0, sited like MPEG-2
  std::uint8_t full_range = 0;
  if (frame.empty())
    return {};
  if (codec == Codec::Vp8) {
    if ((frame[0] & 1) != 0)
      return {};
  } else {
    if (frame.size() < 6 || frame[0] >> 6 != 2)
      return {};
    profile = static_cast<std::uint8_t>((frame[0] >> 5 & 1) | (frame[0] >> 3 & 2));
    if ((frame[0] & (profile == 3 ? 2 : 4)) != 0)
      return {};
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 6; ++i)
      bits = bits << 8 | frame[i];
    // Two bits of marker, the profile, three of flags (and one reserved for profile 3), 24 of sync.
    int at = 48 - (profile == 3 ? 9 : 8) - 24;
    const auto read = [&bits, &at](int count) {
      at -= count;
      return static_cast<std::uint8_t>(bits >> at & ((1U << count) - 1));
    };
    if (profile >= 2)
      depth = read(1) != 0 ? 12 : 10;
    constexpr std::uint8_t kRgb = 7;
    const bool is_rgb = read(3) == kRgb;
    full_range = is_rgb ? 1 : read(1);
    if (profile % 2 == 1)
      chroma = is_rgb ? 3 : read(1) == 0 ? 3 : 2;
  }
  constexpr std::uint8_t kUnspecified = 2;
  return {profile,
          0,
          static_cast<std::uint8_t>(depth << 4 | chroma << 1 | full_range),
          kUnspecified,
          kUnspecified,
          kUnspecified,
          0,
          0};
}

} // namespace remux
