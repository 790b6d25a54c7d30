// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes that clients of an FLV stream receive, and where in the stream they start.
#include <algorithm>

#include "httptest.h"

using namespace flvtest;
using namespace httptest;

namespace {

const std::string kWhole = "join=burst burst=100000 ";

// All that a client receives if it connects before the stream starts.
Buffer passed(const std::string &properties, const std::string &caps, Bytes stream,
              std::size_t chunk, Transport transport) {
  Server server(kWhole + properties);
  Client client(server, transport);
  server.wait_for_clients(1);
  server.begin(caps_of(caps));
  server.push(stream, chunk);
  server.end();
  client.wait_for_close();
  fail_if(client.was_reset());
  wait_for([&] { return server.ends() == 1; }, "there is no end");
  return client.body();
}

// A server with the stream up to tag `end`.
class Begun : public Server {
public:
  Begun(const std::string &properties, const Stream &stream, std::size_t end = SIZE_MAX)
      : Server(properties) {
    begin();
    push(part(stream, 0, end));
    settle();
  }
};

// Pushes the rest of the stream and EOS. The client receives all of it.
void assert_rest(Server &server, Client &client, const Stream &stream, std::size_t from,
                 const Buffer &should) {
  server.push(part(stream, from));
  server.end();
  client.wait_for_close();
  assert_bytes(client.body(), should);
}

} // namespace

GST_START_TEST(a_stream) {
  const Transport transport = kTransports[__i__];
  for (const Groups &groups :
       {Groups{}, Groups{.start = 5000}, Groups{.start = 0xFFFFFE00U}, Groups{.audio = false},
        Groups{.start = 777, .video = false}, Groups{.scale = 300}}) {
    const Stream stream = clip(groups);
    assert_bytes(passed("", kFlv, stream.bytes, 0, transport), served(stream));
  }
}
GST_END_TEST

GST_START_TEST(writes_of_any_size) {
  const Transport transport = kTransports[__i__];
  const Stream stream = clip({.start = 1000, .groups = 2});
  const Buffer should = served(stream);
  for (const std::size_t chunk : {1U, 7U, 64U, 1000U})
    assert_bytes(passed("", kFlv, stream.bytes, chunk, transport), should);
}
GST_END_TEST

// The first bytes identify the format, however few they are.
GST_START_TEST(no_caps) {
  const Stream stream = clip({.start = 1000, .groups = 1});
  for (const std::size_t chunk : {0U, 1U, 2U, 7U})
    assert_bytes(passed("", "", stream.bytes, chunk, Transport::Http), served(stream));
}
GST_END_TEST

GST_START_TEST(a_buffer_without_bytes) {
  const Stream stream = clip();
  Server server(kWhole);
  server.begin(nullptr);
  server.push_buffer(gst_buffer_new());
  server.push(part(stream, 0, 10));
  server.push_buffer(gst_buffer_new());
  server.settle();
  Client client(server);
  server.wait_for_clients(1);
  assert_rest(server, client, stream, 10, served(stream));
}
GST_END_TEST

// The head is in the caps, and the stream has only tags.
GST_START_TEST(stream_header_in_the_caps) {
  const Stream stream = clip({.start = 1000});
  const std::size_t first = keys(stream)[0];
  std::vector<Buffer> parts{file_header()};
  for (std::size_t tag = 0; tag < first; ++tag)
    parts.emplace_back(stream.at(tag).begin(), stream.at(tag).end());
  for (const bool again : {false, true}) {
    Server server(kWhole);
    Client client(server);
    server.wait_for_clients(1);
    server.begin(caps_of(kFlv, parts));
    if (again)
      server.push(part(stream, 0, first));
    assert_rest(server, client, stream, first, served(stream));
  }
}
GST_END_TEST

GST_START_TEST(original_timestamps) {
  const Transport transport = kTransports[__i__];
  const Stream stream = clip({.start = 5000});
  const std::size_t first = keys(stream)[0];
  assert_bytes(passed("rebase-timestamps=false", kFlv, stream.bytes, 7, transport),
               joined({head(stream, first, 5000), rebased(stream, first, 5000)}));
  // If a client joins later, its head has the time of the keyframe.
  const std::size_t key = keys(stream)[2];
  Begun server("rebase-timestamps=false", stream, key + 3);
  Client client(server, transport);
  server.wait_for_clients(1);
  assert_rest(server, client, stream, key + 3,
              joined({head(stream, key, 5800), rebased(stream, key, 5800)}));
}
GST_END_TEST

GST_START_TEST(from_the_latest_key_frame) {
  const Transport transport = kTransports[__i__];
  const Stream stream = clip({.start = 5000});
  for (const std::size_t key : {0U, 1U, 3U}) {
    for (const std::size_t behind : {1U, 2U, 19U}) {
      // The first keyframe waits for the audio that the header announces.
      if (key == 0 && behind == 1)
        continue;
      const std::size_t end = keys(stream)[key] + behind;
      Begun server("", stream, end);
      Client client(server, transport);
      client.wait_for_size(served(stream, key, end).size());
      assert_bytes(client.body(), served(stream, key, end));
      assert_rest(server, client, stream, end, served(stream, key));
    }
  }
}
GST_END_TEST

GST_START_TEST(from_the_next_key_frame) {
  const Transport transport = kTransports[__i__];
  const Stream stream = clip({.start = 5000});
  Begun server("join=next-keyframe", stream, keys(stream)[1] + 1);
  Client client(server, transport);
  server.wait_for_clients(1);
  client.wait_for_head();
  assert_rest(server, client, stream, keys(stream)[1] + 1, served(stream, 2));
}
GST_END_TEST

