// SPDX-License-Identifier: LGPL-2.1-or-later
// What a request gets, as values: the settings, the query, the conditions and the range.
#include "decision.h"

#include <algorithm>
#include <optional>
#include <string>

#include "folder_list.h"
#include "media_type.h"
#include "settings.h"
#include "wanted.h"

#include "texts.h"

using namespace flvserve;

namespace {

// --- Settings ---

const struct {
  const char *key;
  const char *value;
  bool is_valid;
} kValues[] = {
    {"root", "/srv/videos", true},
    {"root", "", false},
    {"index", "auto", true},
    {"index", "no", true},
    {"index", "yes", false},
    {"index", "", false},
    {"burst", "0", true},
    {"burst", "10000", true},
    {"burst", "3600000", true},
    {"burst", "3600001", false},
    {"burst", "-1", false},
    {"burst", "10s", false},
    {"burst", " 10", false},
    {"burst", "", false},
    {"burst", "99999999999", false},
    {"listing", "true", true},
    {"listing", "false", true},
    {"listing", "1", false},
    {"max-age", "3600", true},
    {"max-age", "x", false},
    {"start-names", "start", true},
    {"start-names", "start;offset", true},
    {"start-names", "start;", true},
    {"start-names", "", false},
    {"start-names", ";", false},
    {"start-names", "start;;fs", false},
    {"start-names", "a b", false},
    {"start-names", "a&b", false},
    {"start-names", "t", false},
    {"start-names", "bstart", false},
    {"start-names", "play", false},
    {"start-names", "start;fs;start", false},
    {"allow-origin", "*", true},
    {"allow-origin", "", true},
};

START_TEST(test_settings_values) {
  const auto &[key, value, is_valid] = ROW(kValues);
  FilesSettings settings;
  const FilesSettings before = settings;
  const auto fault = set_files_key(settings, key, value);
  ck_assert_msg(!fault == is_valid, "%s=%s: %s", key, value, fault.value_or("valid").c_str());
  if (fault)
    ck_assert(settings == before);
}
END_TEST

START_TEST(test_settings_round_trip) {
  FilesSettings settings;
  settings.root = "/srv/videos";
  settings.index = FileIndex::Stored;
  settings.burst_ms = 10'000;
  settings.listing = true;
  settings.max_age_s = 60;
  settings.start_names = {"start", "offset"};
  settings.allow_origin = "https://a.example";
  FilesSettings read;
  const auto entries = files_entries(settings);
  ck_assert_uint_eq(entries.size(), files_keys().size());
  for (const auto &[key, value] : entries) {
    ck_assert(std::ranges::find(files_keys(), key) != files_keys().end());
    ck_assert(!set_files_key(read, key, value));
  }
  ck_assert(read == settings);
}
END_TEST

// --- The query ---

std::string text_of(const std::optional<std::uint64_t> &number) {
  return number ? std::to_string(*number) : "-";
}

std::string text_of(const Wanted &wanted) {
  if (const auto *file = std::get_if<WantsFile>(&wanted))
    return "file end " + text_of(file->end);
  if (const auto *start = std::get_if<WantsStart>(&wanted))
    return std::string(start->measure == WantsStart::Measure::Offset ? "byte " : "ms ") +
           std::to_string(start->value) + " end " + text_of(start->end);
  if (const auto *bytes = std::get_if<WantsBytes>(&wanted))
    return "bytes " + std::to_string(bytes->first) + " to " + text_of(bytes->last);
  if (std::holds_alternative<WantsPlaylist>(wanted))
    return "playlist";
  return "nonsense";
}

const struct {
  QueryItems items;
  const char *wanted;
} kQueries[] = {
    {{}, "file end -"},
    {{{"unknown", "1"}}, "file end -"},
    {{{"start", "0"}}, "file end -"},
    {{{"t", "0"}}, "file end -"},
    {{{"t", "0.0001"}}, "file end -"},
    {{{"end", "100"}}, "file end 100"},
    {{{"start", "0"}, {"end", "100"}}, "file end 100"},
    {{{"start", "1"}}, "byte 1 end -"},
    {{{"fs", "12345"}}, "byte 12345 end -"},
    {{{"ec_seek", "12345"}}, "byte 12345 end -"},
    {{{"apstart", "12345"}}, "byte 12345 end -"},
    {{{"start", "18446744073709551615"}}, "byte 18446744073709551615 end -"},
    {{{"start", "18446744073709551616"}}, "byte 18446744073709551615 end -"},
    {{{"start", "99999999999999999999999"}, {"end", "99999999999999999999999"}},
     "byte 18446744073709551615 end 18446744073709551615"},
    {{{"start", "99999999999999999999999x"}}, "nonsense"},
    {{{"end", "99999999999999999999999"}}, "file end 18446744073709551615"},
    {{{"t", "99999999999999999999999"}}, "ms 18446744073709551615 end -"},
    {{{"t", "99999999999999999999999.5"}}, "ms 18446744073709551615 end -"},
    {{{"t", "99999999999999999999999.x"}}, "nonsense"},
    {{{"bstart", "99999999999999999999999"}}, "bytes 18446744073709551615 to -"},
    {{{"bend", "99999999999999999999999"}}, "bytes 0 to 18446744073709551615"},
    {{{"start", "100"}, {"end", "200"}}, "byte 100 end 200"},
    {{{"id", "7"}, {"start", "100"}, {"x", ""}}, "byte 100 end -"},
    {{{"t", "1.5"}}, "ms 1500 end -"},
    {{{"t", "10"}, {"end", "99"}}, "ms 10000 end 99"},
    {{{"starttime", "0.001"}}, "ms 1 end -"},
    {{{"bstart", "0"}}, "bytes 0 to -"},
    {{{"bstart", "10"}, {"bend", "10"}}, "bytes 10 to 10"},
    {{{"bend", "10"}}, "bytes 0 to 10"},
    {{{"play", ""}}, "playlist"},
    {{{"play", ""}, {"start", "5"}}, "byte 5 end -"},
    {{{"start", ""}}, "nonsense"},
    {{{"start", "x"}}, "nonsense"},
    {{{"start", "-1"}}, "nonsense"},
    {{{"start", "+1"}}, "nonsense"},
    {{{"start", " 1"}}, "nonsense"},
    {{{"start", "1.5"}}, "nonsense"},
    {{{"start", "0x10"}}, "nonsense"},
    {{{"start", "1"}, {"start", "1"}}, "nonsense"},
    {{{"start", "1"}, {"fs", "1"}}, "nonsense"},
    {{{"start", "1"}, {"t", "1"}}, "nonsense"},
    {{{"t", "1"}, {"starttime", "1"}}, "nonsense"},
    {{{"start", "1"}, {"bstart", "1"}}, "nonsense"},
    {{{"t", "1"}, {"bend", "1"}}, "nonsense"},
    {{{"bstart", "1"}, {"end", "2"}}, "nonsense"},
    {{{"bstart", "2"}, {"bend", "1"}}, "nonsense"},
    {{{"bstart", "x"}}, "nonsense"},
    {{{"bend", ""}}, "nonsense"},
    {{{"start", "1"}, {"end", "x"}}, "nonsense"},
    {{{"t", ""}}, "nonsense"},
    {{{"t", "-1"}}, "nonsense"},
    {{{"t", "nan"}}, "nonsense"},
    {{{"t", "inf"}}, "nonsense"},
    {{{"t", "1e3"}}, "nonsense"},
    {{{"t", "1:30"}}, "nonsense"},
};

START_TEST(test_query) {
  const auto &[items, expected] = ROW(kQueries);
  const Wanted wanted = read_query(items, FilesSettings().start_names);
  CK_ASSERT_TEXT_EQ(text_of(wanted), expected);
  if (const auto *nonsense = std::get_if<WantsNonsense>(&wanted))
    ck_assert_msg(nonsense->reason.ends_with('.'), "%s", nonsense->reason.c_str());
}
END_TEST

START_TEST(test_query_names) {
  const QueryItems items = {{"start", "1"}, {"offset", "7"}};
  CK_ASSERT_TEXT_EQ(text_of(read_query(items, {"offset"})), "byte 7 end -");
}
END_TEST

// --- Conditions and ranges ---

constexpr const char *kTag = "\"1-2-3\"";
constexpr std::int64_t kModified = 784111777; // Sun, 06 Nov 1994 08:49:37 GMT
constexpr const char *kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char *kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char *kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";

Representation what() {
  return {"video/x-flv", 1000, kTag, kModified, 60};
}

const struct {
  flvhttp::Request::Fields fields;
  unsigned status;
  std::uint64_t first;
  std::uint64_t size;
} kRequests[] = {
    {{}, 200, 0, 1000},
    // Ranges.
    {{{"Range", "bytes=0-"}}, 206, 0, 1000},
    {{{"Range", "bytes=0-0"}}, 206, 0, 1},
    {{{"range", "bytes=10-19"}}, 206, 10, 10},
    {{{"Range", "bytes=990-2000"}}, 206, 990, 10},
    {{{"Range", "bytes=-10"}}, 206, 990, 10},
    {{{"Range", "bytes=-2000"}}, 206, 0, 1000},
    {{{"Range", "bytes=1000-"}}, 416, 0, 0},
    {{{"Range", "bytes=-0"}}, 416, 0, 0},
    {{{"Range", "bytes=99999999999999999999-"}}, 416, 0, 0},
    {{{"Range", "bytes=0-1,5-6"}}, 200, 0, 1000},
    {{{"Range", "bytes=5-4"}}, 200, 0, 1000},
    {{{"Range", "bytes=x"}}, 200, 0, 1000},
    {{{"Range", "pages=1-2"}}, 200, 0, 1000},
    {{{"Range", ""}}, 200, 0, 1000},
    // If-None-Match and If-Modified-Since.
    {{{"If-None-Match", kTag}}, 304, 0, 0},
    {{{"If-None-Match", "W/\"1-2-3\""}}, 304, 0, 0},
    {{{"If-None-Match", "\"x\", \"1-2-3\""}}, 304, 0, 0},
    {{{"If-None-Match", "*"}}, 304, 0, 0},
    {{{"If-None-Match", "\"x\""}}, 200, 0, 1000},
    {{{"If-None-Match", kTag}, {"Range", "bytes=0-9"}}, 304, 0, 0},
    {{{"If-None-Match", "\"x\""}, {"Range", "bytes=0-9"}}, 206, 0, 10},
    {{{"If-Modified-Since", kDate}}, 304, 0, 0},
    {{{"If-Modified-Since", kAfter}}, 304, 0, 0},
    {{{"If-Modified-Since", kBefore}}, 200, 0, 1000},
    {{{"If-Modified-Since", "yesterday"}}, 200, 0, 1000},
    {{{"If-None-Match", "\"x\""}, {"If-Modified-Since", kDate}}, 200, 0, 1000},
    // If-Match and If-Unmodified-Since.
    {{{"If-Match", kTag}}, 200, 0, 1000},
    {{{"If-Match", "*"}}, 200, 0, 1000},
    {{{"If-Match", "\"x\""}}, 412, 0, 0},
    {{{"If-Match", "W/\"1-2-3\""}}, 412, 0, 0},
    {{{"If-Unmodified-Since", kDate}}, 200, 0, 1000},
    {{{"If-Unmodified-Since", kBefore}}, 412, 0, 0},
    // If-Range.
    {{{"If-Range", kTag}, {"Range", "bytes=5-9"}}, 206, 5, 5},
    {{{"If-Range", "\"x\""}, {"Range", "bytes=5-9"}}, 200, 0, 1000},
    {{{"If-Range", "W/\"1-2-3\""}, {"Range", "bytes=5-9"}}, 200, 0, 1000},
    {{{"If-Range", kDate}, {"Range", "bytes=5-9"}}, 206, 5, 5},
    {{{"If-Range", kAfter}, {"Range", "bytes=5-9"}}, 200, 0, 1000},
    {{{"If-Range", "\"x\""}, {"Range", "bytes=2000-"}}, 200, 0, 1000},
    {{{"If-Range", kTag}}, 200, 0, 1000},
};

const std::string *field(const Decision &decision, std::string_view name) {
  const auto found = std::ranges::find_if(decision.fields,
                                          [name](const auto &each) { return each.first == name; });
  return found != decision.fields.end() ? &found->second : nullptr;
}

START_TEST(test_conditions) {
  const auto &[fields, status, first, size] = ROW(kRequests);
  flvhttp::Request request;
  request.fields = fields;
  const Decision decision = decide(request, what());
  ck_assert_uint_eq(decision.status, status);
  ck_assert_uint_eq(decision.first, first);
  ck_assert_uint_eq(decision.size, size);
  const std::string *range = field(decision, "Content-Range");
  ck_assert((status == 206 || status == 416) == (range != nullptr));
  if (status == 206)
    CK_ASSERT_TEXT_EQ(*range, ("bytes " + std::to_string(first) + "-" +
                               std::to_string(first + size - 1) + "/1000"));
  if (status == 416)
    CK_ASSERT_TEXT_EQ(*range, "bytes */1000");
}
END_TEST

START_TEST(test_fields) {
  const Decision whole = decide({}, what());
  CK_ASSERT_TEXT_EQ(*field(whole, "ETag"), kTag);
  CK_ASSERT_TEXT_EQ(*field(whole, "Last-Modified"), kDate);
  CK_ASSERT_TEXT_EQ(*field(whole, "Accept-Ranges"), "bytes");
  CK_ASSERT_TEXT_EQ(*field(whole, "Cache-Control"), "max-age=60");
  CK_ASSERT_TEXT_EQ(*field(whole, "Content-Type"), "video/x-flv");
  // RFC 9110, 15.4.5: a 304 has the fields that a cache updates.
  flvhttp::Request request;
  request.fields = {{"If-None-Match", kTag}};
  const Decision unchanged = decide(request, what());
  for (const char *name : {"ETag", "Cache-Control"})
    ck_assert_ptr_nonnull(field(unchanged, name));
  ck_assert_ptr_null(field(unchanged, "Content-Type"));
  CK_ASSERT_TEXT_EQ(cache_control(0), "no-cache");
}
END_TEST

// RFC 9110, 14.2: only GET has ranges.
START_TEST(test_head_has_no_range) {
  flvhttp::Request request;
  request.is_head = true;
  request.fields = {{"Range", "bytes=5-9"}};
  const Decision decision = decide(request, what());
  ck_assert_uint_eq(decision.status, 200);
  ck_assert_uint_eq(decision.size, 1000);
}
END_TEST

// A file with no bytes has no range that can be met.
START_TEST(test_empty_file) {
  Representation empty = what();
  empty.size = 0;
  ck_assert_uint_eq(decide({}, empty).status, 200);
  flvhttp::Request request;
  request.fields = {{"Range", "bytes=0-"}};
  const Decision decision = decide(request, empty);
  ck_assert_uint_eq(decision.status, 416);
  CK_ASSERT_TEXT_EQ(*field(decision, "Content-Range"), "bytes */0");
}
END_TEST

// --- Types and lists ---

START_TEST(test_media_types) {
  CK_ASSERT_TEXT_EQ(media_type("a.flv"), "video/x-flv");
  CK_ASSERT_TEXT_EQ(media_type("/b/A.FLV"), "video/x-flv");
  CK_ASSERT_TEXT_EQ(media_type("a.b.mp4"), "video/mp4");
  CK_ASSERT_TEXT_EQ(media_type("a.mkv"), "video/x-matroska");
  CK_ASSERT_TEXT_EQ(media_type("a.mp3"), "audio/mpeg");
  for (const char *name : {"a", "a.", "a.html", "a.svg", "a.js", "flv", "a.flv.exe"})
    CK_ASSERT_TEXT_EQ(media_type(name), "application/octet-stream");
  ck_assert(plays_in_browsers("video/mp4") && !plays_in_browsers(kFlvType));
  ck_assert(is_playable(kFlvType) && !is_playable("image/png"));
}
END_TEST

START_TEST(test_folder_page) {
  const std::string page = folder_page("/vod/a&b/", true,
                                       {{"sub", true, 0, 0},
                                        {"<script>.flv", false, 1'500'000, 784111777},
                                        {"a b?.mp4", false, 999, 0},
                                        {"a:b.jpg", false, 0, 0}});
  const auto has = [&page](const char *text) { return page.find(text) != std::string::npos; };
  ck_assert(has("<h1>/vod/a&amp;b/</h1>"));
  ck_assert(has("<a href=\"../\">"));
  ck_assert(has("<a href=\"./sub/\">sub/</a>"));
  ck_assert(has("<a href=\"./%3Cscript%3E.flv\">&lt;script&gt;.flv</a>"));
  ck_assert(has("<a href=\"./%3Cscript%3E.flv?play\">play</a>"));
  ck_assert(has("<a href=\"./a%20b%3F.mp4\">play</a>"));
  ck_assert(has("<a href=\"./a:b.jpg\">a:b.jpg</a><td><td>"));
  ck_assert(has("1.5 MB") && has("999 B") && has("1994-11-06 08:49"));
  ck_assert(!has("<script>"));
}
END_TEST

START_TEST(test_playlist) {
  CK_ASSERT_TEXT_EQ(playlist("http://a:8080", "/vod/b.flv", "b\n.flv"),
                    "#EXTM3U\n#EXTINF:-1,b .flv\nhttp://a:8080/vod/b.flv\n");
}
END_TEST

} // namespace

int main() {
  return flvtest::run("files_decision", {{test_settings_values, std::size(kValues)},
                                         {test_settings_round_trip},
                                         {test_query, std::size(kQueries)},
                                         {test_query_names},
                                         {test_conditions, std::size(kRequests)},
                                         {test_fields},
                                         {test_head_has_no_range},
                                         {test_empty_file},
                                         {test_media_types},
                                         {test_folder_page},
                                         {test_playlist}});
}
