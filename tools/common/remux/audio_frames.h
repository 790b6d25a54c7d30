// SPDX-License-Identifier: LGPL-2.1-or-later
// Durations of audio packets, and headers of audio codecs.
#pragma once

#include <cstdint>
#include <vector>

#include "track.h"

namespace remux {

// Counts the samples of the packets of Opus (at 48 kHz), Vorbis and FLAC.
class PacketDurations {
public:
  PacketDurations() = default;
  explicit PacketDurations(const Track &track);

  // 0 if the packet is not valid.
  [[nodiscard]] std::uint64_t samples_of(flv::Bytes packet);

private:
  [[nodiscard]] std::uint64_t samples_of_vorbis(flv::Bytes packet);

  Codec codec_ = Codec::Opus;
  std::uint32_t block_sizes_[2] = {0, 0}; // Vorbis: short and long
  std::vector<bool> mode_is_long_;        // Vorbis: of each mode
  std::uint32_t last_block_ = 0;
};

[[nodiscard]] std::uint64_t samples_of_opus(flv::Bytes packet);

// Splits Xiph lacing, which Matroska has for the headers of Vorbis. Empty: it is not valid.
[[nodiscard]] std::vector<std::vector<std::uint8_t>> split_xiph(flv::Bytes bytes);
[[nodiscard]] std::vector<std::uint8_t> join_xiph(const std::vector<flv::Bytes> &packets);

// The identification header of Opus (RFC 7845, 5.1) for up to two channels.
[[nodiscard]] std::vector<std::uint8_t> opus_head(std::uint32_t channels, std::uint32_t rate,
                                                  std::uint32_t pre_skip);

// ns of decoded audio to skip at the start. 0 for other codecs than Opus.
[[nodiscard]] std::int64_t codec_delay(const Track &track);

// The rate and the channels of an AudioSpecificConfig.
void read_aac_config(flv::Bytes config, Track &track);
// The rate and the channels in an MPEG audio frame header.
void read_mpeg_audio(flv::Bytes frame, Track &track);

// Whether the frame has no sound, but the length of the file: Xing, Info or VBRI.
[[nodiscard]] bool is_mp3_info(flv::Bytes frame);

// The VPCodecConfigurationRecord for a key frame of VP8 or VP9. Empty: it is not a key frame.
[[nodiscard]] std::vector<std::uint8_t> vp_config(Codec codec, flv::Bytes frame);

} // namespace remux