// The keyframes are 400 ms apart, and the newest tag is 360 ms after the last keyframe.
GST_START_TEST(from_a_burst_ago) {
  const struct {
    guint burst;
    std::size_t key;
  } rows[] = {{0, 9}, {360, 9}, {361, 8}, {760, 8}, {761, 7}, {2000, 4}, {3960, 0}};
  const Stream stream = clip({.start = 5000, .groups = 10});
  // The client with the longest burst determines how much the backlog keeps.
  Begun server("join=burst burst=3960", stream);
  wait_for([&] { return server.stat("history-bytes") > 0; }, "there is no history");
  for (const auto &row : rows) {
    server.set("burst", row.burst);
    Client client(server, kTransports[__i__]);
    const Buffer should = served(stream, row.key);
    client.wait_for_size(should.size());
    assert_bytes(client.body(), should);
  }
}
GST_END_TEST

// The stream is shorter than the burst.
GST_START_TEST(from_the_first_key_frame) {
  const Stream stream = clip({.start = 5000});
  Begun server(kWhole, stream);
  Client client(server, kTransports[__i__]);
  client.wait_for_size(served(stream).size());
  assert_bytes(client.body(), served(stream));
}
GST_END_TEST

// A client uses the value of `join` at its arrival.
GST_START_TEST(start_point_changed_while_playing) {
  const Stream stream = clip();
  Begun server(kWhole, stream, keys(stream)[3] + 1);
  for (const auto &[join, key] : {std::pair("burst", 0U), std::pair("latest-keyframe", 3U)}) {
    gst_util_set_object_arg(G_OBJECT(server.element()), "join", join);
    Client client(server);
    const Buffer should = served(stream, key, keys(stream)[3] + 1);
    client.wait_for_size(should.size());
    assert_bytes(client.body(), should);
  }
}
GST_END_TEST

// Merging changes the times of writes, and not the bytes.
GST_START_TEST(merged) {
  const Stream stream = clip({.start = 5000});
  for (const char *merge : {"merge=40", "merge=350"})
    assert_bytes(passed(merge, kFlv, stream.bytes, 100, kTransports[__i__]), served(stream));
}
GST_END_TEST

// A message has whole tags, and the first message is the head.
GST_START_TEST(messages_of_whole_tags) {
  const Stream stream = clip({.groups = 3, .scale = 30});
  Begun server(kWhole, stream);
  Client client(server, Transport::WebSocket);
  const Buffer should = served(stream);
  client.wait_for_size(should.size());
  assert_bytes(client.body(), should);
  std::vector<std::size_t> ends{head(stream, keys(stream)[0]).size()};
  for (std::size_t tag = keys(stream)[0]; tag < stream.tags.size(); ++tag)
    ends.push_back(ends.back() + stream.at(tag).size());
  std::size_t at = 0;
  fail_unless(client.messages().size() > 3);
  for (const std::size_t size : client.messages()) {
    at += size;
    fail_unless(std::find(ends.begin(), ends.end(), at) != ends.end(), "a message ends at %zu", at);
  }
  assert_equals_uint64(client.messages().front(), ends.front());
}
GST_END_TEST

// One after another, and all at once.
GST_START_TEST(many_clients) {
  const Stream stream = clip({.start = 5000});
  const std::size_t end = keys(stream)[2] + 5;
  Begun server("", stream, end);
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < 40; ++i)
    clients.push_back(std::make_unique<Client>(server, kTransports[i % 2]));
  server.wait_for_clients(clients.size());
  server.push(part(stream, end), 500);
  server.end();
  for (const auto &each : clients) {
    each->wait_for_close();
    assert_bytes(each->body(), served(stream, 2));
  }
}
GST_END_TEST

// Data that is not FLV, although the caps say so.
GST_START_TEST(other_formats) {
  Server server;
  server.begin();
  server.push(payload(1000));
  assert_equals_int(server.settle(), GST_FLOW_ERROR);
  assert_problem(server, true, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE, "Not an FLV");
}
GST_END_TEST

static Suite *httpserversink_bytes_suite() {
  Suite *suite = suite_create("httpserversink_bytes");
  TCase *tcase = tcase_create("bytes");
  suite_add_tcase(suite, tcase);
  const int transports = static_cast<int>(std::size(kTransports));
  tcase_add_loop_test(tcase, a_stream, 0, transports);
  tcase_add_loop_test(tcase, writes_of_any_size, 0, transports);
  tcase_add_test(tcase, no_caps);
  tcase_add_test(tcase, a_buffer_without_bytes);
  tcase_add_test(tcase, stream_header_in_the_caps);
  tcase_add_loop_test(tcase, original_timestamps, 0, transports);
  tcase_add_loop_test(tcase, from_the_latest_key_frame, 0, transports);
  tcase_add_loop_test(tcase, from_the_next_key_frame, 0, transports);
  tcase_add_loop_test(tcase, from_a_burst_ago, 0, transports);
  tcase_add_loop_test(tcase, from_the_first_key_frame, 0, transports);
  tcase_add_test(tcase, start_point_changed_while_playing);
  tcase_add_loop_test(tcase, merged, 0, transports);
  tcase_add_test(tcase, messages_of_whole_tags);
  tcase_add_test(tcase, many_clients);
  tcase_add_test(tcase, other_formats);
  return suite;
}

GST_CHECK_MAIN(httpserversink_bytes);
