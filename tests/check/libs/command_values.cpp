// SPDX-License-Identifier: LGPL-2.1-or-later
// Times, sizes, addresses and paths of flvstream's command line, and its progress line.
#include <optional>
#include <string>

#include "checkrun.h"
#include "common/address.h"
#include "common/values.h"
#include "display.h"
#include "names.h"
#include "operands.h"

using namespace flvstream;
using namespace tools;

namespace {

void check_text(const std::string &text, const char *expected) {
  ck_assert_str_eq(text.c_str(), expected);
}

using Value = std::optional<std::uint64_t>;
constexpr std::uint64_t kNone = UINT64_MAX;

std::uint64_t number(const Value &value) {
  return value.value_or(kNone);
}

const struct {
  const char *text;
  std::uint64_t span; // ms
  std::uint64_t time; // ms
} kTimes[] = {
    {"0", 0, 0},
    {"2000", 2000, 2'000'000},
    {"90", 90, 90'000},
    {"90s", 90'000, 90'000},
    {"500ms", 500, 500},
    {"1.5s", 1500, 1500},
    {"0.5ms", 1, 1},
    {"5.5", kNone, 5500},
    {"1:30", kNone, 90'000},
    {"0:05.25", kNone, 5250},
    {"1:02:03.004", kNone, 3'723'004},
    {"100:00:00", kNone, 360'000'000},
    {"1:60", kNone, kNone},
    {"1:60:00", kNone, kNone},
    {"1.5:00", kNone, kNone},
    {"1:2:3:4", kNone, kNone},
    {"1:", kNone, kNone},
    {":1", kNone, kNone},
    {"1:30s", kNone, kNone},
    {"", kNone, kNone},
    {"s", kNone, kNone},
    {"ms", kNone, kNone},
    {"m", kNone, kNone},
    {"-1", kNone, kNone},
    {"+1", kNone, kNone},
    {" 1", kNone, kNone},
    {"1 s", kNone, kNone},
    {"1S", kNone, kNone},
    {"0x10", kNone, kNone},
    {"1e3", kNone, kNone},
    {"1.2.3", kNone, kNone},
    {"nan", kNone, kNone},
    {"5000000000s", kNone, kNone},
    {"99999999999999999999", kNone, kNone},
};

START_TEST(test_times) {
  const auto &row = ROW(kTimes);
  ck_assert_msg(number(parse_span(row.text)) == row.span, "the span %s", row.text);
  ck_assert_msg(number(parse_time(row.text)) == row.time, "the time %s", row.text);
}
END_TEST

const struct {
  const char *text;
  std::uint64_t bytes;
} kSizes[] = {
    {"0", 0},
    {"300000", 300'000},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775808", kNone},
    {"1k", 1024},
    {"1K", 1024},
    {"10M", 10 << 20},
    {"10m", 10 << 20},
    {"1.5G", 1'610'612'736},
    {"2T", 2ULL << 40},
    {"0.5k", 512},
    {"9999999T", kNone},
    {"1.5", kNone},
    {"k", kNone},
    {"", kNone},
    {"1kB", kNone},
    {"1KiB", kNone},
    {"1kk", kNone},
    {"-1k", kNone},
    {"1 k", kNone},
};

START_TEST(test_sizes) {
  const auto &row = ROW(kSizes);
  ck_assert_msg(number(parse_size(row.text)) == row.bytes, "%s", row.text);
}
END_TEST

const struct {
  const char *text;
  const char *required; // "HOST|PORT"; "": invalid
  const char *optional;
} kAddresses[] = {
    {"127.0.0.1:5000", "127.0.0.1|5000", "127.0.0.1|5000"},
    {"example.org:1", "example.org|1", "example.org|1"},
    {"[::1]:65535", "::1|65535", "::1|65535"},
    {":5000", "", "|5000"},
    {"5000", "", "|5000"},
    {"localhost", "", ""},
    {"::1:5000", "", ""},
    {"[]:5000", "", ""},
    {"[::1:5000", "", ""},
    {"::1]:5000", "", ""},
    {"[::1]5000", "", ""},
    {"a:0", "", ""},
    {"a:65536", "", ""},
    {"a:", "", ""},
    {":", "", ""},
    {"", "", ""},
    {"a:5000x", "", ""},
    {"a:-1", "", ""},
};

std::string text_of(const std::optional<Address> &address) {
  return address ? address->host + '|' + std::to_string(address->port) : "";
}

START_TEST(test_addresses) {
  const auto &row = ROW(kAddresses);
  check_text(text_of(parse_address(row.text, HostPart::Required)), row.required);
  check_text(text_of(parse_address(row.text, HostPart::Optional)), row.optional);
}
END_TEST

START_TEST(test_names_of_addresses) {
  check_text(name_of({"127.0.0.1", 5000}), "127.0.0.1:5000");
  check_text(name_of({"::1", 5000}), "[::1]:5000");
  check_text(name_of({"", 5000}), "port 5000");
  ck_assert_uint_eq(reachable({"::1", 5000}).size(), 1);
  check_text(reachable({"", 5000}).front(), "127.0.0.1:5000");
}
END_TEST

const struct {
  const char *input;
  const char *path;
} kPaths[] = {
    {"movie.flv", "/movie.flv"},
    {"films/movie.flv", "/movie.flv"},
    {"/movie.flv", "/movie.flv"},
    {"a b.flv", "/a%20b.flv"},
    {"a?b#c%.flv", "/a%3Fb%23c%25.flv"},
    {"\xff.flv", "/%FF.flv"},
    {"films/movie.mp4", "/movie.flv"},
    {"MOVIE.MKV", "/MOVIE.flv"},
    {"http://a/b/stream.ts?key=c.mp4", "/stream.flv"},
    {".mp4", "/.mp4"},
    {"-", "/live.flv"},
    {"http://a/films/movie.flv?key=a/b#c", "/movie.flv"},
    {"http://a/a%20b.flv", "/a%20b.flv"},
    {"http://a", "/live.flv"},
    {"http://a/", "/live.flv"},
    {"http://a?b/c", "/live.flv"},
};

START_TEST(test_default_paths) {
  const auto &row = ROW(kPaths);
  check_text(default_path(row.input), row.path);
}
END_TEST

START_TEST(test_times_in_messages) {
  check_text(time_name(0), "0:00:00");
  check_text(time_name(90'021), "0:01:30.021");
  check_text(time_name(360'000'000), "100:00:00");
}
END_TEST

Progress everything() {
  Progress progress;
  progress.position = 83'400;
  progress.duration = 600'000;
  progress.share = 0.14;
  progress.bits_per_second = 812'000;
  progress.lead = 2000;
  progress.clients = 3;
  progress.names_no_pace = true;
  return progress;
}

const struct {
  std::size_t width;
  const char *line;
} kLines[] = {
    {200, "0:01:23.4 of 0:10:00  14 %  812 kbit/s  lead 2.0 s  3 clients  paced; see --no-pace"},
    {84, "0:01:23.4 of 0:10:00  14 %  812 kbit/s  lead 2.0 s  3 clients  paced; see --no-pace"},
    {83, "0:01:23.4 of 0:10:00  14 %  lead 2.0 s  3 clients  paced; see --no-pace"},
    {60, "0:01:23.4 of 0:10:00  14 %  3 clients  paced; see --no-pace"},
    {40, "0:01:23.4  14 %  paced; see --no-pace"},
    {32, "0:01:23.4  paced; see --no-pace"},
    {10, "0:01:23.4"},
    {9, ""},
    {0, ""},
};

START_TEST(test_lines) {
  const auto &row = ROW(kLines);
  check_text(line_of(everything(), row.width), row.line);
}
END_TEST

START_TEST(test_lines_are_never_too_long) {
  Progress progress = everything();
  progress.position = 360'000'000'000;
  progress.duration = 360'000'000'000;
  progress.bits_per_second = 1e15;
  progress.lead = -360'000'000;
  progress.clients = 4'000'000;
  for (std::size_t width = 1; width < 200; ++width)
    ck_assert_uint_lt(line_of(progress, width).size(), width);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("command_values", {{test_times, std::size(kTimes)},
                                         {test_sizes, std::size(kSizes)},
                                         {test_addresses, std::size(kAddresses)},
                                         {test_names_of_addresses},
                                         {test_default_paths, std::size(kPaths)},
                                         {test_times_in_messages},
                                         {test_lines, std::size(kLines)},
                                         {test_lines_are_never_too_long}});
}
