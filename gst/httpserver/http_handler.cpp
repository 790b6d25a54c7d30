// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of Listener that answer the requests from libsoup.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "http/request_head.h"
#include "listener.h"
#include "response.h"
#include "tls_stream.h"
#include "url_path.h"

namespace flvhttp {

using fanout::Framing;
using gstflv::ObjectPtr;
using gstflv::StringPtr;

namespace {

constexpr const char *kVersion = "13"; // of WebSocket
constexpr guint kUpgradeRequired = 426;
constexpr const char *kMethods = "GET, HEAD, OPTIONS";

const char *request_header(SoupServerMessage *message, const char *name) {
  return soup_message_headers_get_one(soup_server_message_get_request_headers(message), name);
}

Pending *pending_of(SoupServerMessage *message) {
  GSocketAddress *address = soup_server_message_get_remote_address(message);
  return static_cast<Pending *>(g_object_get_data(G_OBJECT(address), kPending));
}

void set_header(SoupServerMessage *message, const char *name, const char *value) {
  soup_message_headers_replace(soup_server_message_get_response_headers(message), name, value);
}

void refuse(SoupServerMessage *message, guint status) {
  soup_server_message_set_status(message, status, nullptr);
  if (status == SOUP_STATUS_SERVICE_UNAVAILABLE)
    set_header(message, "Retry-After", "2");
}

void refuse_middle(SoupServerMessage *message, const std::string &type) {
  const std::string text = needs_start_text(type);
  soup_server_message_set_status(message, SOUP_STATUS_NOT_ACCEPTABLE, nullptr);
  soup_server_message_set_response(message, "text/plain", SOUP_MEMORY_COPY, text.data(),
                                   text.size());
}

std::string text_of(GSocketAddress *address) {
  if (!G_IS_INET_SOCKET_ADDRESS(address))
    return "";
  auto *inet = G_INET_SOCKET_ADDRESS(address);
  const StringPtr host(g_inet_address_to_string(g_inet_socket_address_get_address(inet)));
  const bool brackets =
      g_inet_address_get_family(g_inet_socket_address_get_address(inet)) == G_SOCKET_FAMILY_IPV6;
  std::string text = brackets ? "[" : "";
  text += host.get();
  text += brackets ? "]:" : ":";
  return text + std::to_string(g_inet_socket_address_get_port(inet));
}

// Without the port.
std::string host_of(GSocketAddress *address) {
  if (!G_IS_INET_SOCKET_ADDRESS(address))
    return "";
  const StringPtr host(
      g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address))));
  return host.get();
}

double seconds_since(gint64 arrival_us) {
  return static_cast<double>(g_get_monotonic_time() - arrival_us) * 1e-6;
}

// A line that is not three words is the target: the log has all of it.
void note_request_line(LoggedRequest &request, std::string_view head) {
  const std::string_view line = http::first_line(head);
  const auto words = line.size() < head.size() ? http::parse_request_line(line) : std::nullopt;
  request.method = words ? words->method : "";
  request.target = words ? words->target : line;
  request.protocol = words ? words->protocol : "";
}

Request request_of(SoupServerMessage *message, bool secure) {
  Request request;
  request.is_head = soup_server_message_get_method(message) == SOUP_METHOD_HEAD;
  GUri *uri = soup_server_message_get_uri(message);
  request.path = normalized_path(g_uri_get_path(uri)).value_or("");
  if (request.path.empty()) // "GET http://localhost"
    request.path = "/";
  if (const char *query = g_uri_get_query(uri))
    request.query = query;
  request.address = host_of(soup_server_message_get_remote_address(message));
  request.secure = secure;
  SoupMessageHeadersIter iter;
  soup_message_headers_iter_init(&iter, soup_server_message_get_request_headers(message));
  const char *name = nullptr;
  const char *value = nullptr;
  while (soup_message_headers_iter_next(&iter, &name, &value)) {
    const auto same =
        std::find_if(request.fields.begin(), request.fields.end(), [name](const auto &each) {
          return g_ascii_strcasecmp(each.first.c_str(), name) == 0;
        });
    if (same == request.fields.end())
      request.fields.emplace_back(name, value);
    else
      same->second.append(", ").append(value);
  }
  return request;
}

