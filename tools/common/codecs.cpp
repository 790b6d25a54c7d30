// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the codecs in MP4, Matroska and MPEG-TS. Parses only the parts that name the codecs.
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "container.h"

namespace tools {

namespace {

constexpr int kMaxElements = 4096; // the maximum of elements or packets read from a file
constexpr std::size_t kMaxText = 64;

struct Known {
  std::string_view id;
  Track track;
  const char *name;
  bool fits_flv;
};

constexpr std::array kSampleEntries{
    Known{"avc1", Track::Video, "H.264", true},   Known{"avc3", Track::Video, "H.264", true},
    Known{"hvc1", Track::Video, "HEVC", false},   Known{"hev1", Track::Video, "HEVC", false},
    Known{"dvh1", Track::Video, "HEVC", false},   Known{"dvhe", Track::Video, "HEVC", false},
    Known{"av01", Track::Video, "AV1", false},    Known{"vp08", Track::Video, "VP8", false},
    Known{"vp09", Track::Video, "VP9", false},    Known{"mp4v", Track::Video, "MPEG-4", false},
    Known{"apcn", Track::Video, "ProRes", false}, Known{"mp4a", Track::Audio, "AAC", true},
    Known{".mp3", Track::Audio, "MP3", true},     Known{"Opus", Track::Audio, "Opus", false},
    Known{"ac-3", Track::Audio, "AC-3", false},   Known{"ec-3", Track::Audio, "E-AC-3", false},
    Known{"fLaC", Track::Audio, "FLAC", false},   Known{"alac", Track::Audio, "ALAC", false},
    Known{"sowt", Track::Audio, "PCM", false},    Known{"twos", Track::Audio, "PCM", false},
};

constexpr std::array kMatroskaCodecs{
    Known{"V_MPEG4/ISO/AVC", Track::Video, "H.264", true},
    Known{"V_MPEGH/ISO/HEVC", Track::Video, "HEVC", false},
    Known{"V_MPEG4", Track::Video, "MPEG-4", false},
    Known{"V_MPEG2", Track::Video, "MPEG-2", false},
    Known{"V_AV1", Track::Video, "AV1", false},
    Known{"V_VP8", Track::Video, "VP8", false},
    Known{"V_VP9", Track::Video, "VP9", false},
    Known{"A_AAC", Track::Audio, "AAC", true},
    Known{"A_MPEG/L3", Track::Audio, "MP3", true},
    Known{"A_OPUS", Track::Audio, "Opus", false},
    Known{"A_VORBIS", Track::Audio, "Vorbis", false},
    Known{"A_AC3", Track::Audio, "AC-3", false},
    Known{"A_EAC3", Track::Audio, "E-AC-3", false},
    Known{"A_DTS", Track::Audio, "DTS", false},
    Known{"A_FLAC", Track::Audio, "FLAC", false},
    Known{"A_PCM", Track::Audio, "PCM", false},
};

// Tracks of subtitles, timecodes and hints, which a conversion leaves out.
constexpr std::array<std::string_view, 9> kIgnored{"tx3g", "wvtt", "stpp", "c608", "tmcd",
                                                   "text", "mp4s", "mett", "rtp "};

struct StreamType {
  std::uint8_t type;
  Track track;
  const char *name;
  bool fits_flv;
};

constexpr std::array kStreamTypes{
    StreamType{0x01, Track::Video, "MPEG-1", false},
    StreamType{0x02, Track::Video, "MPEG-2", false},
    StreamType{0x10, Track::Video, "MPEG-4", false},
    StreamType{0x1B, Track::Video, "H.264", true},
    StreamType{0x24, Track::Video, "HEVC", false},
    StreamType{0x33, Track::Video, "VVC", false},
    StreamType{0x03, Track::Audio, "MPEG audio", false},
    StreamType{0x04, Track::Audio, "MPEG audio", false},
    StreamType{0x0F, Track::Audio, "AAC", true},
    StreamType{0x11, Track::Audio, "AAC", true},
    StreamType{0x81, Track::Audio, "AC-3", false},
    StreamType{0x87, Track::Audio, "E-AC-3", false},
};

// A big-endian number; nullopt: the source ends before it.
std::optional<std::uint64_t> load(const ByteSource &source, std::uint64_t offset,
                                  std::size_t size) {
  std::array<std::uint8_t, 8> bytes{};
  const auto part = std::span(bytes).first(size);
  if (source.read(offset, part) < size)
    return std::nullopt;
  std::uint64_t value = 0;
  for (const std::uint8_t byte : part)
    value = value << 8 | byte;
  return value;
}

std::string load_text(const ByteSource &source, std::uint64_t offset, std::size_t size) {
  std::string text(std::min(size, kMaxText), '\0');
  text.resize(source.read(offset, {reinterpret_cast<std::uint8_t *>(text.data()), text.size()}));
  return text;
}

// A box of MP4, or an element of Matroska.
struct Element {
  std::uint64_t id = 0;
  std::uint64_t begin = 0; // of the content
  std::uint64_t end = 0;
};

constexpr std::uint64_t kNoEnd = UINT64_MAX / 2;

std::optional<Element> box_at(const ByteSource &source, std::uint64_t offset, std::uint64_t end) {
  constexpr std::uint64_t kShort = 8;
  constexpr std::uint64_t kLong = 16;
  const auto size = load(source, offset, 4);
  const auto type = load(source, offset + 4, 4);
  if (!size || !type)
    return std::nullopt;
  std::uint64_t length = *size;
  std::uint64_t header = kShort;
  if (length == 1) {
    length = load(source, offset + kShort, 8).value_or(0);
    header = kLong;
  } else if (length == 0) {
    length = end - offset;
  }
  if (length < header || length > end - offset)
    return std::nullopt;
  return Element{*type, offset + header, offset + length};
}

constexpr std::uint64_t type_of(std::string_view name) {
  std::uint64_t type = 0;
  for (const char c : name)
    type = type << 8 | static_cast<std::uint8_t>(c);
  return type;
}

Codec matroska_codec(const std::string &id) {
  for (const Known &known : kMatroskaCodecs) {
    if (id.starts_with(known.id))
      return {known.track, known.name, known.fits_flv};
  }
  return {id.starts_with("A_") ? Track::Audio : Track::Video, id.substr(0, id.find('\0')), false};
}

class Mp4 {
public:
  explicit Mp4(const ByteSource &source) : source_(source) {}

