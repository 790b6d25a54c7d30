// SPDX-License-Identifier: LGPL-2.1-or-later
// The status, the fields and the bytes of responses, over sockets.
#include <algorithm>
#include <string>

#include "filetest.h"
#include "flv/format/metadata.h"
#include "split.h"

#include "texts.h"

using namespace filetest;
using flvtest::joined;

namespace {

void assert_same(Bytes got, Bytes expected) {
  ck_assert_uint_eq(got.size(), expected.size());
  const auto [first, second] = std::ranges::mismatch(got, expected);
  ck_assert_msg(first == got.end(), "different at byte %d", static_cast<int>(first - got.begin()));
}

// A whole response has the length that it announces.
void assert_whole(const Reply &reply, int status) {
  ck_assert_int_eq(reply.status, status);
  CK_ASSERT_TEXT_EQ(reply.field("Content-Length"), std::to_string(reply.body.size()));
}

Bytes cut(Bytes bytes, std::size_t first, std::size_t last) {
  return bytes.subspan(first, last - first + 1);
}

// --- The file ---

START_TEST(test_stored_file) {
  const Folder folder;
  const Stream movie = indexed_movie();
  folder.write("movie.flv", movie.bytes);
  folder.set_time("movie.flv", 784111777);
  const Server server(folder, settings("max-age", "3600"));
  const Reply reply = server.get("/vod/movie.flv");
  assert_whole(reply, 200);
  assert_same(reply.body, movie.bytes);
  CK_ASSERT_TEXT_EQ(reply.field("Content-Type"), "video/x-flv");
  CK_ASSERT_TEXT_EQ(reply.field("Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
  CK_ASSERT_TEXT_EQ(reply.field("Accept-Ranges"), "bytes");
  CK_ASSERT_TEXT_EQ(reply.field("Cache-Control"), "max-age=3600");
  CK_ASSERT_TEXT_EQ(reply.field("Access-Control-Allow-Origin"), "*");
  const std::string exposed = reply.field("Access-Control-Expose-Headers");
  for (const char *name : {"Content-Length", "Content-Range", "Accept-Ranges", "ETag"})
    ck_assert_msg(exposed.find(name) != std::string::npos, "%s", exposed.c_str());
  ck_assert(reply.field("ETag").starts_with('"'));
  const Reply head = server.head("/vod/movie.flv");
  ck_assert_int_eq(head.status, 200);
  ck_assert(head.body.empty());
  for (const char *name : {"Content-Length", "ETag", "Last-Modified", "Content-Type"})
    CK_ASSERT_TEXT_EQ(head.field(name), reply.field(name));
}
END_TEST

// The tags of the stored file, behind an onMetaData that lists the configuration and all keyframes.
START_TEST(test_virtual_file) {
  const Folder folder;
  const Stream stored = movie();
  folder.write("movie.flv", stored.bytes);
  const Server server(folder);
  const Reply reply = server.get("/vod/movie.flv");
  assert_whole(reply, 200);
  const auto tags = flvtest::split(reply.body).tags();
  ck_assert_uint_eq(tags.size(), stored.tags.size());
  flv::amf0::Value metadata;
  ck_assert_enum_eq(
      flv::read_on_metadata(flvtest::bytes_of(tags[0], reply.body).subspan(flv::kTagHeaderSize),
                            metadata),
      flv::Status::Ok);
  flv::KeyframeIndex index;
  const flv::IndexFault fault = flv::read_keyframe_index(metadata, reply.body.size(), index);
  ck_assert_msg(fault.kind == flv::IndexFault::Kind::None, "%s", flv::describe(fault).c_str());
  const auto keys = key_positions(stored);
  const std::size_t moved = reply.body.size() - stored.bytes.size();
  ck_assert_uint_eq(index.positions.size(), keys.size() + 1);
  ck_assert_uint_eq(index.positions[0], stored.tags[1].begin + moved); // the configuration
  for (std::size_t i = 0; i < keys.size(); i++) {
    ck_assert_uint_eq(index.positions[i + 1], keys[i] + moved);
    ck_assert(index.times[i + 1] == static_cast<double>(i));
  }
  assert_same(Bytes(reply.body).subspan(stored.tags[1].begin + moved),
              Bytes(stored.bytes).subspan(stored.tags[1].begin));
  const auto *size = metadata.find("filesize");
  ck_assert(!size || std::get<double>(size->data) == static_cast<double>(reply.body.size()));
}
END_TEST

START_TEST(test_index_no) {
  const Folder folder;
  const Stream stored = movie();
  folder.write("movie.flv", stored.bytes);
  const Server with(folder);
  const Server without(folder, settings("index", "no"));
  const Reply reply = without.get("/vod/movie.flv");
  assert_same(reply.body, stored.bytes);
  CK_ASSERT_TEXT_NE(reply.field("ETag"), with.get("/vod/movie.flv").field("ETag"));
  ck_assert_int_eq(without.get("/vod/movie.flv?start=5000").status, 415);
  ck_assert_int_eq(with.get("/vod/movie.flv?start=5000").status, 200);
}
END_TEST

START_TEST(test_other_files) {
  const Folder folder;
  const flvtest::Buffer bytes = flvtest::payload(300'000);
  const std::pair<const char *, const char *> kFiles[] = {
      {"a.mp4", "video/mp4"},     {"a.mkv", "video/x-matroska"},
      {"a.webm", "video/webm"},   {"a.unknown", "application/octet-stream"},
      {"not.flv", "video/x-flv"},
  };
  for (const auto &[name, type] : kFiles)
    folder.write(name, bytes);
  folder.write("empty.mp4", "");
  folder.write("movie", movie().bytes);
  const Server server(folder);
  for (const auto &[name, type] : kFiles) {
    const std::string path = std::string("/vod/") + name;
    const Reply whole = server.get(path);
    assert_whole(whole, 200);
    assert_same(whole.body, bytes);
    CK_ASSERT_TEXT_EQ(whole.field("Content-Type"), type);
    const Reply part = server.get(path, "Range: bytes=1000-1999\r\n");
    assert_whole(part, 206);
    assert_same(part.body, cut(bytes, 1000, 1999));
    for (const char *query : {"?start=100", "?t=1", "?end=100"})
      ck_assert_int_eq(server.get(path + query).status, 415);
    ck_assert_int_eq(server.get(path + "?start=0").status, 200);
    assert_same(server.get(path + "?bstart=7&bend=9").body, cut(bytes, 7, 9));
  }
  assert_whole(server.get("/vod/empty.mp4"), 200);
  CK_ASSERT_TEXT_EQ(server.get("/vod/movie").field("Content-Type"), "video/x-flv");
}
END_TEST

// --- Ranges, exact bytes and conditions ---

START_TEST(test_ranges) {
  const Folder folder;
  folder.write("movie.flv", _i == 0 ? movie().bytes : indexed_movie().bytes);
  const Server server(folder);
  const Reply whole = server.get("/vod/movie.flv");
  const std::size_t size = whole.body.size();
  const std::pair<std::size_t, std::size_t> kRanges[] = {
      {0, 0}, {0, 12}, {5, 400}, {200, 4000}, {1000, size - 1}, {size - 1, size - 1}};
  for (const auto &[first, last] : kRanges) {
    const std::string from = std::to_string(first);
    const std::string to = std::to_string(last);
    const Reply range = server.get("/vod/movie.flv", "Range: bytes=" + from + "-" + to + "\r\n");
    assert_whole(range, 206);
    assert_same(range.body, cut(whole.body, first, last));
    CK_ASSERT_TEXT_EQ(range.field("Content-Range"),
                      ("bytes " + from + "-" + to + "/" + std::to_string(size)));
    CK_ASSERT_TEXT_EQ(range.field("ETag"), whole.field("ETag"));
    const Reply exact = server.get("/vod/movie.flv?bstart=" + from + "&bend=" + to);
    assert_whole(exact, 200);
    assert_same(exact.body, range.body);
    CK_ASSERT_TEXT_NE(exact.field("ETag"), whole.field("ETag"));
  }
  assert_same(server.get("/vod/movie.flv?bstart=100").body, cut(whole.body, 100, size - 1));
  assert_same(server.get("/vod/movie.flv?bstart=100&bend=999999999").body,
              cut(whole.body, 100, size - 1));
  assert_same(server.get("/vod/movie.flv", "Range: bytes=0-1,4-5\r\n").body, whole.body);
  const std::string end = std::to_string(size);
  ck_assert_int_eq(server.get("/vod/movie.flv?bstart=" + end).status, 416);
  const Reply behind = server.get("/vod/movie.flv", "Range: bytes=" + end + "-\r\n");
  ck_assert_int_eq(behind.status, 416);
  CK_ASSERT_TEXT_EQ(behind.field("Content-Range"), ("bytes */" + end));
}
END_TEST

START_TEST(test_conditions) {
  const Folder folder;
  folder.write("movie.flv", movie().bytes);
  const Server server(folder);
  const std::string tag = server.head("/vod/movie.flv").field("ETag");
  const Reply same = server.get("/vod/movie.flv", "If-None-Match: " + tag + "\r\n");
  ck_assert_int_eq(same.status, 304);
  ck_assert(same.body.empty());
  CK_ASSERT_TEXT_EQ(same.field("ETag"), tag);
  const std::string range = "Range: bytes=10-19\r\nIf-Range: ";
  ck_assert_int_eq(server.get("/vod/movie.flv", range + tag + "\r\n").status, 206);
  ck_assert_int_eq(server.get("/vod/movie.flv", range + "\"x\"\r\n").status, 200);
  // Another version.
  folder.write("movie.flv", movie(11).bytes);
  ck_assert_int_eq(server.get("/vod/movie.flv", "If-None-Match: " + tag + "\r\n").status, 200);
  ck_assert_int_eq(server.get("/vod/movie.flv", range + tag + "\r\n").status, 200);
}
END_TEST

START_TEST(test_tags_of_variants) {
  const Folder folder;
  const Stream file = indexed_movie();
  folder.write("movie.flv", file.bytes);
  const Server server(folder);
  const auto keys = key_positions(file);
  std::vector<std::string> tags;
  for (const std::string &query :
       {std::string(), "?start=" + std::to_string(keys[2]), "?start=" + std::to_string(keys[3]),
        "?start=" + std::to_string(keys[2]) + "&end=" + std::to_string(keys[5]),
        "?end=" + std::to_string(keys[5]), std::string("?bstart=5"),
        std::string("?bstart=5&bend=9")}) {
    const Reply reply = server.head("/vod/movie.flv" + query);
    ck_assert_int_eq(reply.status, 200);
    const std::string tag = reply.field("ETag");
    ck_assert_msg(std::ranges::find(tags, tag) == tags.end(), "%s", query.c_str());
    tags.push_back(tag);
    ck_assert_int_eq(server.get("/vod/movie.flv" + query, "If-None-Match: " + tag + "\r\n").status,
                     304);
  }
  // The same start by another offset and by time is the same representation.
  for (const std::string &query : {"?start=" + std::to_string(keys[2] - 1), std::string("?t=2")})
    CK_ASSERT_TEXT_EQ(server.head("/vod/movie.flv" + query).field("ETag"), tags[1]);
}
END_TEST

// A file that is replaced, or written in place.
START_TEST(test_changed_files) {
  const Folder folder;
  folder.write("movie.flv", movie(5).bytes);
  const Server server(folder);
  const Reply before = server.get("/vod/movie.flv");
  folder.write("movie.flv", movie(6).bytes);
  const Reply after = server.get("/vod/movie.flv");
  assert_whole(after, 200);
  ck_assert_uint_gt(after.body.size(), before.body.size());
  CK_ASSERT_TEXT_NE(before.field("ETag"), after.field("ETag"));
  folder.append("movie.flv",
                flvtest::whole_tag(flv::TagType::Video, 6000, flvtest::avc_frame(true, 100)));
  const Reply grown = server.get("/vod/movie.flv");
  assert_whole(grown, 200);
  ck_assert_uint_gt(grown.body.size(), after.body.size());
  folder.write("movie.flv", "no video");
  CK_ASSERT_TEXT_EQ(server.get("/vod/movie.flv").text(), "no video");
}
END_TEST

// --- Errors ---

const struct {
  const char *path;
  int status;
} kErrors[] = {
    {"/vod/none.flv", 404},
    {"/vod/sub", 404},
    {"/vod/sub/", 404},
    {"/vod/", 404},
    {"/vod", 404},
    {"/vod/movie.flv/", 404},
    {"/vod/movie.flv/x", 404},
    {"/vod/.hidden.flv", 404},
    {"/vod/.git/a.flv", 404},
    {"/vod/sub%2Fa.flv", 404},
    {"/vodka/movie.flv", 404},
    {"/vod/movie.flv?start=x", 400},
    {"/vod/movie.flv?start=", 400},
    {"/vod/movie.flv?start", 400},
    {"/vod/movie.flv?t=abc", 400},
    {"/vod/movie.flv?start=1&t=1", 400},
    {"/vod/movie.flv?start=1&bstart=1", 400},
    {"/vod/movie.flv?bstart=5&bend=4", 400},
    {"/vod/movie.flv?start=999999999", 416},
    {"/vod/movie.flv?start=99999999999999999999999", 416},
    {"/vod/movie.flv?start=99999999999999999999999&end=99999999999999999999999", 416},
    {"/vod/movie.flv?start=5000&end=99999999999999999999999", 200},
    {"/vod/movie.flv?end=99999999999999999999999", 200},
    {"/vod/movie.flv?bstart=99999999999999999999999", 416},
    {"/vod/movie.flv?bstart=5&bend=99999999999999999999999", 200},
    {"/vod/movie.flv?t=99999999999999999999999", 200},
    {"/vod/movie.flv?start=99999999999999999999999&t=1", 400},
    {"/vod/movie.flv?end=5", 416},
    {"/vod/movie.flv?start=5000&end=4000", 416},
    {"/vod/nokeys.flv?start=100", 415},
    {"/vod/nokeys.flv?t=1", 415},
    {"/vod/nokeys.flv", 200},
    {"/vod/nokeys.flv?start=0", 200},
};

START_TEST(test_errors) {
  const Folder folder;
  folder.write("movie.flv", movie().bytes);
  folder.write(".hidden.flv", movie().bytes);
  folder.make_folder("sub");
  folder.make_folder(".git");
  folder.write("sub/a.flv", movie().bytes);
  folder.write(".git/a.flv", movie().bytes);
  Stream nokeys;
  nokeys.header(false, true).metadata().video(0, flvtest::avc_config());
  for (std::uint32_t i = 0; i < 50; i++)
    nokeys.inter(i * 40);
  folder.write("nokeys.flv", nokeys.bytes);
  const Server server(folder);
  for (const auto &[path, status] : kErrors) {
    const Reply reply = server.get(path);
    ck_assert_msg(reply.status == status, "%s: %d instead of %d", path, reply.status, status);
    if (status >= 400 && std::string(path).starts_with("/vod/"))
      ck_assert_msg(reply.body.size() > 10, "%s has no reason", path);
  }
}
END_TEST

// The text names the size of a file that is too short.
START_TEST(test_short_files) {
  const struct {
    const char *name;
    std::string content;
    const char *text;
  } kRows[] = {
      {"empty.flv", "", "he file is empty: it has 0 bytes."},
      {"one.flv", "F", "he file has 1 byte, which is too short for FLV."},
      {"text.flv", "hello", "he file has 5 bytes, which is too short for FLV."},
      {"header.flv", std::string("FLV\1\5\0\0\0\x09", 9),
       "he file has 9 bytes, which is too short for FLV."},
      {"other.flv", "hello, this is text", "starts with 'hel'"},
  };
  const Folder folder;
  const Server server(folder);
  for (const auto &row : kRows) {
    folder.write(row.name, row.content);
    for (const char *query : {"?start=100", "?t=1", "?end=100"}) {
      const Reply reply = server.get("/vod/" + std::string(row.name) + query);
      ck_assert_int_eq(reply.status, 415);
      ck_assert_msg(reply.text().find(row.text) != std::string::npos, "%s%s: %s", row.name, query,
                    reply.text().c_str());
    }
    ck_assert(server.get("/vod/" + std::string(row.name)).text() == row.content);
  }
}
END_TEST

START_TEST(test_last_key_frame) {
  const Folder folder;
  const Stream file = indexed_movie();
  folder.write("movie.flv", file.bytes);
  const Server server(folder);
  const std::size_t last = key_positions(file).back();
  const Reply reply = server.get("/vod/movie.flv?start=" + std::to_string(last + 1));
  ck_assert_int_eq(reply.status, 416);
  const std::string expected = "byte " + std::to_string(last) + ", 9.000 s";
  ck_assert_msg(reply.text().find(expected) != std::string::npos, "%s", reply.text().c_str());
  ck_assert_int_eq(server.get("/vod/movie.flv?start=" + std::to_string(last)).status, 200);
}
END_TEST

// --- Folders and playlists ---

START_TEST(test_listing) {
  const Folder folder;
  folder.make_folder("sub");
  folder.write("sub/a b.flv", movie().bytes);
  folder.write("sub/.hidden.flv", "x");
  folder.write("movie.mp4", "x");
  const Server server(folder, settings("listing", "true"));
  const Reply list = server.get("/vod/");
  assert_whole(list, 200);
  CK_ASSERT_TEXT_EQ(list.field("Content-Type"), "text/html; charset=utf-8");
  ck_assert(list.text().find("<a href=\"./sub/\">") != std::string::npos);
  ck_assert(list.text().find("<a href=\"./movie.mp4\">play</a>") != std::string::npos);
  ck_assert(list.text().find("../") == std::string::npos);
  const Reply moved = server.get("/vod/sub");
  ck_assert_int_eq(moved.status, 301);
  CK_ASSERT_TEXT_EQ(moved.field("Location"), "/vod/sub/");
  const Reply sub = server.get("/vod/sub/");
  ck_assert(sub.text().find("./a%20b.flv?play") != std::string::npos);
  ck_assert(sub.text().find("hidden") == std::string::npos);
  ck_assert(sub.text().find("../") != std::string::npos);
  ck_assert_int_eq(server.get("/vod/none/").status, 404);
  ck_assert_int_eq(server.get("/vod/movie.mp4/").status, 404);
  const Reply play = server.get("/vod/sub/a%20b.flv?play");
  CK_ASSERT_TEXT_EQ(play.field("Content-Type"), "audio/x-mpegurl");
  ck_assert(play.text().find("http://localhost/vod/sub/a%20b.flv\n") != std::string::npos);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("files_answers", {{test_stored_file},
                                        {test_virtual_file},
                                        {test_index_no},
                                        {test_other_files},
                                        {test_ranges, 2},
                                        {test_conditions},
                                        {test_tags_of_variants},
                                        {test_changed_files},
                                        {test_errors},
                                        {test_short_files},
                                        {test_last_key_frame},
                                        {test_listing}});
}
