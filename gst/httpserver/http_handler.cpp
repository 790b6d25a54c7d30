// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions of Listener that answer the requests from libsoup.
#include <cstring>
#include <utility>

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
  if (site)
    return refuse(message, SOUP_STATUS_NOT_IMPLEMENTED);
  allow_origin(message, route->broadcast->settings()->allow_origin);
  set_header(message, "Cache-Control", "no-cache, no-store");
  if (method == "OPTIONS")
    return answer_preflight(message);
  if (method != "GET" && method != "HEAD") {
    set_header(message, "Allow", kMethods);
    return refuse(message, SOUP_STATUS_METHOD_NOT_ALLOWED);
  }
  if (route->report)
    return answer_report(message, *route);
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
  const bool head = soup_server_message_get_method(message) == SOUP_METHOD_HEAD;
  if (head) {
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
  if (!broadcast->has_room())
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
    std::shared_ptr<Broadcast> broadcast;
  };
  g_signal_connect_data(
      message, "wrote-informational", G_CALLBACK(+[](SoupServerMessage *ready, gpointer data) {
        hand_over(ready, *static_cast<Upgraded *>(data)->broadcast, Framing::WebSocket);
      }),
      new Upgraded{broadcast},
      [](gpointer data, GClosure *) { delete static_cast<Upgraded *>(data); },
      static_cast<GConnectFlags>(0));
}

void Listener::hand_over(SoupServerMessage *message, Broadcast &broadcast, Framing framing) {
  GSocketAddress *address = soup_server_message_get_remote_address(message);
  Pending *pending = pending_of(message);
  const char *agent = request_header(message, "User-Agent");
  Visitor visitor{text_of(address), cut_text(agent ? agent : ""), framing,
                  is_tls(pending->admitted.stream.get())};
  Admitted admitted = std::exchange(pending->admitted, {});
  pending->timeout.reset();
  const ObjectPtr<GIOStream> stolen(soup_server_message_steal_connection(message));
  broadcast.add({std::move(visitor), Transport::over(std::move(admitted.stream), admitted.socket)});
}

} // namespace flvhttp
