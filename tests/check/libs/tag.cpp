// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/stream/stream_ids.h"

#include "checkrun.h"
#include "flvbuild.h"

using namespace flv;
using flvtest::Buffer;

namespace {

const struct {
  Buffer bytes;
  Fault fault;
  FileHeader header;
} kFileHeaders[] = {
    {{'F', 'L', 'V', 1, 5, 0, 0, 0, 9}, {}, {1, true, true, 9}},
    {{'F', 'L', 'V', 1, 4, 0, 0, 0, 9}, {}, {1, true, false, 9}},
    {{'F', 'L', 'V', 1, 1, 0, 0, 0, 9}, {}, {1, false, true, 9}},
    {{'F', 'L', 'V', 1, 0xFA, 0, 0, 0, 9}, {}, {1, false, false, 9}},
    {{'F', 'L', 'V', 4, 5, 0, 0, 4, 0}, {}, {4, true, true, 1024}},
    {{'F', 'L', 'v', 1, 5, 0, 0, 0, 9}, {Fault::Kind::Signature, 0x464C76}, {}},
    {{'R', 'I', 'F', 'F', 0, 0, 0, 0, 9}, {Fault::Kind::Signature, 0x524946}, {}},
    {{'F', 'L', 'V', 0, 5, 0, 0, 0, 9}, {Fault::Kind::Version, 0}, {}},
    {{'F', 'L', 'V', 5, 5, 0, 0, 0, 9}, {Fault::Kind::Version, 5}, {}},
    {{'F', 'L', 'V', 1, 5, 0, 0, 0, 8}, {Fault::Kind::HeaderLength, 8}, {}},
    {{'F', 'L', 'V', 1, 5, 0, 0, 4, 1}, {Fault::Kind::HeaderLength, 1025}, {}},
    {{'F', 'L', 'V', 1, 5, 255, 255, 255, 255}, {Fault::Kind::HeaderLength, 0xFFFFFFFF}, {}},
};

START_TEST(test_file_header) {
  const auto &row = ROW(kFileHeaders);
  FileHeader header;
  const Fault fault = read_file_header(row.bytes.data(), header);
  ck_assert(fault == row.fault);
  if (fault.kind != Fault::Kind::None)
    return;
  ck_assert_uint_eq(header.version, row.header.version);
  ck_assert_int_eq(header.has_audio, row.header.has_audio);
  ck_assert_int_eq(header.has_video, row.header.has_video);
  ck_assert_uint_eq(header.size, row.header.size);
}
END_TEST

START_TEST(test_write_file_header) {
  const auto bytes = write_file_header({.has_audio = true, .has_video = true, .size = 100});
  ck_assert_mem_eq(bytes.data(), "FLV\1\5\0\0\0\x09\0\0\0\0", 13);
  ck_assert_uint_eq(write_file_header({.has_audio = true})[4], 4);
  ck_assert_uint_eq(write_file_header({.has_video = true})[4], 1);
}
END_TEST

constexpr std::uint32_t kLimit = 1000;

const struct {
  Buffer bytes;
  Fault fault;
  TagHeader header;
} kTagHeaders[] = {
    {flvtest::tag_header(8, 5, 7), {}, {TagType::Audio, false, 5, 7}},
    {flvtest::tag_header(9, 0, 0), {}, {TagType::Video, false, 0, 0}},
    {flvtest::tag_header(15, kLimit, 0), {}, {TagType::ScriptAmf3, false, kLimit, 0}},
    {flvtest::tag_header(18, 1, 0x00FFFFFF), {}, {TagType::Script, false, 1, 0x00FFFFFF}},
    {flvtest::tag_header(9, 1, 0x01000000), {}, {TagType::Video, false, 1, 0x01000000}},
    {flvtest::tag_header(9, 1, 0xFEDCBA98), {}, {TagType::Video, false, 1, 0xFEDCBA98}},
    {flvtest::tag_header(0x28, 5, 7), {}, {TagType::Audio, true, 5, 7}},
    {flvtest::tag_header(0xC9, 5, 7), {}, {TagType::Video, false, 5, 7}},
    {flvtest::tag_header(0xF2, 5, 7), {}, {TagType::Script, true, 5, 7}},
    {flvtest::tag_header(0, 5, 7), {Fault::Kind::TagType, 0}, {}},
    {flvtest::tag_header(10, 5, 7), {Fault::Kind::TagType, 10}, {}},
    {flvtest::tag_header(0x1F, 5, 7), {Fault::Kind::TagType, 0x1F}, {}},
    {flvtest::tag_header(0xD8 | 1, 5, 7), {Fault::Kind::TagType, 0xD9}, {}},
    {flvtest::tag_header(8, 5, 7, 1), {}, {TagType::Audio, false, 5, 7, 1}},
    {flvtest::tag_header(8, 5, 7, 0x800000), {}, {TagType::Audio, false, 5, 7, 0x800000}},
    {flvtest::tag_header(8, kLimit + 1), {Fault::Kind::DataSize, kLimit + 1}, {}},
    {flvtest::tag_header(8, kMaxDataSize), {Fault::Kind::DataSize, kMaxDataSize}, {}},
};

START_TEST(test_tag_header) {
  const auto &row = ROW(kTagHeaders);
  TagHeader header;
  const Fault fault = read_tag_header(row.bytes.data(), kLimit, header);
  ck_assert(fault == row.fault);
  if (fault.kind != Fault::Kind::None)
    return;
  ck_assert(header == row.header);
  ck_assert_uint_eq(header.tag_size(), row.header.data_size + 11);
  // The written bytes are equal, except for the two reserved bits.
  Buffer bytes = row.bytes;
  bytes[0] &= 0x3F;
  const auto written = write_tag_header(header);
  ck_assert_mem_eq(written.data(), bytes.data(), kTagHeaderSize);
}
END_TEST

START_TEST(test_which_types_are_possible) {
  for (unsigned type = 0; type < 256; ++type) {
    const unsigned masked = type & 0x1F;
    const bool possible = masked == 8 || masked == 9 || masked == 15 || masked == 18;
    TagHeader header;
    const Buffer bytes = flvtest::tag_header(static_cast<std::uint8_t>(type), 1);
    const Fault fault = read_tag_header(bytes.data(), kMaxDataSize, header);
    ck_assert_int_eq(fault.kind == Fault::Kind::None, possible);
    if (possible)
      ck_assert_int_eq(header.is_script(), masked == 15 || masked == 18);
  }
}
END_TEST

START_TEST(test_store_timestamp) {
  const Buffer before = flvtest::tag_header(9, 0x123456, 0);
  for (const std::uint32_t time : {0U, 1U, 0xFFFFFFU, 0x1000000U, 0xFFFFFFFFU}) {
    Buffer bytes = before;
    store_timestamp(bytes.data(), time);
    ck_assert(bytes == flvtest::tag_header(9, 0x123456, time));
  }
}
END_TEST

START_TEST(test_append_tag) {
  Buffer out{0xEE};
  append_tag(out, TagType::Audio, 0x01020304, Buffer{0xAF, 1, 0x77});
  const Buffer expected{0xEE, 8, 0, 0, 3, 2, 3, 4, 1, 0, 0, 0, 0xAF, 1, 0x77, 0, 0, 0, 14};
  ck_assert(out == expected);
}
END_TEST

const struct {
  Fault fault;
  const char *text;
} kFaults[] = {
    {{}, "no fault"},
    {{Fault::Kind::Signature, 0x1A45DF}, "it starts with '.E.' (0x1a45df), not 'FLV'"},
    {{Fault::Kind::Version, 9}, "FLV version 9 is unknown"},
    {{Fault::Kind::HeaderLength, 8}, "a file header of 8 bytes is impossible"},
    {{Fault::Kind::TagType, 0x55}, "tag type 0x55 is not 8, 9, 15 or 18"},
    {{Fault::Kind::StreamId, 77}, "stream id 77 is not that of the first tags"},
    {{Fault::Kind::DataSize, 16777215}, "data size 16777215 is over the limit"},
    {{Fault::Kind::Truncated, 5}, "the stream ended after 5 bytes of it"},
    {{Fault::Kind::CutShort, 5}, "the tag ends after 5 bytes, where another FLV file begins"},
};

// The stream ids that are accepted after a stream's first tags.
const struct {
  const char *what;
  Buffer first; // 18 and 9: types, each followed by its stream id
  std::uint8_t type;
  std::uint32_t id;
  bool accepted;
} kStreamIds[] = {
    {"the first tag", {}, 9, 0x123456, true},
    {"0 after 0", {9, 0}, 9, 0, true},
    {"1 after a configuration with 0", {9, 0}, 9, 1, true},
    {"1 after four 0", {9, 0, 8, 0, 9, 0, 9, 0}, 9, 1, false},
    {"an unlikely id, the first one's", {9, 200, 8, 200}, 9, 200, true},
    {"1 after 1", {9, 1}, 9, 1, true},
    {"1 of another kind after 1", {9, 1, 9, 1}, 8, 1, true},
    {"0 after a single 1", {9, 1}, 9, 0, true},
    {"0 after four 1", {9, 1, 9, 1, 9, 1, 9, 1}, 9, 0, false},
    {"2 after four 1", {9, 1, 9, 1, 9, 1, 9, 1}, 9, 2, false},
    {"media of id 1 after script data of id 0", {18, 0}, 9, 1, true},
    {"media of id 1 in the other byte order", {18, 0}, 9, 0x010000, true},
    {"media of an unlikely id after script data", {18, 0}, 9, 0x123456, false},
    {"script data of id 0 after media of id 1", {9, 1, 9, 1}, 18, 0, true},
    {"script data of id 1 after four 0", {18, 0, 18, 0, 18, 0, 18, 0}, 18, 1, false},
    {"a single damaged id at the start", {9, 5, 9, 0}, 9, 0, true},
    {"the damaged id again", {9, 5, 9, 0, 9, 0, 9, 0, 9, 0}, 9, 5, false},
};

START_TEST(test_stream_ids) {
  const auto &row = ROW(kStreamIds);
  StreamIds ids;
  ck_assert(ids.is_empty());
  TagHeader header;
  for (std::size_t i = 0; i < row.first.size(); i += 2) {
    const Buffer bytes = flvtest::tag_header(row.first[i], 5, 0, row.first[i + 1]);
    ck_assert(read_tag_header(bytes.data(), kLimit, ids, header) == Fault());
    ids.note(header);
    ck_assert(!ids.is_empty());
  }
  const TagHeader before = header;
  const Buffer bytes = flvtest::tag_header(row.type, 5, 0, row.id);
  const Fault fault = read_tag_header(bytes.data(), kLimit, ids, header);
  ck_assert_msg(fault == (row.accepted ? Fault() : Fault{Fault::Kind::StreamId, row.id}), "%s",
                row.what);
  ck_assert(row.accepted || header == before);
}
END_TEST

START_TEST(test_describe) {
  const std::string text = describe(ROW(kFaults).fault);
  ck_assert_str_eq(text.c_str(), ROW(kFaults).text);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("tag", {{test_file_header, std::size(kFileHeaders)},
                              {test_write_file_header},
                              {test_tag_header, std::size(kTagHeaders)},
                              {test_which_types_are_possible},
                              {test_store_timestamp},
                              {test_append_tag},
                              {test_stream_ids, std::size(kStreamIds)},
                              {test_describe, std::size(kFaults)}});
}
