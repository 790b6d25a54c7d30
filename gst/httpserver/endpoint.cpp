// SPDX-License-Identifier: LGPL-2.1-or-later
#include "endpoint.h"

#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace flvhttp {

using gstflv::ObjectPtr;

namespace {

constexpr const char *kEndpoint = "flvhttp-endpoint";

} // namespace

Endpoint::Endpoint(ListenAddress place)
    : place_(std::move(place)), port_(place_.port),
      source_(static_cast<GObject *>(g_object_new(G_TYPE_OBJECT, nullptr))) {
  g_object_set_data(source_.get(), kEndpoint, this);
}

Endpoint *Endpoint::of(GObject *source) {
  return static_cast<Endpoint *>(g_object_get_data(source, kEndpoint));
}

bool Endpoint::prepare(GError **error) {
  if (!place_.certificate.empty()) {
    const std::string &key = place_.key.empty() ? place_.certificate : place_.key;
    tls_.emplace(place_.certificate, key);
    if (!tls_->load(error))
      return false;
  }
  if (place_.address.empty())
    return true;
  const ObjectPtr<GResolver> resolver(g_resolver_get_default());
  addresses_.reset(
      g_resolver_lookup_by_name(resolver.get(), place_.address.c_str(), nullptr, error));
  return addresses_ != nullptr;
}

bool Endpoint::bind(GSocketListener *listener, GError **error) {
  if (place_.address.empty()) {
    // One socket for IPv6 and IPv4, or one for IPv4 where the system has no IPv6.
    if (port_ == 0)
      port_ = g_socket_listener_add_any_inet_port(listener, source_.get(), error);
    else if (!g_socket_listener_add_inet_port(listener, port_, source_.get(), error))
      return false;
    return is_bound_ = port_ != 0;
  }
  for (const GList *item = addresses_.get(); item; item = item->next) {
    const ObjectPtr<GSocketAddress> wanted(
        g_inet_socket_address_new(static_cast<GInetAddress *>(item->data), port_));
    GSocketAddress *effective = nullptr;
    GError *problem = nullptr;
    if (g_socket_listener_add_address(listener, wanted.get(), G_SOCKET_TYPE_STREAM,
                                      G_SOCKET_PROTOCOL_TCP, source_.get(), &effective, &problem)) {
      port_ = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(effective));
      g_object_unref(effective);
      is_bound_ = true;
      continue;
    }
    const bool last = !item->next && !is_bound_;
    if (last || g_error_matches(problem, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE)) {
      g_propagate_error(error, problem);
      return false;
    }
    g_error_free(problem);
  }
  return true;
}

bool Endpoint::adopt(int descriptor, GSocketListener *listener, GError **error) {
  const ObjectPtr<GSocket> socket(g_socket_new_from_fd(descriptor, error));
  if (!socket) {
    close(descriptor);
    return false;
  }
  gint listens = 0;
  g_socket_get_option(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, nullptr);
  const ObjectPtr<GSocketAddress> local(g_socket_get_local_address(socket.get(), error));
  if (!local)
    return false;
  if (listens == 0 || !G_IS_INET_SOCKET_ADDRESS(local.get())) {
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "file descriptor %d is not a listening TCP socket", descriptor);
    return false;
  }
  port_ = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local.get()));
  is_bound_ = g_socket_listener_add_socket(listener, socket.get(), source_.get(), error) != FALSE;
  return is_bound_;
}

std::shared_ptr<const TlsCredentials> Endpoint::credentials(GError **error) {
  return tls_ ? tls_->current(error) : nullptr;
}

} // namespace flvhttp
