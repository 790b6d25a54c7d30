// SPDX-License-Identifier: LGPL-2.1-or-later
// The state changes of httpserversink's classes: the allowed ones, the abort on all others, and the
// calls that change the state of a stream and of a client.
#include <csignal>
#include <string>

#include "checkrun.h"
#include "httpserver/broadcast.h"
#include "httpserver/categories.h"
#include "httpserver/download_session.h"
#include "httpserver/ingest.h"
#include "httpserver/tls.h"
#include "transitions.h"
#include "without_plugins.h"

using namespace flvhttp;
using fanout::websocket::CloseCode;
using flvtest::allows;
using flvtest::change;
using std::chrono::milliseconds;

namespace {

// --- The tables ---

static_assert(allows<StreamState, StreamState::NoType>(".x..xx"));
static_assert(allows<StreamState, StreamState::Typed>("..x.xx"));
static_assert(allows<StreamState, StreamState::Ready>("...x.x"));
static_assert(allows<StreamState, StreamState::Ended>("..x..x"));
static_assert(allows<StreamState, StreamState::EndedEmpty>("x....x"));
static_assert(allows<StreamState, StreamState::Closing>("......"));

static_assert(allows<ClientSession, ClientSession::AwaitStream>(".xxx"));
static_assert(allows<ClientSession, ClientSession::Streaming>("..xx"));
static_assert(allows<ClientSession, ClientSession::Closing>("...x"));
static_assert(allows<ClientSession, ClientSession::Closed>("...."));

static_assert(allows<DownloadSession, DownloadSession::AwaitResponse>(".x...x"));
static_assert(allows<DownloadSession, DownloadSession::Sending>("..xxxx"));
static_assert(allows<DownloadSession, DownloadSession::Waiting>(".x...x"));
static_assert(allows<DownloadSession, DownloadSession::Blocked>(".x...x"));
static_assert(allows<DownloadSession, DownloadSession::Closing>(".....x"));
static_assert(allows<DownloadSession, DownloadSession::Closed>("......"));

static_assert(allows<Ingest, Ingest::AwaitStartPoint>(".x"));
static_assert(allows<Ingest, Ingest::Flowing>("x."));

static_assert(allows<TlsSession, TlsSession::Handshaking>(".xx"));
static_assert(allows<TlsSession, TlsSession::Open>("..x"));
static_assert(allows<TlsSession, TlsSession::Broken>("..."));

// --- The check at run time ---

START_TEST(test_stream_is_ready_before_its_type_is_known) {
  change<StreamState>(StreamState::NoType{}, StreamState::Ready{});
}
END_TEST

START_TEST(test_stream_reopens) {
  change<StreamState>(StreamState::Closing{}, StreamState::NoType{});
}
END_TEST

START_TEST(test_client_streams_twice) {
  change<ClientSession>(ClientSession::Streaming{}, ClientSession::Streaming{});
}
END_TEST

START_TEST(test_client_streams_after_it_is_closed) {
  change<ClientSession>(ClientSession::Closed{}, ClientSession::Streaming{});
}
END_TEST

START_TEST(test_download_starts_twice) {
  change<DownloadSession>(DownloadSession::Sending{}, DownloadSession::Sending{});
}
END_TEST

START_TEST(test_download_continues_after_it_is_complete) {
  change<DownloadSession>(DownloadSession::Closing{}, DownloadSession::Sending{});
}
END_TEST

START_TEST(test_ingest_flows_twice) {
  change<Ingest>(Ingest::Flowing{}, Ingest::Flowing{});
}
END_TEST

START_TEST(test_tls_opens_after_an_error) {
  change<TlsSession>(TlsSession::Broken{}, TlsSession::Open{});
}
END_TEST

// --- The stream ---

START_TEST(test_stream) {
  StreamState stream;
  ck_assert(!stream.can_be_sent() && !stream.awaits_start_point() && stream.can_be_joined());
  stream.set_container({"video/mp4", ContainerHeader::AtStart});
  ck_assert(stream.awaits_start_point() && !stream.can_be_sent() && stream.can_be_joined());
  ck_assert_str_eq(stream.type().c_str(), "video/mp4");
  stream.note_start_point();
  ck_assert(stream.can_be_sent() && !stream.has_ended() && !stream.can_be_joined());
  stream.note_start_point();
  stream.end();
  stream.end();
  ck_assert(stream.can_be_sent() && stream.has_ended() && stream.can_be_joined());
  stream.resume();
  stream.resume();
  ck_assert(stream.can_be_sent() && !stream.has_ended() && !stream.can_be_joined());
  stream.set_container({"video/x-matroska", ContainerHeader::InCaps});
  ck_assert(stream.can_be_sent() && stream.can_be_joined());
  ck_assert_str_eq(stream.type().c_str(), "video/x-matroska");
  stream.close();
  stream.close();
  stream.set_container({"video/mp4", ContainerHeader::InCaps});
  stream.resume();
  stream.end();
  ck_assert(stream.is_closing() && !stream.can_be_sent() && stream.type().empty());
}
END_TEST

START_TEST(test_stream_with_a_header_in_the_caps) {
  StreamState stream;
  stream.set_container({"video/webm", ContainerHeader::InCaps});
  ck_assert(stream.can_be_sent() && stream.can_be_joined());
}
END_TEST

START_TEST(test_stream_that_ends_before_it_starts) {
  StreamState stream;
  stream.end();
  ck_assert(stream.has_ended() && !stream.can_be_sent());
  stream.resume();
  ck_assert(!stream.has_ended() && !stream.awaits_start_point());
  stream.set_container({"video/x-flv", ContainerHeader::InStream});
  stream.end();
  ck_assert(stream.has_ended() && !stream.can_be_sent());
  ck_assert_str_eq(stream.type().c_str(), "video/x-flv");
  stream.resume();
  ck_assert(!stream.has_ended() && stream.awaits_start_point());
  stream.note_start_point();
  ck_assert(stream.can_be_sent());
}
END_TEST

// --- The client ---

// A peer that reads all bytes, or none.
class Peer final : public Transport {
public:
  Peer(GSocket *socket, std::string &received, const bool &is_blocked)
      : Transport(nullptr, socket), received_(received), is_blocked_(is_blocked) {}

