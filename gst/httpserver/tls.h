// SPDX-License-Identifier: LGPL-2.1-or-later
// TLS for who connects, in whatever thread asks, and without waiting: a handshake that stands still
// is no more than a connection that says nothing. GLib's own runs each in a thread that it shares
// with all of the process, and a few that stand still keep everybody else's from it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include <gio/gio.h>
#include <gnutls/gnutls.h>
#include <sys/types.h>

#include "base/gst_ptr.h"

namespace flvhttp {

// A certificate with those that vouch for it, and its key.
class TlsCredentials {
public:
  // PEM files. nullptr: `error` says why.
  [[nodiscard]] static std::shared_ptr<const TlsCredentials>
  load(const std::string &certificate, const std::string &key, GError **error);

  ~TlsCredentials();
  TlsCredentials(const TlsCredentials &) = delete;
  TlsCredentials &operator=(const TlsCredentials &) = delete;

  [[nodiscard]] gnutls_certificate_credentials_t get() const { return credentials_; }

private:
  TlsCredentials() = default;

  gnutls_certificate_credentials_t credentials_ = nullptr;
};

// Credentials that follow their files.
class TlsFiles {
public:
  TlsFiles(std::string certificate, std::string key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  // false: `error` says why.
  [[nodiscard]] bool load(GError **error);
  // Reads the files again if they have changed. Where that fails, the credentials stay what they
  // were, and `error` says why: once for each change.
  [[nodiscard]] std::shared_ptr<const TlsCredentials> current(GError **error);

private:
  // What changes with a file.
  struct Version {
    dev_t device = 0;
    ino_t number = 0;
    off_t size = 0;
    std::int64_t modified = 0; // ns, as is the other
    std::int64_t changed = 0;

    bool operator==(const Version &) const = default;
  };

  [[nodiscard]] static Version version_of(const std::string &name);

  std::string certificate_;
  std::string key_;
  std::array<Version, 2> versions_{};
  std::shared_ptr<const TlsCredentials> credentials_;
};

// The server's side of a connection. Reading and writing do what is left of the handshake first,
// and fail with G_IO_ERROR_WOULD_BLOCK rather than wait.
class TlsSession {
public:
  TlsSession(std::shared_ptr<const TlsCredentials> credentials, GSocketConnection *connection);
  // Says goodbye, if there is room.
  ~TlsSession();
  TlsSession(const TlsSession &) = delete;
  TlsSession &operator=(const TlsSession &) = delete;

  // 0: the other side has ended.
  [[nodiscard]] gssize read(void *bytes, gsize size, GError **error);
  // What was not written has to be tried again as it was.
  [[nodiscard]] gssize write(const void *bytes, gsize size, GError **error);
  [[nodiscard]] bool is_ready(GIOCondition condition) const;
  // Fires when it is worth trying again.
  [[nodiscard]] GSource *new_source(GIOCondition condition, GCancellable *cancellable) const;

private:
  [[nodiscard]] bool shake_hands(GError **error);
  [[nodiscard]] GSocket *socket() const {
    return g_socket_connection_get_socket(connection_.get());
  }
  [[nodiscard]] GIOCondition waits_for(GIOCondition condition) const;

  std::shared_ptr<const TlsCredentials> credentials_;
  gstflv::ObjectPtr<GSocketConnection> connection_;
  gnutls_session_t session_ = nullptr;
  bool open_ = false; // the handshake is over
  bool broken_ = false;
  bool half_written_ = false; // a record
};

} // namespace flvhttp
