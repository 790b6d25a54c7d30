// SPDX-License-Identifier: LGPL-2.1-or-later
#include "request_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/socket.h>

#include <libsoup/soup.h>

#include "categories.h"
#include "descriptors.h"
#include "http/request_head.h"
#include "response.h"
#include "tls_stream.h"

#define GST_CAT_DEFAULT gst_http_server_client_debug

namespace flvhttp {

namespace {

// Whether the head contains the empty line that ends it. An earlier call has searched the bytes
// before `from`.
bool has_end(const std::string &head, std::size_t from) {
  for (std::size_t at = head.find('\n', from > 2 ? from - 3 : 0); at != std::string::npos;
       at = head.find('\n', at + 1)) {
    const std::size_t next = at + 1 < head.size() && head[at + 1] == '\r' ? at + 2 : at + 1;
    if (next < head.size() && head[next] == '\n')
      return true;
  }
  return false;
}

// Empty lines before a request are not part of it (RFC 9112, 2.2).
const char *skip_empty_lines(const char *begin, const char *end) {
  return std::find_if(begin, end, [](char each) { return each != '\r' && each != '\n'; });
}

} // namespace

struct RequestReader::Waiting {
  RequestReader *reader = nullptr;
  Admitted admitted;
  std::shared_ptr<const TlsCredentials> credentials; // until the first byte arrives
  std::size_t size = 0;                              // bytes that were read
  gint64 since = g_get_real_time();                  // µs since 1970
  gint64 arrival = g_get_monotonic_time();           // µs
  Line::iterator place;
  SourcePtr readable;
  SourcePtr timeout;
};

RequestReader::RequestReader(GMainContext *context, std::function<void(Admitted)> admit,
                             std::function<void(const Refusal &)> refused,
                             std::function<std::string()> fields)
    : context_(context), admit_(std::move(admit)), refused_(std::move(refused)),
      fields_(std::move(fields)) {}

RequestReader::~RequestReader() = default;

void RequestReader::enter(GSocketConnection *connection,
                          std::shared_ptr<const TlsCredentials> credentials, guint timeout) {
  while (waiting_.size() >= std::min(kMaxWaiting, std::max<std::size_t>(1, max_descriptors() / 2)))
    refuse_oldest();
  auto entering = std::make_unique<Waiting>();
  Waiting &waiting = *entering;
  waiting.reader = this;
  Admitted &admitted = waiting.admitted;
  admitted.connection.reset(static_cast<GSocketConnection *>(g_object_ref(connection)));
  admitted.socket = g_socket_connection_get_socket(connection);
  g_socket_set_blocking(admitted.socket, FALSE);
  admitted.stream.reset(G_IO_STREAM(g_object_ref(connection)));
  waiting.credentials = std::move(credentials);
  waiting.place = waiting_.insert(waiting_.end(), std::move(entering));

  waiting.timeout.reset(g_timeout_source_new(timeout));
  g_source_set_callback(
      waiting.timeout.get(),
      [](gpointer data) -> gboolean {
        auto *late = static_cast<Waiting *>(data);
        late->reader->refuse(*late, SOUP_STATUS_REQUEST_TIMEOUT);
        return G_SOURCE_REMOVE;
      },
      &waiting, nullptr);
  g_source_attach(waiting.timeout.get(), context_);
  watch(waiting);
}

bool RequestReader::refuse_oldest() {
  if (waiting_.empty())
    return false;
  refuse(*waiting_.front(), SOUP_STATUS_REQUEST_TIMEOUT);
  return true;
}

void RequestReader::watch(Waiting &waiting) {
  GInputStream *input = g_io_stream_get_input_stream(waiting.admitted.stream.get());
  waiting.readable.reset(
      g_pollable_input_stream_create_source(G_POLLABLE_INPUT_STREAM(input), nullptr));
  const GPollableSourceFunc callback = [](GObject *, gpointer data) -> gboolean {
    auto *ready = static_cast<Waiting *>(data);
    ready->reader->read(*ready);
    return G_SOURCE_CONTINUE;
  };
  g_source_set_callback(waiting.readable.get(), G_SOURCE_FUNC(callback), &waiting, nullptr);
  g_source_attach(waiting.readable.get(), context_);
}

// Creates the TLS session on the first byte.
void RequestReader::read(Waiting &waiting) {
  if (waiting.credentials) {
    waiting.admitted.stream.reset(
        new_tls_stream(std::move(waiting.credentials), waiting.admitted.connection.get()));
  }
  std::string &head = waiting.admitted.head;
  GInputStream *input = g_io_stream_get_input_stream(waiting.admitted.stream.get());
  std::array<char, 2048> bytes{};
  while (true) {
    GError *error = nullptr;
    const gssize size = g_pollable_input_stream_read_nonblocking(
        G_POLLABLE_INPUT_STREAM(input), bytes.data(),
        std::min(bytes.size(), kMaxHead - waiting.size), nullptr, &error);
    const bool later = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    if (error && !later)
      GST_DEBUG("a connection fails after %zu bytes of its request: %s", waiting.size,
                error->message);
    g_clear_error(&error);
    if (later && is_tls(waiting.admitted.stream.get()))
      return watch(waiting); // a handshake alternates between reads and writes
    if (later)
      return;
    if (size <= 0)
      return leave(waiting);
    waiting.size += static_cast<std::size_t>(size);
    const std::size_t from = head.size();
    const auto *end = bytes.data() + size;
    head.append(head.empty() ? skip_empty_lines(bytes.data(), end) : bytes.data(), end);
    if (has_end(head, from))
      return take_head(waiting);
    if (waiting.size == kMaxHead)
      return refuse(waiting, kHeadTooLarge);
  }
}

// libsoup accepts heads that RFC 9112 forbids.
void RequestReader::take_head(Waiting &waiting) {
  if (const auto fault = http::head_fault(waiting.admitted.head))
    return refuse(waiting, fault->status, fault->text + "\n");
  Admitted admitted = std::move(waiting.admitted);
  leave(waiting);
  admit_(std::move(admitted));
}

// If unread data is left at the close, the system resets the connection, and the client loses the
// response. So the data is read first.
void RequestReader::refuse(Waiting &waiting, unsigned status, const std::string &text) {
  const Admitted &admitted = waiting.admitted;
  const bool can_answer =
      !(waiting.credentials || is_tls(admitted.stream.get())) || waiting.size > 0;
  if (can_answer) {
    const bool is_head = admitted.head.starts_with("HEAD ");
    const std::string body = is_head ? "" : text;
    const std::string answer = refusal_head(status, text.size(), fields_()) + body;
    g_pollable_output_stream_write_nonblocking(
        G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(admitted.stream.get())),
        answer.data(), answer.size(), nullptr, nullptr);
    refused_({admitted, waiting.since, waiting.arrival, status, body.size()});
  }
  const int descriptor = g_socket_get_fd(admitted.socket);
  shutdown(descriptor, SHUT_WR);
  std::array<char, 4096> rest{};
  constexpr int kMost = 64; // reads
  for (int i = 0; i < kMost && recv(descriptor, rest.data(), rest.size(), MSG_DONTWAIT) > 0; i++) {
  }
  leave(waiting);
}

void RequestReader::leave(const Waiting &waiting) {
  waiting_.erase(waiting.place);
}

} // namespace flvhttp