void allow_origin(SoupServerMessage *message, const std::string &origin) {
  // begin_answer() may have set the fields of another origin.
  SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
  for (const auto &[name, value] : origin_fields("null"))
    soup_message_headers_remove(headers, name);
  for (const auto &[name, value] : origin_fields(origin))
    set_header(message, name, value.c_str());
}

// At most the first kMaxAgent bytes of the text, without an incomplete character at the end.
std::string cut_text(const std::string &text) {
  constexpr std::size_t kMaxAgent = 256;
  if (text.size() <= kMaxAgent)
    return text;
  std::size_t end = kMaxAgent;
  constexpr std::size_t kLongest = 3; // bytes of a UTF-8 character after its first
  const auto continues = [&text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (end > kMaxAgent - kLongest && continues(end))
    end--;
  return text.substr(0, continues(end) ? kMaxAgent : end);
}

// A browser sends a preflight request before the request of another site's script.
void answer_preflight(SoupServerMessage *message) {
  soup_server_message_set_status(message, SOUP_STATUS_NO_CONTENT, nullptr);
  set_header(message, "Allow", kMethods);
  set_header(message, "Access-Control-Allow-Methods", kMethods);
  const char *wanted = request_header(message, "Access-Control-Request-Headers");
  set_header(message, "Access-Control-Allow-Headers", wanted ? wanted : "*");
  set_header(message, "Access-Control-Max-Age", "86400");
}

// Whether a script of another site sent the request.
bool is_from_elsewhere(SoupServerMessage *message) {
  const char *origin = request_header(message, "Origin");
  const char *host = request_header(message, "Host");
  const char *site = origin ? strstr(origin, "://") : nullptr;
  return origin && !(site && host && g_ascii_strcasecmp(site + 3, host) == 0);
}

bool wants_websocket(SoupServerMessage *message) {
  const char *upgrade = request_header(message, "Upgrade");
  return upgrade && g_ascii_strcasecmp(upgrade, "websocket") == 0;
}

} // namespace

// Sets the CORS fields for requests that libsoup rejects without calling answer().
void Listener::begin_answer(SoupServerMessage *message) const {
  allow_origin(message, routes_.common_origin());
}

void Listener::answer(SoupServerMessage *message) {
  if (Pending *pending = pending_of(message))
    pending->leave_line();
  const std::string method = soup_server_message_get_method(message);
  const char *path = g_uri_get_path(soup_server_message_get_uri(message));
  set_header(message, "Connection", "close");
  const auto normalized = normalized_path(path);
  const auto found = normalized ? routes_.find(*normalized) : Routes::Found{};
  const auto *route = std::get_if<Route>(&found);
  const auto *site = std::get_if<std::shared_ptr<Site>>(&found);
  if (!route && !site)
    return refuse(message, SOUP_STATUS_NOT_FOUND);
  allow_origin(message,
               site ? (*site)->allow_origin() : route->broadcast->settings()->allow_origin);
  if (route)
    set_header(message, "Cache-Control", "no-cache, no-store");
  if (method == "OPTIONS")
    return answer_preflight(message);
  if (method != "GET" && method != "HEAD") {
    set_header(message, "Allow", kMethods);
    return refuse(message, SOUP_STATUS_METHOD_NOT_ALLOWED);
  }
  if (route && route->report)
    return answer_report(message, *route);
  if (site)
    return has_room() ? answer_site(message, **site)
                      : refuse(message, SOUP_STATUS_SERVICE_UNAVAILABLE);
  answer_stream(message, route->broadcast);
}