  Result send(std::span<iovec> parts, Next) override {
    if (is_blocked_)
      return {Result::Kind::Blocked};
    std::size_t size = 0;
    for (const iovec &part : parts) {
      received_.append(static_cast<const char *>(part.iov_base), part.iov_len);
      size += part.iov_len;
    }
    return {Result::Kind::Done, size};
  }
  Result receive(std::span<std::uint8_t>) override { return {Result::Kind::Blocked}; }

private:
  std::string &received_;
  const bool &is_blocked_;
};

struct TestSession {
  explicit TestSession(ClientSession::Admission admission = ClientSession::Admission::Allowed) {
    context.settings = std::make_shared<const BroadcastSettings>();
    context.now = Clock::now();
    session.emplace(7, Arrival{{}, std::make_unique<Peer>(socket.get(), received, is_blocked)},
                    admission, context, broadcast);
  }

  void become_ready() {
    context.stream.set_container({"video/x-flv", ContainerHeader::InCaps});
    session->serve();
    ck_assert(received.starts_with("HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n"));
    received.clear();
  }

  gstflv::ObjectPtr<GSocket> socket{
      g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, nullptr)};
  Broadcast broadcast{[] {}, [](Broadcast &) {}};
  SessionContext context;
  std::string received;
  bool is_blocked = false;
  std::optional<ClientSession> session;
};

