// SPDX-License-Identifier: LGPL-2.1-or-later
// A source that stops and comes back keeps its clients: they continue at the next keyframe, after
// its configuration, on a timeline without a gap.
#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

// How the second stream follows the first.
enum class Way { Flush, StreamStart, FileHeader };
constexpr Way kWays[] = {Way::Flush, Way::StreamStart, Way::FileHeader};

void come_back(Server &server, Way way) {
  server.settle();
  if (way == Way::Flush)
    server.flush();
  if (way != Way::FileHeader)
    server.begin();
}

// A server with a client that has received the first stream up to tag `end`.
struct Served {
  Served(const Stream &stream, std::size_t end, Transport transport,
         const std::string &properties = "")
      : server(properties), client(server, transport), got(served(stream, 0, end)) {
    server.wait_for_clients(1);
    server.begin();
    server.push(part(stream, 0, end));
    client.wait_for_size(got.size());
  }

  // The client receives exactly this until the end.
  void assert_goes_on(const Buffer &should) {
    server.end();
    client.wait_for_close();
    assert_bytes(client.body(), joined({got, should}));
    server.wait_for_removals(1);
    assert_text(server.removed(), "1 ended");
  }

  Server server;
  Client client;
  Buffer got;
};

// From keyframe `key` on, at `time`, after its configurations.
Buffer resumed(const Stream &stream, std::size_t key, std::uint32_t time) {
  const std::size_t first = keys(stream).at(key);
  return joined({configurations(stream, first, time), rebased(stream, first, time)});
}

Stream without_head(const Stream &stream, std::size_t first) {
  Stream out;
  for (std::size_t i = first; i < stream.tags.size(); ++i)
    out.tag(
        stream.tags[i].type, stream.tags[i].timestamp,
        stream.at(i).subspan(flv::kTagHeaderSize, stream.at(i).size() - flv::kTagHeaderSize - 4));
  return out;
}

} // namespace

// The first stream's last tag is at 440, and its frames are 40 ms apart.
GST_START_TEST(another_stream) {
  const Way way = kWays[__i__ % 3];
  for (const std::uint32_t start : {0U, 100U, 5000U, 7'000'000U}) {
    const Stream one = clip({.start = 5000});
    const Stream other = clip({.start = start, .groups = 2, .variant = 1});
    Served it(one, keys(one)[1] + 3, kTransports[__i__ / 3]);
    come_back(it.server, way);
    it.server.push(other.bytes, start == 100 ? 7 : 0);
    it.assert_goes_on(resumed(other, 0, 480));
  }
}
GST_END_TEST

// A later client starts with the second stream.
GST_START_TEST(another_client) {
  const Stream one = clip({.start = 5000});
  const Stream other = clip({.start = 100, .groups = 2, .variant = 1});
  Served it(one, keys(one)[1] + 3, Transport::Http);
  come_back(it.server, kWays[__i__ % 3]);
  const std::size_t end = keys(other)[0] + 4;
  it.server.push(part(other, 0, end));
  it.server.settle();
  Client late(it.server, kTransports[__i__ / 3]);
  it.server.wait_for_clients(2);
  it.server.push(part(other, end));
  it.server.end();
  late.wait_for_close();
  assert_bytes(late.body(), served(other));
}
GST_END_TEST

GST_START_TEST(many_streams) {
  const Way way = kWays[__i__ % 3];
  const Stream stream = clip({.start = 5000, .groups = 1});
  Served it(stream, SIZE_MAX, kTransports[__i__ / 3]);
  Buffer more;
  for (std::uint32_t turn = 1; turn <= 5; ++turn) {
    come_back(it.server, way);
    it.server.push(stream.bytes);
    append(more, resumed(stream, 0, turn * 400));
  }
  it.assert_goes_on(more);
}
GST_END_TEST

// Within a tag, and within a tag header.
GST_START_TEST(interrupted) {
  const Stream one = clip({.start = 5000});
  const Stream other = clip({.start = 100, .variant = 1});
  const std::size_t end = keys(one)[1] + 3;
  for (const std::size_t size : {1U, 11U, 50U}) {
    for (const Way way : {Way::Flush, Way::StreamStart}) {
      Served it(one, end, kTransports[__i__]);
      it.server.push(one.at(end).first(size));
      it.server.settle();
      come_back(it.server, way);
      it.server.push(other.bytes);
      it.assert_goes_on(resumed(other, 0, 480));
    }
  }
}
GST_END_TEST

// Without a head, so that the previous head stays valid.
GST_START_TEST(tags_alone) {
  const Stream one = clip({.start = 5000});
  const Stream tail = without_head(clip({.start = 100}), keys(one)[1]);
  Served it(one, keys(one)[1] + 3, kTransports[__i__]);
  it.server.flush();
  it.server.begin();
  it.server.push(tail.bytes);
  it.assert_goes_on(joined({configurations(one, keys(one)[1], 480), rebased(tail, 0, 480)}));
}
GST_END_TEST

// There is no keyframe at first: dropped media does not advance the timeline.
GST_START_TEST(in_the_middle_of_a_group) {
  const Stream one = clip({.start = 5000});
  const Stream tail = without_head(clip({.start = 100}), keys(one)[1] + 4);
  Served it(one, keys(one)[1] + 3, kTransports[__i__]);
  it.server.flush();
  it.server.begin();
  it.server.push(tail.bytes);
  const std::size_t key = keys(tail)[0];
  it.assert_goes_on(joined({configurations(one, keys(one)[1], 480), rebased(tail, key, 480)}));
}
GST_END_TEST

