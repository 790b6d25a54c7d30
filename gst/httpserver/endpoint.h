// SPDX-License-Identifier: LGPL-2.1-or-later
// An address at which a listener accepts connections.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <gio/gio.h>

#include "base/gst_ptr.h"
#include "tls.h"

namespace flvhttp {

struct FreeAddresses {
  void operator()(GList *addresses) const { g_resolver_free_addresses(addresses); }
};

struct ListenAddress {
  std::string address;     // a host name or a numeric address; empty: all addresses
  guint16 port = 0;        // 0: any free port; the listener is not shared
  std::string certificate; // a PEM file; empty: plain HTTP
  std::string key;

  bool operator==(const ListenAddress &) const = default;
};

class Endpoint {
public:
  explicit Endpoint(ListenAddress place);

  // Loads the certificate and looks up the host name. May block. false: `error` is set.
  [[nodiscard]] bool prepare(GError **error);
  // Binds to all addresses of the host name that this machine has, at one port.
  [[nodiscard]] bool bind(GSocketListener *listener, GError **error);
  // Uses a socket that listens already, instead of bind(). Takes the descriptor.
  [[nodiscard]] bool adopt(int descriptor, GSocketListener *listener, GError **error);

  [[nodiscard]] bool is_bound() const { return is_bound_; }
  [[nodiscard]] const ListenAddress &place() const { return place_; }
  [[nodiscard]] guint16 port() const { return port_; }
  // The credentials for a new connection; nullptr: plain HTTP. If changed files cannot be read,
  // `error` is set, and the previous credentials stay in use.
  [[nodiscard]] std::shared_ptr<const TlsCredentials> credentials(GError **error);

  // The endpoint of an accepted connection, from the source object that GSocketListener returns.
  [[nodiscard]] static Endpoint *of(GObject *source);

private:
  ListenAddress place_;
  guint16 port_ = 0;
  bool is_bound_ = false;
  std::optional<TlsFiles> tls_; // nullopt: plain HTTP
  std::unique_ptr<GList, FreeAddresses> addresses_;
  gstflv::ObjectPtr<GObject> source_; // of() finds the endpoint by it
};

} // namespace flvhttp
