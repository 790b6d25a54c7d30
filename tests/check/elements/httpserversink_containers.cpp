// SPDX-License-Identifier: LGPL-2.1-or-later
// Containers other than FLV: clients receive the streamheader of the caps, then buffers from the
// first one without DELTA_UNIT.
#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

const std::string kMatroska = "video/x-matroska";
const Buffer kHeader = payload(300, 1);
const Buffer kInfo = payload(100, 2);

// Sends the buffers of a stream, and keeps all of their bytes.
class Opaque : public Server {
public:
  using Server::Server;

  void start(const std::vector<Buffer> &header = {kHeader, kInfo},
             GstFormat format = GST_FORMAT_TIME) {
    begin(caps_of(header.empty() ? "video/mpegts" : kMatroska, header), format);
  }

  // `time` in ms; nullopt: no timestamp.
  void add(Bytes bytes, bool delta, std::optional<guint64> time = {}, bool header = false) {
    GstBuffer *buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
    if (delta)
      GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    if (header)
      GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_HEADER);
    if (time)
      GST_BUFFER_PTS(buffer) = *time * GST_MSECOND;
    push_buffer(buffer);
  }

  // Ten buffers of a group, with a keyframe first, 40 ms apart.
  Buffer add_group(std::uint32_t group) {
    Buffer all;
    for (std::uint32_t i = 0; i < 10; ++i) {
      const Buffer bytes = payload(200 + i, 100 + group * 10 + i);
      add(bytes, i > 0, group * 400 + i * 40);
      append(all, bytes);
    }
    return all;
  }
};

Buffer with_head(Bytes rest) {
  return joined({kHeader, kInfo, rest});
}

} // namespace

