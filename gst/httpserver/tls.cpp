// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tls.h"

#include <utility>

#include <sys/stat.h>

#include "base/state_change.h"
#include "categories.h"

#define GST_CAT_DEFAULT gst_http_server_client_debug

namespace flvhttp {

namespace {

// Bytes: the maximum size of a handshake message. Messages of clients have at most 2000 bytes.
constexpr std::size_t kMaxHandshake = 16 << 10;

class File {
public:
  File(const std::string &name, GError **error) {
    gsize size = 0;
    if (!g_file_get_contents(name.c_str(), &text_, &size, error))
      return;
    datum_ = {reinterpret_cast<unsigned char *>(text_), static_cast<unsigned>(size)};
  }
  ~File() { g_free(text_); }
  File(const File &) = delete;
  File &operator=(const File &) = delete;

  explicit operator bool() const { return text_ != nullptr; }
  [[nodiscard]] const gnutls_datum_t *get() const { return &datum_; }

private:
  char *text_ = nullptr;
  gnutls_datum_t datum_{};
};

// The messages of GnuTLS end with a full stop, which is removed.
std::string reason(int code) {
  std::string text = gnutls_strerror(code);
  if (text.ends_with('.'))
    text.pop_back();
  return text;
}

// The operation can be repeated.
bool must_retry(ssize_t code) {
  return code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED;
}

void set_error(GError **error, int code) {
  if (must_retry(code))
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "not yet");
  else
    g_set_error_literal(error, G_TLS_ERROR, G_TLS_ERROR_MISC, reason(code).c_str());
}

} // namespace

std::shared_ptr<const TlsCredentials> TlsCredentials::load(const std::string &certificate,
                                                           const std::string &key, GError **error) {
  const File chain(certificate, error);
  if (!chain)
    return nullptr;
  const File secret(key, error);
  if (!secret)
    return nullptr;
  const std::shared_ptr<TlsCredentials> loaded(new TlsCredentials);
  int result = gnutls_certificate_allocate_credentials(&loaded->credentials_);
  if (result >= 0)
    result = gnutls_certificate_set_x509_key_mem2(loaded->credentials_, chain.get(), secret.get(),
                                                  GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (result >= 0)
    return loaded;
  g_set_error(error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE, "%s with the key of %s: %s",
              certificate.c_str(), key.c_str(), reason(result).c_str());
  return nullptr;
}

TlsCredentials::~TlsCredentials() {
  if (credentials_)
    gnutls_certificate_free_credentials(credentials_);
}

TlsFiles::Version TlsFiles::version_of(const std::string &name) {
  constexpr std::int64_t kSecond = 1'000'000'000; // ns
  struct stat file {};
  if (stat(name.c_str(), &file) != 0)
    return {};
  return {file.st_dev, file.st_ino, file.st_size,
          file.st_mtim.tv_sec * kSecond + file.st_mtim.tv_nsec,
          file.st_ctim.tv_sec * kSecond + file.st_ctim.tv_nsec};
}

bool TlsFiles::load(GError **error) {
  versions_ = {version_of(certificate_), version_of(key_)};
  auto loaded = TlsCredentials::load(certificate_, key_, error);
  if (!loaded)
    return false;
  credentials_ = std::move(loaded);
  return true;
}

std::shared_ptr<const TlsCredentials> TlsFiles::current(GError **error) {
  if (versions_ != std::array{version_of(certificate_), version_of(key_)})
    (void)load(error);
  return credentials_;
}

TlsSession::TlsSession(std::shared_ptr<const TlsCredentials> credentials,
                       GSocketConnection *connection)
    : credentials_(std::move(credentials)),
      connection_(static_cast<GSocketConnection *>(g_object_ref(connection))) {
  const unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
  if (gnutls_init(&session_, flags) < 0) {
    session_ = nullptr;
    set_state(Broken{});
    return;
  }
  gnutls_handshake_set_max_packet_length(session_, kMaxHandshake);
  gnutls_transport_set_int(session_, g_socket_get_fd(socket()));
  if (gnutls_set_default_priority(session_) < 0 ||
      gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_->get()) < 0)
    set_state(Broken{});
}

TlsSession::~TlsSession() {
  if (std::holds_alternative<Open>(state_))
    gnutls_bye(session_, GNUTLS_SHUT_WR);
  if (session_)
    gnutls_deinit(session_);
}

void TlsSession::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, nullptr, "TLS session", state_, next);
}

bool TlsSession::shake_hands(GError **error) {
  if (std::holds_alternative<Broken>(state_)) {
    set_error(error, GNUTLS_E_INVALID_SESSION);
    return false;
  }
  if (std::holds_alternative<Open>(state_))
    return true;
  const int result = gnutls_handshake(session_);
  if (result == GNUTLS_E_SUCCESS) {
    set_state(Open{});
    return true;
  }
  if (!must_retry(result)) {
    set_state(Broken{});
    gnutls_alert_send_appropriate(session_, result);
  }
  set_error(error, result);
  return false;
}

// A close without close_notify is the end of the stream, too.
gssize TlsSession::read(void *bytes, gsize size, GError **error) {
  if (!shake_hands(error))
    return -1;
  const ssize_t result = gnutls_record_recv(session_, bytes, size);
  if (result >= 0)
    return result;
  if (result == GNUTLS_E_PREMATURE_TERMINATION)
    return 0;
  if (!must_retry(result))
    set_state(Broken{});
  set_error(error, static_cast<int>(result));
  return -1;
}

gssize TlsSession::write(const void *bytes, gsize size, GError **error) {
  if (!shake_hands(error))
    return -1;
  bool &is_half_written = std::get<Open>(state_).is_half_written;
  const ssize_t result = is_half_written ? gnutls_record_send(session_, nullptr, 0)
                                         : gnutls_record_send(session_, bytes, size);
  is_half_written = must_retry(result);
  if (result >= 0)
    return result;
  if (!is_half_written)
    set_state(Broken{});
  set_error(error, static_cast<int>(result));
  return -1;
}

// During the handshake, a read may need a writable socket, and a write may need a readable one.
GIOCondition TlsSession::waits_for(GIOCondition condition) const {
  if (!std::holds_alternative<Handshaking>(state_))
    return condition;
  return gnutls_record_get_direction(session_) == 0 ? G_IO_IN : G_IO_OUT;
}

// Whether a read needs no data from the socket.
bool TlsSession::has_buffered_data() const {
  return session_ && !std::holds_alternative<Handshaking>(state_) &&
         gnutls_record_check_pending(session_) > 0;
}

bool TlsSession::is_ready(GIOCondition condition) const {
  return (condition == G_IO_IN && has_buffered_data()) ||
         g_socket_condition_check(socket(), waits_for(condition)) != 0;
}

GSource *TlsSession::new_source(GIOCondition condition, GCancellable *cancellable) const {
  if (condition == G_IO_IN && has_buffered_data())
    return g_timeout_source_new(0);
  return g_socket_create_source(socket(), waits_for(condition), cancellable);
}

} // namespace flvhttp
