// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is read as a file header, as a tag header, and as the data of a tag of any type.
#include "fuzz.h"

#include "flv/stream/stream_header.h"
#include "flvbuild.h"

using namespace flv;
using flvtest::Buffer;

namespace {

void check_file_header(Bytes input) {
  if (input.size() < kFileHeaderSize)
    return;
  FileHeader header;
  const Fault fault = read_file_header(input.data(), header);
  REQUIRE(!describe(fault).empty());
  if (fault.kind != Fault::Kind::None)
    return;
  REQUIRE(header.size >= kFileHeaderSize && header.size <= kMaxFileHeaderSize);
  const auto written = write_file_header(header);
  FileHeader again;
  REQUIRE(read_file_header(written.data(), again).kind == Fault::Kind::None);
  REQUIRE(again.version == header.version && again.has_audio == header.has_audio &&
          again.has_video == header.has_video && again.size == kFileHeaderSize);
}

void check_tag_header(Bytes input) {
  if (input.size() < kTagHeaderSize)
    return;
  TagHeader header;
  const Fault fault = read_tag_header(input.data(), kMaxDataSize, header);
  REQUIRE(!describe(fault).empty());
  if (fault.kind != Fault::Kind::None)
    return;
  constexpr std::uint8_t kReserved = 0xC0;
  const auto written = write_tag_header(header);
  REQUIRE(written[0] == (input[0] & ~kReserved));
  REQUIRE(std::equal(written.begin() + 1, written.end(), input.begin() + 1));
}

// Truncated data never gives a different role or additional tracks.
void check_classification(TagType type, Bytes data) {
  const TagInfo info = classify(type, data);
  const TrackSet tracks = tracks_of(type, data);
  REQUIRE(info.multitrack || tracks == TrackSet(1));
  REQUIRE(!info.multitrack || info.enhanced);
  REQUIRE(!video_codec_name(info.codec).empty() && !audio_codec_name(info.codec).empty());
  for (std::size_t size = 0; size < std::min<std::size_t>(data.size(), 64); ++size) {
    const Bytes part = data.first(size);
    const Role role = classify(type, part).role;
    REQUIRE(role == info.role ||
            role == (size == 0 && role != Role::Script ? Role::Empty : Role::Media));
    const TrackSet some = tracks_of(type, part);
    REQUIRE((some & ~tracks).none() || some == TrackSet(1));
  }
}

// A change that is recorded once is not a change again.
void check_head(TagType type, Bytes data) {
  Buffer tag;
  append_tag(tag, type, 0, data);
  const TagHeader header{.type = type, .data_size = static_cast<std::uint32_t>(data.size())};
  const TagInfo info = classify(type, data);
  StreamHeader head;
  const StreamHeader::Change first = head.note(header, info, tag);
  REQUIRE(first != StreamHeader::Change::Repeated);
  REQUIRE(head.parts().size() == (first == StreamHeader::Change::Changed));
  REQUIRE(head.note(header, info, tag) == (first == StreamHeader::Change::Changed
                                               ? StreamHeader::Change::Repeated
                                               : StreamHeader::Change::None));
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const Bytes input(data, size);
  check_file_header(input);
  check_tag_header(input);
  for (const TagType type :
       {TagType::Audio, TagType::Video, TagType::ScriptAmf3, TagType::Script}) {
    check_classification(type, input);
    check_head(type, input);
  }
  return 0;
}
