// SPDX-License-Identifier: LGPL-2.1-or-later
// Ogg (RFC 3533) with one track of Opus (RFC 7845), Vorbis or FLAC. One page for each packet, so
// that it leaves at once.
#include "writer.h"

#include <optional>

#include <algorithm>
#include <string_view>

#include "audio_frames.h"

namespace remux {

namespace {

constexpr std::size_t kChecksumAt = 22;
constexpr std::uint8_t kFirstPage = 2;
constexpr std::uint8_t kLastPage = 4;
constexpr std::uint8_t kContinued = 1;

std::uint32_t checksum(flv::Bytes bytes) {
  std::uint32_t crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc ^= std::uint32_t{byte} << 24;
    for (int bit = 0; bit < 8; ++bit)
      crc = crc << 1 ^ ((crc & 0x80000000) != 0 ? 0x04C11DB7U : 0U);
  }
  return crc;
}

void put_le(std::vector<std::uint8_t> &out, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i)
    out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

std::vector<std::uint8_t> comment(std::string_view magic) {
  constexpr std::string_view kVendor = "gst-flv-streaming";
  std::vector<std::uint8_t> out(magic.begin(), magic.end());
  put_le(out, kVendor.size(), 4);
  out.insert(out.end(), kVendor.begin(), kVendor.end());
  put_le(out, 0, 4);
  return out;
}

class OggWriter final : public Writer {
public:
  void begin(const std::vector<Track> &tracks, std::optional<std::int64_t>, Output &out) override {
    if (tracks.empty())
      return;
    track_ = tracks.front();
    durations_ = PacketDurations(track_);
    std::uint8_t flags = kFirstPage;
    for (const auto &packet : headers()) {
      put_packet(packet, flags, 0, out);
      flags = 0;
    }
  }

  bool write(const Sample &sample, Output &out) override {
    // Held, because the last page of the stream is marked.
    flush(0, out);
    position_ += durations_.samples_of(sample.data);
    held_.assign(sample.data.begin(), sample.data.end());
    return true;
  }

  bool add(const Track &, Output &) override { return false; }
  void change(std::size_t, const Track &, Output &) override {}

  void end(Output &out) override { flush(kLastPage, out); }

private:
  void flush(std::uint8_t flags, Output &out) {
    if (!held_.empty())
      put_packet(held_, flags, position_, out);
    held_.clear();
  }

  [[nodiscard]] std::vector<std::vector<std::uint8_t>> headers() const {
    switch (track_.codec) {
    case Codec::Opus:
      return {track_.config, comment("OpusTags")};
    case Codec::Vorbis:
      return split_xiph(track_.config);
    default:
      return flac_headers();
    }
  }

  // The mapping of FLAC to Ogg, version 1.0.
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> flac_headers() const {
    std::vector<std::uint8_t> first = {0x7F, 'F', 'L', 'A', 'C', 1, 0, 0, 1};
    first.insert(first.end(), track_.config.begin(), track_.config.end());
    constexpr std::size_t kLastFlagAt = 13;
    if (first.size() > kLastFlagAt)
      first[kLastFlagAt] &= 0x7F; // another block follows
    const std::vector<std::uint8_t> text = comment("");
    std::vector<std::uint8_t> block = {0x84, 0, 0, static_cast<std::uint8_t>(text.size())};
    block.insert(block.end(), text.begin(), text.end());
    return {first, block};
  }

  // A page has at most 255 segments of at most 255 bytes.
  void put_packet(flv::Bytes packet, std::uint8_t flags, std::uint64_t position, Output &out) {
    constexpr std::size_t kSegment = 255;
    constexpr std::size_t kMostSegments = 255;
    std::size_t segments = packet.size() / kSegment + 1;
    for (std::uint8_t continued = 0; segments > 0; continued = kContinued) {
      const std::size_t count = std::min(segments, kMostSegments);
      segments -= count;
      const bool ends = segments == 0;
      const std::size_t size = ends ? packet.size() : count * kSegment;
      std::vector<std::uint8_t> page = {'O', 'g', 'g', 'S', 0};
      page.push_back(static_cast<std::uint8_t>(flags | continued));
      put_le(page, ends ? position : UINT64_MAX, 8);
      put_le(page, 1, 4); // the serial number
      put_le(page, sequence_++, 4);
      put_le(page, 0, 4);
      page.push_back(static_cast<std::uint8_t>(count));
      page.insert(page.end(), count - 1, kSegment);
      page.push_back(static_cast<std::uint8_t>(ends ? size - (count - 1) * kSegment : kSegment));
      page.insert(page.end(), packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
      const std::uint32_t crc = checksum(page);
      for (std::size_t i = 0; i < 4; ++i)
        page[kChecksumAt + i] = static_cast<std::uint8_t>(crc >> (8 * i));
      out.insert(out.end(), page.begin(), page.end());
      packet = packet.subspan(size);
    }
  }

  Track track_;
  PacketDurations durations_;
  std::vector<std::uint8_t> held_;
  std::uint64_t position_ = 0; // samples up to the end of held_
  std::uint32_t sequence_ = 0;
};

} // namespace

std::unique_ptr<Writer> make_ogg_writer() {
  return std::make_unique<OggWriter>();
}

} // namespace remux