GST_START_TEST(before_the_first_keyframe) {
  const Stream stream = clip({.start = 5000});
  Server server("join=burst burst=100000");
  Client client(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.begin();
  server.push(Bytes(stream.bytes).first(5));
  server.settle();
  server.flush();
  server.begin();
  server.push(stream.bytes);
  server.end();
  client.wait_for_close();
  assert_bytes(client.body(), served(stream));
}
GST_END_TEST

// The configurations of the keyframe, although the stream is the same.
GST_START_TEST(another_configuration) {
  Stream stream = clip({.start = 5000, .groups = 2});
  const std::size_t end = stream.tags.size();
  stream.configs(5800, 1);
  append_groups(stream, {.start = 5800, .groups = 2});
  Served it(stream, end, kTransports[__i__]);
  it.server.push(part(stream, end, keys(stream)[2] + 3));
  it.server.settle();
  Client late(it.server, kTransports[__i__]);
  it.server.wait_for_clients(2);
  it.server.push(part(stream, keys(stream)[2] + 3));
  it.server.end();
  it.client.wait_for_close();
  assert_bytes(it.client.body(), served(stream));
  late.wait_for_close();
  assert_bytes(late.body(), served(stream, 2));
}
GST_END_TEST

// The source's timestamps jump; a client's timestamps continue.
GST_START_TEST(a_jump) {
  Stream stream = clip({.start = 5000, .groups = 1});
  const std::size_t end = stream.tags.size();
  append_groups(stream, {.start = 9'000'000, .groups = 2});
  Served it(stream, end, kTransports[__i__]);
  it.server.push(part(stream, end));
  it.assert_goes_on(rebased(stream, end, 400));
}
GST_END_TEST

GST_START_TEST(another_segment) {
  const Stream stream = clip({.start = 5000});
  Served it(stream, 10, kTransports[__i__]);
  for (const GstFormat format : {GST_FORMAT_TIME, GST_FORMAT_BYTES}) {
    GstSegment segment;
    gst_segment_init(&segment, format);
    segment.start = 12345;
    it.server.push_event(gst_event_new_segment(&segment));
  }
  it.server.push(part(stream, 10));
  const std::size_t first = keys(stream)[0];
  Buffer rest = rebased(stream, first);
  const std::size_t had = rebased(stream, first, 0, 10).size();
  it.assert_goes_on(Buffer(rest.begin() + static_cast<std::ptrdiff_t>(had), rest.end()));
}
GST_END_TEST

// Original timestamps may decrease.
GST_START_TEST(original_timestamps) {
  const Stream one = clip({.start = 5000});
  const Stream other = clip({.start = 100, .groups = 2, .variant = 1});
  const std::size_t end = keys(one)[1] + 3;
  const std::size_t first = keys(one)[0];
  Server server("rebase-timestamps=false");
  Client client(server, kTransports[__i__ / 3]);
  server.wait_for_clients(1);
  server.begin();
  server.push(part(one, 0, end));
  const Buffer got = joined({head(one, first, 5000), rebased(one, first, 5000, end)});
  client.wait_for_size(got.size());
  come_back(server, kWays[__i__ % 3]);
  server.push(other.bytes);
  server.end();
  client.wait_for_close();
  assert_bytes(client.body(), joined({got, resumed(other, 0, 100)}));
}
GST_END_TEST

// The stream had audio and video; it has only audio from here on.
GST_START_TEST(without_video) {
  const Stream one = clip({.start = 5000});
  const Stream other = clip({.start = 100, .groups = 2, .video = false});
  Served it(one, keys(one)[1] + 3, kTransports[__i__]);
  it.server.flush();
  it.server.begin();
  it.server.push(part(other, 0, 10));
  it.server.settle();
  Client late(it.server, kTransports[__i__]);
  it.server.wait_for_clients(2);
  it.server.push(part(other, 10));
  it.server.end();
  it.client.wait_for_close();
  const Buffer &body = it.client.body();
  fail_unless(body.size() > it.got.size() + rebased(other, keys(other)[0]).size());
  fail_unless(timestamps(body).size() > 20);
  late.wait_for_close();
  fail_unless(timestamps(late.body()).size() > 3);
  assert_equals_int(late.body()[4], 4);
}
GST_END_TEST

static Suite *httpserversink_changes_suite() {
  Suite *suite = suite_create("httpserversink_changes");
  TCase *tcase = tcase_create("changes");
  suite_add_tcase(suite, tcase);
  const int transports = static_cast<int>(std::size(kTransports));
  const int both = transports * static_cast<int>(std::size(kWays));
  tcase_add_loop_test(tcase, another_stream, 0, both);
  tcase_add_loop_test(tcase, another_client, 0, both);
  tcase_add_loop_test(tcase, many_streams, 0, both);
  tcase_add_loop_test(tcase, interrupted, 0, transports);
  tcase_add_loop_test(tcase, tags_alone, 0, transports);
  tcase_add_loop_test(tcase, in_the_middle_of_a_group, 0, transports);
  tcase_add_loop_test(tcase, before_the_first_keyframe, 0, transports);
  tcase_add_loop_test(tcase, another_configuration, 0, transports);
  tcase_add_loop_test(tcase, a_jump, 0, transports);
  tcase_add_loop_test(tcase, another_segment, 0, transports);
  tcase_add_loop_test(tcase, original_timestamps, 0, both);
  tcase_add_loop_test(tcase, without_video, 0, transports);
  return suite;
}

GST_CHECK_MAIN(httpserversink_changes);
