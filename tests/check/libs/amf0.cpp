// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/format/amf0.h"

#include <cmath>
#include <limits>

#include "checkrun.h"
#include "flvbuild.h"

using namespace flv;
using namespace flv::amf0;
using flvtest::Buffer;
using flvtest::joined;

namespace {

Buffer written(const Value &value) {
  Buffer out;
  write(out, value);
  return out;
}

// Reads the first value in `bytes`. `taken`: its size in bytes.
Status read_one(Bytes bytes, Value &value, std::size_t &taken) {
  Reader reader(bytes);
  const Status status = read(reader, value);
  taken = reader.position();
  return status;
}

void check_reads(Bytes bytes, const Value &expected) {
  Value value;
  std::size_t taken = 0;
  ck_assert_enum_eq(read_one(bytes, value, taken), Status::Ok);
  ck_assert_uint_eq(taken, bytes.size());
  ck_assert(value == expected);
}

const double kNan = std::numeric_limits<double>::quiet_NaN();

// Encodings and their values, for reading and writing.
const struct {
  Buffer bytes;
  Value value;
} kValues[] = {
    {{0, 0x40, 0x59, 0, 0, 0, 0, 0, 0}, {100.0}},
    {{0, 0x80, 0, 0, 0, 0, 0, 0, 0}, {-0.0}},
    {{0, 0x7F, 0xF0, 0, 0, 0, 0, 0, 0}, {HUGE_VAL}},
    {{0, 0x7F, 0xF8, 0, 0, 0, 0, 0, 0}, {kNan}},
    {{1, 0}, {false}},
    {{1, 1}, {true}},
    {{2, 0, 0}, {std::string()}},
    {{2, 0, 3, 'F', 'L', 'V'}, {std::string("FLV")}},
    {{2, 0, 2, 0, 0}, {std::string(2, '\0')}},
    {{3, 0, 0, 9}, {Object{}}},
    {{3, 0, 1, 'a', 5, 0, 1, 'a', 1, 1, 0, 0, 9}, {Object{{{"a", {Null{}}}, {"a", {true}}}}}},
    {{3, 0, 0, 5, 0, 0, 9}, {Object{{{"", {Null{}}}}}}},
    {{5}, {Null{}}},
    {{6}, {Undefined{}}},
    {{7, 0x12, 0x34}, {Reference{0x1234}}},
    {{8, 0, 0, 0, 0, 0, 0, 9}, {EcmaArray{}}},
    {{8, 0, 0, 0, 1, 0, 1, 'k', 6, 0, 0, 9}, {EcmaArray{{{"k", {Undefined{}}}}}}},
    {{10, 0, 0, 0, 0}, {StrictArray{}}},
    {{10, 0, 0, 0, 2, 5, 1, 1}, {StrictArray{{{Null{}}, {true}}}}},
    {{10, 0, 0, 0, 1, 0, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0}, {NumberArray{{1.0}}}},
    {{10, 0, 0, 0, 2, 0, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 5}, {StrictArray{{{1.0}, {Null{}}}}}},
    {{11, 0x40, 0x59, 0, 0, 0, 0, 0, 0, 0xFF, 0xC4}, {Date{100, -60}}},
    {{13}, {Unsupported{}}},
    {{15, 0, 0, 0, 2, '<', '>'}, {Xml{"<>"}}},
    {{16, 0, 1, 'C', 0, 1, 'm', 5, 0, 0, 9}, {TypedObject{"C", {{"m", {Null{}}}}}}},
    {{17}, {Amf3{}}},
    {{17, 4, 1, 9}, {Amf3{{4, 1, 9}}}},
    {{3, 0, 1, 'o', 3, 0, 1, 'a', 17, 1, 2, 3},
     {Object{{{"o", {Object{{{"a", {Amf3{{1, 2, 3}}}}}}}}}}}},
};

START_TEST(test_value) {
  const auto &row = ROW(kValues);
  check_reads(row.bytes, row.value);
  ck_assert(written(row.value) == row.bytes);
  for (const auto &other : kValues)
    ck_assert_int_eq(row.value == other.value, row.bytes == other.bytes);
}
END_TEST

// No value can be read from fewer bytes, except that the end of the data may replace an end marker.
START_TEST(test_value_cut_off) {
  const auto &row = ROW(kValues);
  for (std::size_t size = 0; size < row.bytes.size(); ++size) {
    Value value;
    std::size_t taken = 0;
    const Status status = read_one(Bytes(row.bytes).first(size), value, taken);
    ck_assert(status == Status::NeedMore || status == Status::Ok);
    ck_assert_uint_le(taken, size);
    if (row.bytes[0] != 3 && row.bytes[0] != 8 && row.bytes[0] != 16 && row.bytes[0] != 17)
      ck_assert_enum_eq(status, Status::NeedMore);
  }
}
END_TEST

const Value kTree{Object{{{"a", {EcmaArray{{{"b", {1.0}}}}}}}}};

// Malformed data that exists in files and is accepted.
const struct {
  const char *what;
  Buffer bytes;
  Value value;
} kTolerated[] = {
    {"long string", {12, 0, 0, 0, 2, 'h', 'i'}, {std::string("hi")}},
    {"boolean 255", {1, 255}, {true}},
    {"ECMA count too large",
     {8, 255, 255, 255, 255, 0, 1, 'k', 5, 0, 0, 9},
     {EcmaArray{{{"k", {Null{}}}}}}},
    {"ECMA count 0", {8, 0, 0, 0, 0, 0, 1, 'k', 5, 0, 0, 9}, {EcmaArray{{{"k", {Null{}}}}}}},
    {"no end marker", {3, 0, 1, 'k', 5}, {Object{{{"k", {Null{}}}}}}},
    {"half an end marker", {3, 0, 1, 'k', 5, 0, 0}, {Object{{{"k", {Null{}}}}}}},
    {"no end marker, ECMA", {8, 0, 0, 0, 1, 0, 1, 'k', 5}, {EcmaArray{{{"k", {Null{}}}}}}},
    {"nothing in it", {3}, {Object{}}},
};

START_TEST(test_tolerated) {
  check_reads(ROW(kTolerated).bytes, ROW(kTolerated).value);
}
END_TEST

START_TEST(test_missing_end_markers_of_a_tree) {
  const Buffer bytes = written(kTree);
  for (std::size_t missing = 1; missing <= 6; ++missing) {
    Value value;
    std::size_t taken = 0;
    const Status status = read_one(Bytes(bytes).first(bytes.size() - missing), value, taken);
    // One byte of an empty name is not a complete name.
    const bool half_name = missing == 2 || missing == 5;
    ck_assert_enum_eq(status, half_name ? Status::NeedMore : Status::Ok);
    if (!half_name)
      ck_assert(value == kTree);
  }
}
END_TEST

const struct {
  const char *what;
  Buffer bytes;
  Status status;
} kRefused[] = {
    {"nothing", {}, Status::NeedMore},
    {"movie clip", {4}, Status::Malformed},
    {"object end", {9}, Status::Malformed},
    {"record set", {14}, Status::Malformed},
    {"unknown marker", {18}, Status::Malformed},
    {"unknown marker in an object", {3, 0, 1, 'k', 99, 0, 0, 9}, Status::Malformed},
    {"string past the end", {2, 0xFF, 0xFF, 'x'}, Status::NeedMore},
    {"long string of 4 GiB", {12, 255, 255, 255, 255, 'x'}, Status::NeedMore},
    {"XML of 4 GiB", {15, 255, 255, 255, 255, 'x'}, Status::NeedMore},
    {"name past the end", {3, 0xFF, 0xFF, 'x', 5}, Status::NeedMore},
    {"class name past the end", {16, 0xFF, 0xFF, 'x', 5}, Status::NeedMore},
    {"array of 2^32-1", {10, 255, 255, 255, 255, 5, 5}, Status::NeedMore},
    {"array of one too many", {10, 0, 0, 0, 3, 5, 5}, Status::NeedMore},
    {"array with a number cut off", {10, 0, 0, 0, 2, 0, 1, 2, 3}, Status::NeedMore},
    {"array with an unknown marker", {10, 0, 0, 0, 1, 99}, Status::Malformed},
    {"array whose AMF3 item takes the rest", {10, 0, 0, 0, 2, 17, 5}, Status::NeedMore},
};

START_TEST(test_refused) {
  const auto &row = ROW(kRefused);
  Value value;
  std::size_t taken = 0;
  const Status status = read_one(row.bytes, value, taken);
  ck_assert_msg(status == row.status, "%s", row.what);
  ck_assert_uint_le(taken, row.bytes.size());
}
END_TEST

const Buffer kNests[] = {
    {3, 0, 1, 'a'}, {8, 0, 0, 0, 1, 0, 1, 'a'}, {10, 0, 0, 0, 1}, {16, 0, 1, 'C', 0, 1, 'a'}};

// A million nested objects or arrays use neither stack nor much memory.
START_TEST(test_depth) {
  const Buffer &nest = ROW(kNests);
  for (const std::size_t depth : {kMaxDepth - 1U, kMaxDepth + 0U, kMaxDepth + 1U, 1'000'000U}) {
    Buffer bytes;
    for (std::size_t i = 0; i < depth; ++i)
      flvtest::append(bytes, nest);
    bytes.push_back(5);
    Value value;
    std::size_t taken = 0;
    ck_assert_enum_eq(read_one(bytes, value, taken),
                      depth <= kMaxDepth ? Status::Ok : Status::Malformed);
    if (depth <= kMaxDepth)
      ck_assert_uint_eq(taken, bytes.size());
    std::vector<Value> values;
    ck_assert_enum_eq(read_all(bytes, values), depth <= kMaxDepth ? Status::Ok : Status::Malformed);
  }
}
END_TEST

START_TEST(test_number_of_values) {
  // An array of nulls, then a second value. The limit applies to all values of a read together.
  for (const std::size_t count : {kMaxValues - 2, kMaxValues - 1, kMaxValues, 16 * kMaxValues}) {
    Buffer bytes{10};
    Writer(bytes).u32(static_cast<std::uint32_t>(count));
    bytes.resize(bytes.size() + count, 5);
    std::vector<Value> values;
    ck_assert_enum_eq(read_all(bytes, values), count < kMaxValues ? Status::Ok : Status::Malformed);
    bytes.push_back(5);
    values.clear();
    ck_assert_enum_eq(read_all(bytes, values),
                      count + 1 < kMaxValues ? Status::Ok : Status::Malformed);
  }
  // A list of numbers is limited only by its bytes: here, a keyframe each second for 24 hours.
  const NumberArray list{std::vector<double>(86400, 1.5)};
  check_reads(written({list}), {list});
  Value cut;
  std::size_t taken = 0;
  const Buffer whole = written({list});
  for (const std::size_t missing : {1U, 9U, 100'000U})
    ck_assert_enum_eq(read_one(Bytes(whole).first(whole.size() - missing), cut, taken),
                      Status::NeedMore);
  // A list of numbers and other values is limited by the number of values.
  Buffer bytes = whole;
  bytes.at(bytes.size() - 9) = 1;
  ck_assert_enum_eq(read_one(bytes, cut, taken), Status::Malformed);
}
END_TEST

START_TEST(test_reads_stop_after_the_value) {
  const Buffer bytes = joined({written({1.0}), written({EcmaArray{}}), written({true})});
  Reader reader(bytes);
  Value value;
  ck_assert_enum_eq(read(reader, value), Status::Ok);
  ck_assert_uint_eq(reader.position(), 9);
  ck_assert_enum_eq(read(reader, value), Status::Ok);
  ck_assert_uint_eq(reader.position(), 17);
  ck_assert_enum_eq(read(reader, value), Status::Ok);
  ck_assert(reader.at_end() && value == Value{true});
  ck_assert_enum_eq(read(reader, value), Status::NeedMore);
}
END_TEST

START_TEST(test_read_all) {
  const std::vector<Value> values{{std::string("onX")}, kTree, {Null{}}};
  Buffer bytes;
  write_all(bytes, values);
  for (const bool end_left_over : {false, true}) {
    if (end_left_over)
      flvtest::append(bytes, Buffer{0, 0, 9});
    std::vector<Value> back;
    ck_assert_enum_eq(read_all(bytes, back), Status::Ok);
    ck_assert(back == values);
  }
  std::vector<Value> back;
  ck_assert_enum_eq(read_all({}, back), Status::Ok);
  ck_assert(back.empty());
  bytes.push_back(99);
  ck_assert_enum_eq(read_all(bytes, back), Status::NeedMore); // the end marker is now a number
}
END_TEST

// Data after the switch is not AMF0, so nothing is written after it.
START_TEST(test_nothing_follows_amf3) {
  Buffer out;
  write_all(out, {{Object{{{"a", {Amf3{{1}}}}, {"b", {Null{}}}}}}, {Null{}}});
  ck_assert(out == (Buffer{3, 0, 1, 'a', 17, 1}));
}
END_TEST

START_TEST(test_long_strings) {
  for (const std::size_t size : {65534U, 65535U, 65536U, 200'000U}) {
    const Value value{std::string(size, 'x')};
    const Buffer bytes = written(value);
    ck_assert_uint_eq(bytes[0], size > 65535 ? 12 : 2);
    check_reads(bytes, value);
  }
  const Value object{Object{{{std::string(65536, 'n'), {Null{}}}}}};
  check_reads(written(object), {Object{{{std::string(65535, 'n'), {Null{}}}}}});
}
END_TEST

START_TEST(test_find) {
  const std::string padded("width\0\0", 7);
  Value value{EcmaArray{{{"a", {1.0}}, {padded, {2.0}}, {"a", {3.0}}, {"", {4.0}}}}};
  const auto number = [&value](std::string_view name) {
    const Value *found = std::as_const(value).find(name);
    return found ? std::get<double>(found->data) : 0;
  };
  ck_assert_double_eq(number("a"), 1);
  ck_assert_double_eq(number("width"), 2);
  ck_assert_double_eq(number(""), 4);
  ck_assert_double_eq(number("wid"), 0);
  value.find("a")->data = 5.0;
  ck_assert_double_eq(number("a"), 5);
  for (const Value &other : {Value{1.0}, Value{StrictArray{}}, Value{std::string("a")}}) {
    ck_assert_ptr_null(other.find("a"));
    ck_assert_ptr_null(other.members());
  }
  ck_assert_ptr_nonnull((Value{TypedObject{"C", {{"a", {}}}}}.find("a")));
  ck_assert_ptr_nonnull((Value{Object{{{"a", {}}}}}.find("a")));
}
END_TEST

} // namespace

int main() {
  return flvtest::run("amf0", {{test_value, std::size(kValues)},
                               {test_value_cut_off, std::size(kValues)},
                               {test_tolerated, std::size(kTolerated)},
                               {test_missing_end_markers_of_a_tree},
                               {test_refused, std::size(kRefused)},
                               {test_depth, std::size(kNests)},
                               {test_number_of_values},
                               {test_reads_stop_after_the_value},
                               {test_read_all},
                               {test_nothing_follows_amf3},
                               {test_long_strings},
                               {test_find}});
}