  std::vector<Codec> codecs() {
    walk(0, kNoEnd);
    return std::move(codecs_);
  }

private:
  static bool holds_boxes(std::uint64_t type) {
    for (const char *name : {"moov", "trak", "mdia", "minf", "stbl"}) {
      if (type == type_of(name))
        return true;
    }
    return false;
  }

  // holds_boxes() has five boxes, which are nested. So the maximum depth is five.
  void walk(std::uint64_t offset, std::uint64_t end) {
    while (offset < end && ++elements_ < kMaxElements) {
      const auto box = box_at(source_, offset, end);
      if (!box)
        return;
      if (box->id == type_of("stsd"))
        note_entry(*box);
      else if (holds_boxes(box->id) && depth_ < 5) {
        ++depth_;
        walk(box->begin, box->end);
        --depth_;
      }
      offset = box->end;
    }
  }

  // Reads the first sample entry. The version, the flags and a count come before it.
  void note_entry(const Element &box) {
    const auto entry = box_at(source_, box.begin + 8, box.end);
    if (!entry)
      return;
    const std::string name = load_text(source_, box.begin + 12, 4);
    const auto known = std::find_if(kSampleEntries.begin(), kSampleEntries.end(),
                                    [&](const Known &one) { return one.id == name; });
    if (known == kSampleEntries.end()) {
      if (std::find(kIgnored.begin(), kIgnored.end(), name) == kIgnored.end())
        codecs_.push_back({Track::Other, name, false});
      return;
    }
    const bool is_other = known->id == "mp4a" && is_mp3(*entry);
    codecs_.push_back({known->track, is_other ? "MP3" : known->name, known->fits_flv});
  }

  // Reads the object type in the descriptors of the esds box. A descriptor's length takes one byte
  // or four.
  [[nodiscard]] bool is_mp3(const Element &entry) const {
    const std::string bytes =
        load_text(source_, entry.begin + 28, static_cast<std::size_t>(entry.end - entry.begin));
    const std::size_t esds = bytes.find("esds");
    if (esds == std::string::npos)
      return false;
    for (std::size_t at = esds + 8; at + 2 < bytes.size(); ++at) {
      if (bytes[at] != 4)
        continue;
      const std::size_t object = at + (bytes[at + 1] == '\x80' ? 5 : 2);
      return object < bytes.size() && (bytes[object] == 0x69 || bytes[object] == 0x6B);
    }
    return false;
  }