void Listener::answer_report(SoupServerMessage *message, const Route &route) {
  // The client may close the connection before the report is built.
  struct Asked {
    ObjectPtr<SoupServerMessage> message;
    bool finished = false;
  };
  const auto asked = std::make_shared<Asked>();
  asked->message.reset(static_cast<SoupServerMessage *>(g_object_ref(message)));
  g_signal_connect_data(
      message, "finished", G_CALLBACK(+[](SoupServerMessage *, gpointer data) {
        if (const auto it = static_cast<std::weak_ptr<Asked> *>(data)->lock())
          it->finished = true;
      }),
      new std::weak_ptr<Asked>(asked),
      [](gpointer data, GClosure *) { delete static_cast<std::weak_ptr<Asked> *>(data); },
      static_cast<GConnectFlags>(0));
  soup_server_message_pause(message);
  reports_->ask(route.report, [asked, type = route.type](GBytes *text) {
    SoupServerMessage *waiting = asked->message.get();
    if (asked->finished)
      return;
    soup_server_message_set_status(waiting, SOUP_STATUS_OK, nullptr);
    set_header(waiting, "Content-Type", type.c_str());
    soup_message_body_append_bytes(soup_server_message_get_response_body(waiting), text);
    soup_server_message_unpause(waiting);
  });
}

void Listener::answer_stream(SoupServerMessage *message,
                             const std::shared_ptr<Broadcast> &broadcast) {
  if (soup_server_message_get_method(message) == SOUP_METHOD_HEAD) {
    const std::string type = broadcast->content_type();
    if (type.empty() || broadcast->has_ended())
      return refuse(message, SOUP_STATUS_SERVICE_UNAVAILABLE);
    if (!broadcast->can_be_joined())
      return refuse_middle(message, type);
    soup_server_message_set_status(message, SOUP_STATUS_OK, nullptr);
    set_header(message, "Content-Type", type.c_str());
    set_header(message, "X-Accel-Buffering", "no");
    soup_message_headers_set_encoding(soup_server_message_get_response_headers(message),
                                      SOUP_ENCODING_EOF);
    return;
  }
  if (!broadcast->has_room() || !has_room())
    return refuse(message, SOUP_STATUS_SERVICE_UNAVAILABLE);
  if (!broadcast->can_be_joined())
    return refuse_middle(message, broadcast->content_type());
  if (wants_websocket(message))
    return upgrade(message, broadcast);
  hand_over(message, *broadcast, Framing::Plain);
}

// A browser names the site of the script in Origin. Other clients need not send this field.
void Listener::upgrade(SoupServerMessage *message, const std::shared_ptr<Broadcast> &broadcast) {
  const char *version = request_header(message, "Sec-WebSocket-Version");
  if (version && strcmp(version, kVersion) != 0) {
    set_header(message, "Upgrade", "websocket");
    set_header(message, "Sec-WebSocket-Version", kVersion);
    return soup_server_message_set_status(message, kUpgradeRequired, "Upgrade Required");
  }
  const std::string allowed = broadcast->settings()->allow_origin;
  const bool any = allowed == "*" || !is_from_elsewhere(message);
  // The handshake adds its own Connection option. Clients reject a 101 response with a second
  // option.
  soup_message_headers_remove(soup_server_message_get_response_headers(message), "Connection");
  if (!soup_websocket_server_process_handshake(message, any ? nullptr : allowed.c_str(), nullptr,
                                               nullptr, nullptr)) {
    set_header(message, "Connection", "close");
    return soup_server_message_set_response(message, nullptr, SOUP_MEMORY_STATIC, nullptr, 0);
  }
  struct Upgraded {
    Listener *listener;
    std::shared_ptr<Broadcast> broadcast;
  };
  g_signal_connect_data(
      message, "wrote-informational", G_CALLBACK(+[](SoupServerMessage *ready, gpointer data) {
        const auto *upgraded = static_cast<Upgraded *>(data);
        upgraded->listener->hand_over(ready, *upgraded->broadcast, Framing::WebSocket);
      }),
      new Upgraded{this, broadcast},
      [](gpointer data, GClosure *) { delete static_cast<Upgraded *>(data); },
      static_cast<GConnectFlags>(0));
}