START_TEST(test_client_gets_all_of_an_ended_stream) {
  TestSession test;
  test.session->serve();
  ck_assert(test.received.empty() && !test.session->close_reason());
  test.become_ready();
  test.context.stream.end();
  test.session->serve();
  ck_assert(test.session->close_reason() == Reason::Ended);
  ck_assert_uint_eq(test.context.closed_count, 1);
  test.session->serve();
  test.session->check_timeouts();
  test.session->begin_close(Reason::Removed, CloseCode::Normal, "");
  test.session->close(Reason::Broken);
  ck_assert(test.session->close_reason() == Reason::Ended);
  ck_assert_uint_eq(test.context.closed_count, 1);
  ck_assert(test.received.empty());
}
END_TEST

START_TEST(test_client_is_refused) {
  static const struct {
    ClientSession::Admission admission;
    const char *answer;
  } kRows[] = {{ClientSession::Admission::StreamHasEnded, "HTTP/1.1 503 "},
               {ClientSession::Admission::StreamHasBegun, "HTTP/1.1 406 "}};
  TestSession test(ROW(kRows).admission);
  test.context.stream.set_container({"video/mp4", ContainerHeader::AtStart});
  test.context.stream.note_start_point();
  test.session->serve();
  ck_assert(test.received.starts_with(ROW(kRows).answer));
  ck_assert(test.session->close_reason() == Reason::Waited);
}
END_TEST

START_TEST(test_client_waits_too_long) {
  TestSession test;
  test.context.now += milliseconds(test.context.settings->wait_timeout - 1);
  test.session->serve();
  ck_assert(test.received.empty());
  test.context.now += milliseconds(1);
  test.session->serve();
  ck_assert(test.received.starts_with("HTTP/1.1 503 "));
  ck_assert(test.session->close_reason() == Reason::Waited);
}
END_TEST

// The reason stays until the client is closed. The server's stop replaces it.
START_TEST(test_closing_client_accepts_nothing) {
  const bool stops = _i == 1;
  TestSession test;
  test.is_blocked = true;
  test.session->begin_close(Reason::Removed, CloseCode::GoingAway, "removed");
  test.session->begin_close(Reason::Protocol, CloseCode::GoingAway, "");
  test.session->serve();
  test.context.now += milliseconds(999);
  test.session->check_timeouts();
  ck_assert(!test.session->close_reason());
  if (stops) {
    test.context.stream.close();
    test.session->serve();
  } else {
    test.context.now += milliseconds(1);
    test.session->check_timeouts();
  }
  ck_assert(test.session->close_reason() == (stops ? Reason::Stopped : Reason::Removed));
  ck_assert(test.received.empty());
}
END_TEST

START_TEST(test_connection_is_lost) {
  TestSession test;
  if (_i == 1)
    test.become_ready();
  test.session->note_readiness(Readiness(EPOLLIN | EPOLLHUP));
  ck_assert(test.session->close_reason() == Reason::Closed);
  ck_assert_uint_eq(test.context.to_serve.size(), 1);
  test.session->serve();
  ck_assert(test.received.empty());
}
END_TEST

} // namespace

int main(int argc, char **argv) {
  flvtest::init_without_plugins(&argc, &argv);
  init_categories();
  return flvtest::run("httpserver_states",
                      {{test_stream_is_ready_before_its_type_is_known, 1, SIGABRT},
                       {test_stream_reopens, 1, SIGABRT},
                       {test_client_streams_twice, 1, SIGABRT},
                       {test_client_streams_after_it_is_closed, 1, SIGABRT},
                       {test_download_starts_twice, 1, SIGABRT},
                       {test_download_continues_after_it_is_complete, 1, SIGABRT},
                       {test_ingest_flows_twice, 1, SIGABRT},
                       {test_tls_opens_after_an_error, 1, SIGABRT},
                       {test_stream},
                       {test_stream_with_a_header_in_the_caps},
                       {test_stream_that_ends_before_it_starts},
                       {test_client_gets_all_of_an_ended_stream},
                       {test_client_is_refused, 2},
                       {test_client_waits_too_long},
                       {test_closing_client_accepts_nothing, 2},
                       {test_connection_is_lost, 2}});
}
