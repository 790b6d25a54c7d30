// SPDX-License-Identifier: LGPL-2.1-or-later
// Non-blocking TLS for the server side, in the thread of the caller. A stalled handshake costs no
// more than an idle connection. GLib's TLS runs handshakes in a thread pool that the whole process
// shares. A few stalled handshakes in this pool block all others.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include <gio/gio.h>
#include <gnutls/gnutls.h>
#include <sys/types.h>

#include "base/gst_ptr.h"
#include "states/transition.h"

namespace flvhttp {

// A certificate, its chain and its private key.
class TlsCredentials {
public:
  // Reads PEM files. nullptr: `error` is set.
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

// Credentials that are reloaded when their files change.
class TlsFiles {
public:
  TlsFiles(std::string certificate, std::string key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}

  // false: `error` is set.
  [[nodiscard]] bool load(GError **error);
  // Reads the files again if they have changed. If that fails, the previous credentials stay in
  // use, and `error` is set once per change.
  [[nodiscard]] std::shared_ptr<const TlsCredentials> current(GError **error);

private:
  // File attributes: at least one differs after a change of the file.
  struct Version {
    dev_t device = 0;
    ino_t number = 0;
    off_t size = 0;
    std::int64_t modified = 0; // ns, as is `changed`
    std::int64_t changed = 0;

    bool operator==(const Version &) const = default;
  };

  [[nodiscard]] static Version version_of(const std::string &name);

  std::string certificate_;
  std::string key_;
  std::array<Version, 2> versions_{};
  std::shared_ptr<const TlsCredentials> credentials_;
};

// The server side of a TLS connection. read() and write() complete the handshake first. They never
// block, and fail with G_IO_ERROR_WOULD_BLOCK instead.
//
//    Handshaking -----> Open
//         |              |
//         |  an error    |  an error
//         v              v
//       Broken <---------+
class TlsSession {
public:
  struct Handshaking {
    static constexpr const char *kName = "Handshaking";
  };
  struct Open {
    static constexpr const char *kName = "Open";

    bool is_half_written = false; // a record is partly written
  };
  struct Broken {
    static constexpr const char *kName = "Broken";
  };
  using State = std::variant<Handshaking, Open, Broken>;
  using Transitions = states::TransitionTable<states::Transition<Handshaking, Open>,
                                              states::Transition<Handshaking, Broken>,
                                              states::Transition<Open, Broken>>;

  TlsSession(std::shared_ptr<const TlsCredentials> credentials, GSocketConnection *connection);
  // Sends close_notify, unless the socket would block.
  ~TlsSession();
  TlsSession(const TlsSession &) = delete;
  TlsSession &operator=(const TlsSession &) = delete;

  // 0: the peer has ended its stream.
  [[nodiscard]] gssize read(void *bytes, gsize size, GError **error);
  // After G_IO_ERROR_WOULD_BLOCK, the caller must write the same bytes again.
  [[nodiscard]] gssize write(const void *bytes, gsize size, GError **error);
  [[nodiscard]] bool is_ready(GIOCondition condition) const;
  // Fires when a read or a write can make progress.
  [[nodiscard]] GSource *new_source(GIOCondition condition, GCancellable *cancellable) const;

private:
  void set_state(State next);
  [[nodiscard]] bool shake_hands(GError **error);
  [[nodiscard]] bool has_buffered_data() const;
  [[nodiscard]] GSocket *socket() const {
    return g_socket_connection_get_socket(connection_.get());
  }
  [[nodiscard]] GIOCondition waits_for(GIOCondition condition) const;

  std::shared_ptr<const TlsCredentials> credentials_;
  gstflv::ObjectPtr<GSocketConnection> connection_;
  gnutls_session_t session_ = nullptr; // nullptr: GnuTLS could not create it
  State state_ = Handshaking{};
};

} // namespace flvhttp