GST_START_TEST(a_stream) {
  Opaque server;
  Client client(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.start();
  Buffer all;
  for (std::uint32_t group = 0; group < 4; ++group)
    append(all, server.add_group(group));
  server.end();
  client.wait_for_close();
  assert_bytes(client.body(), with_head(all));
}
GST_END_TEST

// The muxer also sends its head in the stream, with the HEADER flag.
GST_START_TEST(stream_header_in_band) {
  Opaque server;
  Client early(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.start();
  server.add(kHeader, false, {}, true);
  server.add(kInfo, false, {}, true);
  const Buffer first = server.add_group(0);
  early.wait_for_size(with_head(first).size());
  Client late(server, kTransports[__i__]);
  late.wait_for_size(with_head(first).size());
  // A buffer that differs from the head stays. Without the flag it is data.
  const Buffer other = payload(50, 3);
  server.add(other, true, 400, true);
  server.add(kInfo, true, 400);
  server.end();
  for (Client *client : {&early, &late}) {
    client->wait_for_close();
    assert_bytes(client->body(), with_head(joined({first, other, kInfo})));
  }
}
GST_END_TEST

GST_START_TEST(from_a_decodable_start) {
  Opaque server;
  Client early(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.start();
  server.add(payload(100, 7), true, 0); // before the first possible start point
  Buffer all = server.add_group(0);
  early.wait_for_size(with_head(all).size());
  const Buffer second = server.add_group(1);
  early.wait_for_size(with_head(all).size() + second.size());
  Client late(server, kTransports[__i__]);
  late.wait_for_size(with_head(second).size());
  assert_bytes(late.body(), with_head(second));
  append(all, second);
  assert_bytes(early.body(), with_head(all));
}
GST_END_TEST

GST_START_TEST(other_start_points) {
  const struct {
    const char *properties;
    std::uint32_t group;
  } rows[] = {{"join=burst burst=100000", 0},
              {"join=burst burst=700", 2},
              {"join=latest-keyframe", 3},
              {"join=next-keyframe", 4}};
  for (const auto &row : rows) {
    Opaque server(row.properties);
    server.start();
    Buffer all;
    for (std::uint32_t group = 0; group < 4; ++group) {
      const Buffer bytes = server.add_group(group);
      if (group >= row.group)
        append(all, bytes);
    }
    server.settle();
    Client client(server);
    server.wait_for_clients(1);
    append(all, server.add_group(4));
    client.wait_for_size(with_head(all).size());
    assert_bytes(client.body(), with_head(all));
  }
}
GST_END_TEST

// Each buffer is a start point, and there is no head: for example MPEG-TS.
GST_START_TEST(without_a_stream_header) {
  Opaque server("join=burst burst=100000");
  server.start({});
  Buffer all;
  for (std::uint32_t i = 0; i < 20; ++i) {
    const Buffer bytes = payload(188, i);
    server.add(bytes, false, i * 10);
    append(all, bytes);
  }
  server.settle();
  Client client(server, kTransports[__i__]);
  client.wait_for_size(all.size());
  assert_bytes(client.body(), all);
}
GST_END_TEST

// mpegtsmux flags only the first packet of a keyframe, which may equal a packet of the head.
GST_START_TEST(stream_header_that_starts_a_frame) {
  Opaque server;
  Client client(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.start();
  server.add(kHeader, false, 0, true);
  const Buffer picture = payload(188, 5);
  server.add(picture, true, 0);
  // From here on it is a part of the stream.
  server.add(kHeader, false, 40, true);
  server.add(picture, true, 40);
  const Buffer again = joined({kHeader, picture});
  const Buffer should = with_head(joined({picture, again}));
  client.wait_for_size(should.size());
  assert_bytes(client.body(), should);
  Client late(server, kTransports[__i__]);
  late.wait_for_size(with_head(again).size());
  assert_bytes(late.body(), with_head(again));
}
GST_END_TEST

// Bytes without caps.
GST_START_TEST(without_caps) {
  Server server;
  Client client(server);
  server.wait_for_clients(1);
  server.begin(nullptr);
  const Buffer all = payload(10'000);
  server.push(all, 1000);
  server.end();
  client.wait_for_close();
  assert_text(client.header("Content-Type"), "application/octet-stream");
  assert_bytes(client.body(), all);
}
GST_END_TEST

// Connected clients receive the new head before the next start point. Equal caps have no effect.
GST_START_TEST(another_stream_header) {
  Opaque server;
  Client early(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.start();
  const Buffer first = server.add_group(0);
  server.set_caps(caps_of(kMatroska + ", a=1", {kHeader, kInfo}));
  const Buffer second = server.add_group(1);
  const Buffer other = payload(333, 9);
  server.set_caps(caps_of(kMatroska, {other}));
  server.add(payload(100, 7), true, 800); // no client can use it
  server.add(other, false, {}, true);
  const Buffer third = server.add_group(2);
  const Buffer should = with_head(joined({first, second, other, third}));
  early.wait_for_size(should.size());
  assert_bytes(early.body(), should);
  Client late(server, kTransports[__i__]);
  late.wait_for_size(other.size() + third.size());
  assert_bytes(late.body(), joined({other, third}));
}
GST_END_TEST

GST_START_TEST(source_returns) {
  Opaque server;
  Client client(server, kTransports[__i__]);
  server.wait_for_clients(1);
  server.start();
  const Buffer first = server.add_group(0);
  client.wait_for_size(with_head(first).size());
  server.settle();
  server.flush();
  server.start();
  server.add(payload(100, 7), true, 0);
  server.add(kHeader, false, {}, true);
  const Buffer second = server.add_group(0);
  server.end();
  client.wait_for_close();
  assert_bytes(client.body(), with_head(joined({first, second})));
}
GST_END_TEST

// The lag is measured with the buffers' times, or with the clock if they have none.
GST_START_TEST(time) {
  for (const GstFormat format : {GST_FORMAT_TIME, GST_FORMAT_BYTES}) {
    Opaque server("join=burst burst=100000");
    server.start({}, format);
    for (std::uint32_t i = 0; i < 5; ++i)
      server.add(payload(100, i), false, i * 1000);
    server.settle();
    Client client(server);
    client.wait_for_size(500);
    const guint64 duration = server.stat("history-duration");
    fail_unless(format == GST_FORMAT_TIME ? duration == 4000 : duration < 4000, "%u ms",
                static_cast<guint>(duration));
  }
}
GST_END_TEST

// The MIME types that browsers use.
GST_START_TEST(types) {
  const std::pair<const char *, const char *> rows[] = {
      {"video/x-flv", "video/x-flv"},
      {"video/x-matroska", "video/x-matroska"},
      {"video/webm", "video/webm"},
      {"audio/webm", "audio/webm"},
      {"video/mpegts, systemstream=true, packetsize=188", "video/mp2t"},
      {"application/ogg", "application/ogg"},
      {"multipart/x-mixed-replace, boundary=frame", "multipart/x-mixed-replace;boundary=frame"},
      {"multipart/x-mixed-replace", "multipart/x-mixed-replace"},
      {"video/quicktime, variant=iso-fragmented", "video/mp4"},
      {"audio/mpeg, mpegversion=1, layer=3", "audio/mpeg"},
      {"audio/mpeg, mpegversion=4, stream-format=adts", "audio/aac"}};
  for (const auto &[caps, type] : rows) {
    Server server;
    const bool is_flv = std::string(type) == kFlv;
    server.begin(is_flv ? caps_of(caps) : caps_of(caps, {kHeader}));
    server.push(is_flv ? clip().bytes : payload(100));
    Client client(server);
    client.wait_for_head();
    assert_text(client.header("Content-Type"), type);
  }
}
GST_END_TEST

// A container whose header is only at the start: connected clients receive the stream, later
// clients get an error response, and there is one warning.
GST_START_TEST(begins_with_a_header) {
  const char *const types[] = {"video/quicktime, variant=iso-fragmented",
                               "video/quicktime",
                               "video/x-matroska",
                               "video/webm",
                               "application/ogg",
                               "video/x-ms-asf",
                               "audio/x-wav"};
  Server server;
  Client early(server, Transport::Http);
  Client framed(server, Transport::WebSocket);
  server.wait_for_clients(2);
  server.begin(caps_of(types[__i__]));
  fail_if(server.problem().found);
  const Buffer first = payload(1000);
  server.push(first);
  server.settle();
  Problem problem = server.problem();
  fail_unless(problem.found && !problem.error && problem.domain == GST_STREAM_ERROR &&
                  problem.says("Clients that connect from now on cannot be served"),
              "%s", problem.text.c_str());
  for (Client *client : {&early, &framed}) {
    client->wait_for_size(first.size());
    assert_bytes(client->body(), first);
  }
  for (const char *method : {"GET", "HEAD"}) {
    Client late(server.port());
    late.ask("/live", "", method);
    late.wait_for_close();
    assert_equals_int(late.status(), 406);
    assert_text(late.header("Access-Control-Allow-Origin"), "*");
    assert_text(late.header("Content-Type"), "text/plain");
    const std::string text(late.body().begin(), late.body().end());
    fail_unless(text.find("matroskamux streamable=true") != std::string::npos ||
                    std::string(method) == "HEAD",
                "%s", text.c_str());
  }
  Client late(server, Transport::WebSocket);
  late.wait_for_close();
  assert_equals_int(late.status(), 406);
  // Connected clients still receive it.
  server.push(payload(500, 3));
  server.settle();
  early.wait_for_size(1500);
  fail_if(server.problem().found);
  server.end();
  early.wait_for_close();
  Client behind(server);
  behind.wait_for_head();
  assert_equals_int(behind.status(), 503);
}
GST_END_TEST

// These containers repeat what a reader needs.
GST_START_TEST(begins_anywhere) {
  const char *const types[] = {"video/mpegts, systemstream=true, packetsize=188",
                               "multipart/x-mixed-replace, boundary=frame",
                               "audio/mpeg, mpegversion=1, layer=3",
                               "audio/mpeg, mpegversion=4, stream-format=adts",
                               "video/mpeg, mpegversion=2, systemstream=true",
                               "video/x-h264, stream-format=byte-stream",
                               "audio/x-ac3",
                               "image/jpeg"};
  Server server;
  server.begin(caps_of(types[__i__]));
  const Buffer all = payload(1000);
  server.push(all);
  server.settle();
  Client late(server);
  late.wait_for_size(all.size());
  assert_equals_int(late.status(), 200);
  fail_if(server.problem().found);
}
GST_END_TEST

static Suite *httpserversink_containers_suite() {
  Suite *suite = suite_create("httpserversink_containers");
  TCase *tcase = tcase_create("containers");
  suite_add_tcase(suite, tcase);
  const int transports = static_cast<int>(std::size(kTransports));
  tcase_add_loop_test(tcase, a_stream, 0, transports);
  tcase_add_loop_test(tcase, stream_header_in_band, 0, transports);
  tcase_add_loop_test(tcase, from_a_decodable_start, 0, transports);
  tcase_add_test(tcase, other_start_points);
  tcase_add_loop_test(tcase, without_a_stream_header, 0, transports);
  tcase_add_loop_test(tcase, stream_header_that_starts_a_frame, 0, transports);
  tcase_add_test(tcase, without_caps);
  tcase_add_loop_test(tcase, another_stream_header, 0, transports);
  tcase_add_loop_test(tcase, source_returns, 0, transports);
  tcase_add_test(tcase, time);
  tcase_add_test(tcase, types);
  tcase_add_loop_test(tcase, begins_with_a_header, 0, 7);
  tcase_add_loop_test(tcase, begins_anywhere, 0, 8);
  return suite;
}

GST_CHECK_MAIN(httpserversink_containers);
