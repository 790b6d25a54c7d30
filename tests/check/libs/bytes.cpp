// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/format/bytes.h"

#include <cmath>

#include "checkrun.h"

using namespace flv;

namespace {

constexpr std::uint8_t kBytes[] = {0x80, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07};

START_TEST(test_load_and_store) {
  ck_assert_uint_eq(load_u16(kBytes), 0x8001);
  ck_assert_uint_eq(load_u24(kBytes), 0x800102);
  ck_assert_uint_eq(load_u32(kBytes), 0x80010203);
  std::uint8_t out[4] = {};
  store_u24(out, 0xFF800102);
  ck_assert_mem_eq(out, "\x80\x01\x02\x00", 4);
  store_u32(out, 0x80010203);
  ck_assert_mem_eq(out, kBytes, 4);
}
END_TEST

START_TEST(test_reads_in_order) {
  Reader reader(kBytes);
  std::uint8_t byte = 0;
  std::uint32_t number = 0;
  Bytes rest;
  ck_assert(reader.u8(byte));
  ck_assert_uint_eq(byte, 0x80);
  ck_assert(reader.u16(number));
  ck_assert_uint_eq(number, 0x0102);
  ck_assert(reader.skip(1));
  ck_assert(reader.u24(number));
  ck_assert_uint_eq(number, 0x040506);
  ck_assert_uint_eq(reader.position(), 7);
  ck_assert(reader.bytes(1, rest));
  ck_assert_ptr_eq(rest.data(), kBytes + 7);
  ck_assert(reader.at_end());
  ck_assert(reader.skip(0));
}
END_TEST

// A read of `size` bytes from any shorter span fails and does not advance.
template <typename Read> void check_bounds(std::size_t size, Read read) {
  for (std::size_t have = 0; have <= sizeof kBytes; ++have) {
    Reader reader(Bytes(kBytes, have));
    ck_assert_int_eq(read(reader), have >= size);
    ck_assert_uint_eq(reader.position(), have >= size ? size : 0);
    ck_assert_uint_eq(reader.left(), have - reader.position());
  }
}

START_TEST(test_bounds) {
  std::uint8_t byte = 0;
  std::uint32_t number = 0;
  double real = 0;
  Bytes span;
  check_bounds(1, [&](Reader &reader) { return reader.u8(byte); });
  check_bounds(2, [&](Reader &reader) { return reader.u16(number); });
  check_bounds(3, [&](Reader &reader) { return reader.u24(number); });
  check_bounds(4, [&](Reader &reader) { return reader.u32(number); });
  check_bounds(8, [&](Reader &reader) { return reader.f64(real); });
  check_bounds(5, [&](Reader &reader) { return reader.skip(5); });
  check_bounds(6, [&](Reader &reader) { return reader.bytes(6, span); });
}
END_TEST

START_TEST(test_sizes_that_wrap_around) {
  Reader reader(kBytes);
  ck_assert(reader.skip(2));
  Bytes span;
  for (const std::size_t size : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, std::size_t{7}}) {
    ck_assert(!reader.skip(size));
    ck_assert(!reader.bytes(size, span));
  }
  ck_assert_uint_eq(reader.position(), 2);
}
END_TEST

START_TEST(test_write_reads_back) {
  std::vector<std::uint8_t> out;
  Writer writer(out);
  writer.u8(0x1FF);
  writer.u16(0x1FFFE);
  writer.u24(0x1FFFFFD);
  writer.u32(0xFFFFFFFC);
  for (const double real : {0.0, -1.5, 1e300, HUGE_VAL})
    writer.f64(real);
  writer.bytes(kBytes);
  writer.text("FLV");
  ck_assert_uint_eq(out.size(), 10 + 4 * 8 + 8 + 3);

  Reader reader(out);
  std::uint8_t byte = 0;
  std::uint32_t number = 0;
  ck_assert(reader.u8(byte) && byte == 0xFF);
  ck_assert(reader.u16(number) && number == 0xFFFE);
  ck_assert(reader.u24(number) && number == 0xFFFFFD);
  ck_assert(reader.u32(number) && number == 0xFFFFFFFC);
  for (const double real : {0.0, -1.5, 1e300, HUGE_VAL}) {
    double back = 1;
    ck_assert(reader.f64(back));
    ck_assert_double_eq(back, real);
  }
  Bytes rest;
  ck_assert(reader.bytes(11, rest));
  ck_assert_mem_eq(rest.data(),
                   "\x80\x01\x02\x03\x04\x05\x06\x07"
                   "FLV",
                   11);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("bytes", {{test_load_and_store},
                                {test_reads_in_order},
                                {test_bounds},
                                {test_sizes_that_wrap_around},
                                {test_write_reads_back}});
}
