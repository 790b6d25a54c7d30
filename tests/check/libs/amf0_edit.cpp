// SPDX-License-Identifier: LGPL-2.1-or-later
#include <array>

#include "flv/format/amf0_edit.h"

#include "checkrun.h"
#include "flv/format/metadata.h"
#include "flvbuild.h"
#include "media.h"
#include "split.h"

using namespace flv;
using namespace flv::amf0;
using flvtest::Buffer;

namespace {

Buffer written(const Value &value) {
  Buffer out;
  write(out, value);
  return out;
}

Buffer edited(Bytes object, const std::vector<Edit> &edits) {
  Buffer out{0xEE}; // bytes of the caller
  ck_assert_enum_eq(edit(object, edits, out), Status::Ok);
  ck_assert_uint_eq(out.at(0), 0xEE);
  out.erase(out.begin());
  return out;
}

void check(Bytes object, const std::vector<Edit> &edits, const Buffer &expected) {
  ck_assert(edited(object, edits) == expected);
}

// {"a": null, "b": true}, in the three kinds of objects.
const Buffer kObjectBytes{3, 0, 1, 'a', 5, 0, 1, 'b', 1, 1, 0, 0, 9};
const Buffer kEcma{8, 0, 0, 0, 2, 0, 1, 'a', 5, 0, 1, 'b', 1, 1, 0, 0, 9};
const Buffer kTyped{16, 0, 1, 'T', 0, 1, 'a', 5, 0, 1, 'b', 1, 1, 0, 0, 9};

START_TEST(test_nothing) {
  for (const Buffer &object : {kObjectBytes, kEcma, kTyped})
    check(object, {}, object);
}
END_TEST

START_TEST(test_replaced) {
  check(kObjectBytes, {{"a", {false}}}, {3, 0, 1, 'a', 1, 0, 0, 1, 'b', 1, 1, 0, 0, 9});
  check(kEcma, {{"b", {Null{}}}}, {8, 0, 0, 0, 2, 0, 1, 'a', 5, 0, 1, 'b', 5, 0, 0, 9});
  check(kTyped, {{"b", {Null{}}}, {"a", {true}}},
        {16, 0, 1, 'T', 0, 1, 'a', 1, 1, 0, 1, 'b', 5, 0, 0, 9});
}
END_TEST

START_TEST(test_added) {
  check(kObjectBytes, {{"c", {Null{}}}, {"b", {Null{}}}, {"d", {Undefined{}}}},
        {3, 0, 1, 'c', 5, 0, 1, 'd', 6, 0, 1, 'a', 5, 0, 1, 'b', 5, 0, 0, 9});
  check(kEcma, {{"c", {Null{}}}},
        {8, 0, 0, 0, 3, 0, 1, 'c', 5, 0, 1, 'a', 5, 0, 1, 'b', 1, 1, 0, 0, 9});
  check(Buffer{3, 0, 0, 9}, {{"c", {Null{}}}}, {3, 0, 1, 'c', 5, 0, 0, 9});
}
END_TEST

START_TEST(test_repeated) {
  check(Buffer{3, 0, 1, 'a', 5, 0, 1, 'b', 5, 0, 1, 'a', 6, 0, 0, 9}, {{"a", {true}}},
        {3, 0, 1, 'a', 1, 1, 0, 1, 'b', 5, 0, 0, 9});
  // A member that is not edited stays, however often it occurs.
  const Buffer twice{3, 0, 1, 'a', 5, 0, 1, 'a', 6, 0, 1, 'b', 5, 0, 0, 9};
  check(twice, {{"b", {Undefined{}}}}, {3, 0, 1, 'a', 5, 0, 1, 'a', 6, 0, 1, 'b', 6, 0, 0, 9});
}
END_TEST

START_TEST(test_padded_name) {
  check(Buffer{3, 0, 3, 'a', 0, 0, 5, 0, 0, 9}, {{"a", {true}}},
        {3, 0, 3, 'a', 0, 0, 1, 1, 0, 0, 9});
}
END_TEST

// The count of the members is often wrong.
START_TEST(test_count) {
  for (const std::uint32_t count : {0U, 1U, 7U, 0xFFFFFFFFU}) {
    std::array<std::uint8_t, 4> size{};
    store_u32(size.data(), count);
    const Buffer object = flvtest::joined({Buffer{8}, size, Bytes(kEcma).subspan(5)});
    check(object, {{"a", {Undefined{}}}}, {8, 0, 0, 0, 2, 0, 1, 'a', 6, 0, 1, 'b', 1, 1, 0, 0, 9});
  }
}
END_TEST

// Values that decoding and encoding would change stay byte for byte.
START_TEST(test_other_values) {
  const Buffer members =
      flvtest::joined({Buffer{0, 1, 't', 1, 0x7F},                  // true
                       Buffer{0, 1, 'l', 12, 0, 0, 0, 2, 'h', 'i'}, // a short long string
                       Buffer{0, 1, 'e', 8, 0, 0, 0, 9, 0, 1, 'x', 5, 0, 0, 9}, // a wrong count
                       Buffer{0, 0, 5},                                         // an empty name
                       Buffer{0, 1, 'n', 0, 0x7F, 0xF8, 0, 0, 0, 0, 0, 1},      // NaN
                       Buffer{0, 1, 's', 10, 0, 0, 0, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 5}});
  const Buffer object = flvtest::joined({Buffer{3}, members, Buffer{0, 1, 'z', 5, 0, 0, 9}});
  check(object, {{"z", {Undefined{}}}},
        flvtest::joined({Buffer{3}, members, Buffer{0, 1, 'z', 6, 0, 0, 9}}));
}
END_TEST

START_TEST(test_end_marker) {
  const Buffer whole{3, 0, 1, 'a', 5, 0, 0, 9};
  const Buffer expected{3, 0, 1, 'a', 6, 0, 0, 9};
  for (const std::size_t size : {whole.size(), whole.size() - 1, whole.size() - 3})
    check(Bytes(whole).first(size), {{"a", {Undefined{}}}}, expected);
  // Data behind the object stays.
  check(flvtest::joined({whole, Buffer{5, 0, 0, 9, 0}}), {{"a", {Undefined{}}}},
        flvtest::joined({expected, Buffer{5, 0, 0, 9, 0}}));
}
END_TEST

// An AMF3 value includes all later bytes.
START_TEST(test_amf3) {
  const Buffer object{3, 0, 1, 'a', 5, 0, 1, 'b', 17, 1, 2, 3, 0, 0, 9};
  check(object, {{"a", {Undefined{}}}, {"c", {Null{}}}},
        {3, 0, 1, 'c', 5, 0, 1, 'a', 6, 0, 1, 'b', 17, 1, 2, 3, 0, 0, 9});
  check(object, {{"b", {Undefined{}}}}, {3, 0, 1, 'a', 5, 0, 1, 'b', 6, 0, 0, 9});
  // In a value of the object.
  for (const Buffer &value : {Buffer{3, 0, 1, 'x', 17, 9, 9}, Buffer{10, 0, 0, 0, 1, 17, 9, 9},
                              Buffer{8, 0, 0, 0, 0, 0, 1, 'x', 10, 0, 0, 0, 1, 17, 9}})
    check(flvtest::joined({Buffer{3, 0, 1, 'b'}, value}), {{"c", {Null{}}}},
          flvtest::joined({Buffer{3, 0, 1, 'c', 5, 0, 1, 'b'}, value}));
}
END_TEST

START_TEST(test_faults) {
  const struct {
    Buffer object;
    Status status;
  } rows[] = {
      {{}, Status::NeedMore},
      {{0, 0, 0, 0, 0, 0, 0, 0, 0}, Status::Malformed}, // a number
      {{8, 0, 0}, Status::NeedMore},
      {{16, 0, 5, 'T'}, Status::NeedMore},
      {{3, 0}, Status::NeedMore},
      {{3, 0, 5, 'a'}, Status::NeedMore},
      {{3, 0, 1, 'a'}, Status::NeedMore},
      {{3, 0, 1, 'a', 4}, Status::Malformed},
      {{3, 0, 1, 'a', 2, 0xFF, 0xFF, 'x'}, Status::NeedMore},
  };
  for (const auto &row : rows) {
    Buffer out{1, 2};
    ck_assert_enum_eq(edit(row.object, {{"a", {true}}}, out), row.status);
    ck_assert(out == (Buffer{1, 2}));
  }
  // The number of members is bounded.
  Buffer many{3};
  for (std::size_t i = 0; i <= kMaxValues; ++i)
    flvtest::append(many, Buffer{0, 1, 'a', 5});
  Buffer out;
  ck_assert_enum_eq(edit(many, {}, out), Status::Malformed);
}
END_TEST

// Real metadata: the edit has the same result as a change of the decoded value.
START_TEST(test_media) {
  const auto &row = ROW(flvtest::kMedia);
  const auto bytes = flvtest::media_file(row.name);
  if (!bytes)
    return;
  for (const Item &item : flvtest::split(*bytes).tags()) {
    const Bytes data = flvtest::bytes_of(item, *bytes).subspan(kTagHeaderSize, item.tag.data_size);
    Value value;
    if (!item.tag.is_script() || read_on_metadata(data, value) != Status::Ok)
      continue;
    const Bytes object = on_metadata_object(data);
    const Value before = value;
    value.members()->insert(value.members()->begin(), {"added", {std::string("x")}});
    if (Value *duration = value.find("duration"))
      duration->data = 12.5;
    std::vector<Edit> edits{{"added", {std::string("x")}}};
    if (before.find("duration"))
      edits.push_back({"duration", {12.5}});
    const Buffer out = edited(object, edits);
    Reader reader(out);
    Value again;
    ck_assert_enum_eq(read(reader, again), Status::Ok);
    ck_assert_msg(again == value, "%s", row.name);
    // The last value counts, so an edit undoes another.
    const Buffer twice = edited(out, {{"added", {Null{}}}});
    ck_assert_uint_eq(twice.size(), out.size() - written({std::string("x")}).size() + 1);
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("amf0edit", {{test_nothing},
                                   {test_replaced},
                                   {test_added},
                                   {test_repeated},
                                   {test_padded_name},
                                   {test_count},
                                   {test_other_values},
                                   {test_end_marker},
                                   {test_amf3},
                                   {test_faults},
                                   {test_media, std::size(flvtest::kMedia)}});
}