  const ByteSource &source_;
  std::vector<Codec> codecs_;
  int elements_ = 0;
  int depth_ = 0;
};

// The leading zero bits of a Matroska number determine its length in bytes.
std::size_t length_of_number(std::uint64_t first) {
  std::size_t length = 1;
  for (std::uint64_t bit = 0x80; bit != 0 && (first & bit) == 0; bit >>= 1)
    ++length;
  return length;
}

std::optional<Element> element_at(const ByteSource &source, std::uint64_t offset,
                                  std::uint64_t end) {
  constexpr std::size_t kLongest = 8;
  const std::size_t id_size = length_of_number(load(source, offset, 1).value_or(0));
  if (id_size > 4)
    return std::nullopt;
  const auto id = load(source, offset, id_size);
  const std::uint64_t behind = offset + id_size;
  const std::size_t size_size = length_of_number(load(source, behind, 1).value_or(0));
  if (!id || size_size > kLongest)
    return std::nullopt;
  const std::uint64_t mask = (std::uint64_t{1} << 7 * size_size) - 1;
  const std::uint64_t size = load(source, behind, size_size).value_or(0) & mask;
  const std::uint64_t begin = behind + size_size;
  // A size with all bits set is unknown: the element extends to the end of its parent.
  if (begin > end || (size != mask && size > end - begin))
    return std::nullopt;
  return Element{*id, begin, size == mask ? end : begin + size};
}

} // namespace

std::vector<Codec> codecs_of_mp4(const ByteSource &source) {
  return Mp4(source).codecs();
}

std::vector<Codec> codecs_of_matroska(const ByteSource &source) {
  constexpr std::uint64_t kSegment = 0x18538067;
  constexpr std::uint64_t kTracks = 0x1654AE6B;
  constexpr std::uint64_t kTrackEntry = 0xAE;
  constexpr std::uint64_t kCodecId = 0x86;
  std::vector<Codec> codecs;
  std::uint64_t offset = 0;
  for (int elements = 0; elements < kMaxElements; ++elements) {
    const auto element = element_at(source, offset, kNoEnd);
    if (!element)
      break;
    if (element->id == kCodecId) {
      const std::string id = load_text(source, element->begin,
                                       static_cast<std::size_t>(element->end - element->begin));
      if (id.starts_with("V_") || id.starts_with("A_"))
        codecs.push_back(matroska_codec(id));
    }
    const bool enter =
        element->id == kSegment || element->id == kTracks || element->id == kTrackEntry;
    offset = enter ? element->begin : element->end;
  }
  return codecs;
}

namespace {

constexpr std::size_t kPacket = 188;
using Packet = std::array<std::uint8_t, kPacket>;

std::size_t u12(std::span<const std::uint8_t> bytes, std::size_t at) {
  return (std::size_t{bytes[at]} << 8 | bytes[at + 1]) & 0x0FFF;
}

std::size_t pid_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return (std::size_t{bytes[at]} << 8 | bytes[at + 1]) & 0x1FFF;
}

// The section of a table that begins in this packet, without the part in later packets.
std::span<const std::uint8_t> section_of(const Packet &packet, std::uint8_t table,
                                         std::size_t head) {
  constexpr std::size_t kChecksum = 4;
  const bool starts = (packet[1] & 0x40) != 0;
  std::size_t at = 4;
  if ((packet[3] & 0x20) != 0)
    at += std::size_t{1} + packet[4];
  if (!starts || at >= kPacket)
    return {};
  at += std::size_t{1} + packet[at]; // the pointer field
  if (at + head > kPacket || packet[at] != table)
    return {};
  const std::size_t end = std::min(kPacket, at + 3 + u12(packet, at + 1) - kChecksum);
  return end >= at + head ? std::span(packet).subspan(at, end - at) : std::span(packet).first(0);
}

// The PID of the first program's map table.
std::optional<std::size_t> program_pid(const Packet &packet) {
  constexpr std::size_t kHead = 8;
  const auto section = section_of(packet, 0, kHead);
  for (std::size_t at = kHead; at + 4 <= section.size(); at += 4) {
    if (section[at] != 0 || section[at + 1] != 0)
      return pid_at(section, at + 2);
  }
  return std::nullopt;
}

std::vector<Codec> codecs_of_program(const Packet &packet) {
  constexpr std::size_t kHead = 12;
  const auto section = section_of(packet, 2, kHead);
  std::vector<Codec> codecs;
  if (section.empty())
    return codecs;
  for (std::size_t at = kHead + u12(section, 10); at + 5 <= section.size();
       at += 5 + u12(section, at + 3)) {
    for (const StreamType &known : kStreamTypes) {
      if (known.type == section[at])
        codecs.push_back({known.track, known.name, known.fits_flv});
    }
  }
  return codecs;
}

} // namespace

std::vector<Codec> codecs_of_transport_stream(const ByteSource &source) {
  std::optional<std::size_t> program;
  Packet packet{};
  for (std::uint64_t i = 0; i < kMaxElements; ++i) {
    if (source.read(i * kPacket, packet) < kPacket)
      break;
    const std::size_t pid = pid_at(packet, 1);
    if (pid == 0 && !program)
      program = program_pid(packet);
    if (program != pid)
      continue;
    if (auto codecs = codecs_of_program(packet); !codecs.empty())
      return codecs;
  }
  return {};
}

} // namespace tools