// Takes the connection from libsoup.
Admitted Listener::take_connection(SoupServerMessage *message) {
  Pending *pending = pending_of(message);
  Admitted admitted = std::exchange(pending->admitted, {});
  pending->timeout.reset();
  const ObjectPtr<GIOStream> stolen(soup_server_message_steal_connection(message));
  return admitted;
}

void Listener::hand_over(SoupServerMessage *message, Broadcast &broadcast, Framing framing) {
  const char *agent = request_header(message, "User-Agent");
  Visitor visitor{text_of(soup_server_message_get_remote_address(message)),
                  cut_text(agent ? agent : ""), framing,
                  is_tls(pending_of(message)->admitted.stream.get()), log_entry(message)};
  Admitted admitted = take_connection(message);
  broadcast.add({std::move(visitor), Transport::over(std::move(admitted.stream), admitted.socket)});
}

// The client leaves libsoup at once. So a site can respond at any time, and a client that leaves
// while the site works is noticed.
void Listener::answer_site(SoupServerMessage *message, Site &site) {
  DownloadClient client;
  client.request = request_of(message, is_tls(pending_of(message)->admitted.stream.get()));
  client.origin = site.allow_origin();
  client.log = log_entry(message);
  Admitted admitted = take_connection(message);
  client.transport = Transport::over(std::move(admitted.stream), admitted.socket);
  site.answer(downloads_.add(std::move(client)));
}

// nullptr: there is no log.
LogEntryPtr Listener::log_entry(SoupServerMessage *message) const {
  auto log = this->log();
  const Pending *pending = pending_of(message);
  if (!log || !pending)
    return nullptr;
  const auto field = [message](const char *name) {
    const char *value = request_header(message, name);
    return std::string(value ? value : "");
  };
  LoggedRequest request;
  request.time_us = pending->since;
  request.address = host_of(soup_server_message_get_remote_address(message));
  note_request_line(request, pending->admitted.head);
  request.referer = cut_text(field("Referer"));
  request.agent = cut_text(field("User-Agent"));
  request.secure = is_tls(pending->admitted.stream.get());
  return std::make_shared<const LogEntry>(std::move(log), std::move(request));
}

// The responses of libsoup. The other ones are logged when their clients leave.
void Listener::log_answer(SoupServerMessage *message, unsigned status, Reason reason) const {
  const Pending *pending = pending_of(message);
  if (!pending || !pending->admitted.stream)
    return;
  if (const LogEntryPtr entry = log_entry(message)) {
    const goffset size = soup_server_message_get_response_body(message)->length;
    const bool has_body =
        status != kNoResponse && soup_server_message_get_method(message) != SOUP_METHOD_HEAD;
    entry->write(status, has_body ? static_cast<std::uint64_t>(size) : 0,
                 seconds_since(pending->arrival), name_of(reason));
  }
}

// A request that did not reach libsoup.
void Listener::log_refusal(const Refusal &refusal) const {
  auto log = this->log();
  if (!log)
    return;
  const Admitted &connection = refusal.connection;
  const ObjectPtr<GSocketAddress> address(
      g_socket_connection_get_remote_address(connection.connection.get(), nullptr));
  LoggedRequest request;
  request.time_us = refusal.since;
  request.address = host_of(address.get());
  note_request_line(request, connection.head);
  request.secure = is_tls(connection.stream.get());
  LogEntry(std::move(log), std::move(request))
      .write(refusal.status, refusal.bytes, seconds_since(refusal.arrival), name_of(Reason::Ended));
}

} // namespace flvhttp
