// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream.h"

#include <algorithm>
#include <cstdint>

#include "flv/format/tag.h"

namespace {

constexpr double kFrameMs = 1000.0 / 30;
constexpr double kSamplesMs = 1024 * 1000.0 / 44100; // of an AAC frame
constexpr std::size_t kGop = 60;
constexpr double kKeyFrameWeight = 6; // times the size of another frame
constexpr double kAudioMbit = 0.128;

std::size_t bytes_of(double mbit, double ms) {
  return static_cast<std::size_t>(mbit * ms * 125);
}

void append_tag(Stream &stream, flv::TagType type, double time, std::size_t size, bool key) {
  std::vector<std::uint8_t> data(std::max<std::size_t>(size, 16) - 15, 0x55); // 15: the headers
  const bool video = type == flv::TagType::Video;
  data[0] = video ? key ? 0x17 : 0x27 : 0xAF;
  if (data.size() > 1)
    data[1] = 1;
  flv::append_tag(stream.bytes, type, static_cast<std::uint32_t>(time), data);
  stream.tags.push_back({stream.bytes.size(), time});
}

} // namespace

Stream make_stream(double mbit, double ms) {
  Stream stream;
  const auto header = flv::write_file_header({.has_audio = true, .has_video = true});
  stream.bytes.assign(header.begin(), header.end());
  const double video = std::max(mbit - kAudioMbit, 0.0);
  const double weight = kGop / (kGop - 1 + kKeyFrameWeight);
  const auto inter =
      static_cast<std::size_t>(static_cast<double>(bytes_of(video, kFrameMs)) * weight);
  const auto key = static_cast<std::size_t>(static_cast<double>(inter) * kKeyFrameWeight);
  const std::size_t audio = bytes_of(std::min(mbit, kAudioMbit), kSamplesMs);
  for (std::size_t frame = 0, samples = 0;;) {
    const double video_time = static_cast<double>(frame) * kFrameMs;
    const double audio_time = static_cast<double>(samples) * kSamplesMs;
    if (std::min(video_time, audio_time) > ms)
      return stream;
    if (video_time <= audio_time) {
      const bool is_key = frame++ % kGop == 0;
      append_tag(stream, flv::TagType::Video, video_time, is_key ? key : inter, is_key);
    } else {
      ++samples;
      append_tag(stream, flv::TagType::Audio, audio_time, audio, false);
    }
  }
}
