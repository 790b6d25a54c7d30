// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sitetest.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sitetest {

namespace {

std::string new_path() {
  std::string path = std::string(g_get_tmp_dir()) + "/sitetest-XXXXXX";
  const int descriptor = mkstemp(path.data());
  fail_unless(descriptor >= 0);
  close(descriptor);
  return path;
}

void write_all(int descriptor, Bytes bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t size = pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    fail_unless(size > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
    offset += static_cast<std::uint64_t>(size);
  }
}

void write_file(const std::string &path, int flags, std::uint64_t offset, Bytes bytes) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0600);
  fail_unless(descriptor >= 0);
  write_all(descriptor, bytes, offset);
  close(descriptor);
}

template <typename Export, typename Object> std::string pem_of(Export export_pem, Object object) {
  gnutls_datum_t text{};
  fail_unless(export_pem(object, GNUTLS_X509_FMT_PEM, &text) >= 0);
  std::string pem(reinterpret_cast<const char *>(text.data), text.size);
  gnutls_free(text.data);
  return pem;
}

} // namespace

Certificate::Certificate() : path_(new_path()) {
  gnutls_x509_privkey_t key = nullptr;
  gnutls_x509_crt_t certificate = nullptr;
  gnutls_x509_privkey_init(&key);
  fail_unless(gnutls_x509_privkey_generate(
                  key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) >= 0);
  gnutls_x509_crt_init(&certificate);
  gnutls_x509_crt_set_version(certificate, 3);
  const unsigned char serial = 1;
  gnutls_x509_crt_set_serial(certificate, &serial, sizeof serial);
  constexpr std::time_t kDay = 24 * 60 * 60;
  gnutls_x509_crt_set_activation_time(certificate, std::time(nullptr) - kDay);
  gnutls_x509_crt_set_expiration_time(certificate, std::time(nullptr) + kDay);
  gnutls_x509_crt_set_key(certificate, key);
  fail_unless(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0) >= 0);
  const std::string pem =
      pem_of(gnutls_x509_crt_export2, certificate) + pem_of(gnutls_x509_privkey_export2, key);
  write_file(path_, O_TRUNC, 0,
             Bytes(reinterpret_cast<const std::uint8_t *>(pem.data()), pem.size()));
  gnutls_x509_crt_deinit(certificate);
  gnutls_x509_privkey_deinit(key);
}

Certificate::~Certificate() {
  unlink(path_.c_str());
}

SiteServer::SiteServer(TestSite::Answer answer, const std::string &certificate) {
  GError *error = nullptr;
  listener = Listener::open({{"127.0.0.1", 0, certificate, {}}}, {}, &error);
  fail_unless(listener != nullptr, "%s", error ? error->message : "");
  listener->set_log(log);
  if (answer)
    add_site("/", std::move(answer));
}

void SiteServer::add_site(const std::string &prefix, TestSite::Answer answer) {
  fail_if(listener->add_site(prefix, std::make_shared<TestSite>(std::move(answer))));
}

void SiteServer::wait_for_none() const {
  wait_for([this] { return listener->clients() == 0; }, "a client stays");
}

TestSite::Answer with(std::function<Response()> response) {
  return [response = std::move(response)](const std::shared_ptr<Exchange> &exchange) {
    exchange->respond(response());
  };
}

Response text_response(const std::string &text, unsigned status) {
  Response response;
  response.status = status;
  response.fields = {{"Content-Type", "text/plain"}};
  response.parts.emplace_back(text);
  return response;
}

Buffer pattern(std::size_t size, std::uint32_t seed) {
  Buffer bytes(size);
  for (std::uint8_t &byte : bytes) {
    seed = seed * 1664525U + 1013904223U;
    byte = static_cast<std::uint8_t>(seed >> 24);
  }
  return bytes;
}

TestFile::TestFile(Bytes content) : path_(new_path()) {
  append(content);
}

TestFile::~TestFile() {
  unlink(path_.c_str());
}

flvhttp::FilePtr TestFile::open() const {
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  fail_unless(descriptor >= 0);
  return std::make_shared<const flvhttp::OpenFile>(descriptor);
}

Response TestFile::whole() const {
  Response response;
  const flvhttp::FilePtr file = open();
  response.version = FileVersion::of(file->descriptor());
  response.parts.emplace_back(FileRange{file, 0, response.version->size});
  return response;
}

void TestFile::append(Bytes bytes) const {
  const FileVersion version = FileVersion::of(open()->descriptor()).value();
  write_file(path_, 0, version.size, bytes);
}

void TestFile::overwrite(std::uint64_t offset, Bytes bytes) const {
  write_file(path_, 0, offset, bytes);
}

void TestFile::truncate(std::uint64_t size) const {
  fail_unless(::truncate(path_.c_str(), static_cast<off_t>(size)) == 0);
}

void TestFile::replace(Bytes content) const {
  const std::string other = new_path();
  write_file(other, 0, 0, content);
  fail_unless(std::rename(other.c_str(), path_.c_str()) == 0);
}

TlsClient::TlsClient(guint port, const std::string &method) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fail_unless(connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
  gnutls_certificate_allocate_credentials(&credentials_);
  gnutls_init(&session_, GNUTLS_CLIENT);
  gnutls_set_default_priority(session_);
  gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_);
  gnutls_transport_set_int(session_, socket_);
  int result = 0;
  do {
    result = gnutls_handshake(session_);
  } while (result < 0 && gnutls_error_is_fatal(result) == 0);
  fail_unless(result >= 0, "%s", gnutls_strerror(result));
  const std::string request =
      method + " " + SiteServer::kPath + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  fail_unless(gnutls_record_send(session_, request.data(), request.size()) ==
              static_cast<ssize_t>(request.size()));
}

TlsClient::~TlsClient() {
  gnutls_deinit(session_);
  gnutls_certificate_free_credentials(credentials_);
  close(socket_);
}

bool TlsClient::receive() {
  std::array<std::uint8_t, 16384> bytes{};
  ssize_t size = 0;
  do {
    size = gnutls_record_recv(session_, bytes.data(), bytes.size());
  } while (size < 0 && gnutls_error_is_fatal(static_cast<int>(size)) == 0);
  if (size <= 0)
    return false;
  flvtest::append(body_, Bytes(bytes).first(static_cast<std::size_t>(size)));
  constexpr std::string_view kEnd = "\r\n\r\n";
  const auto end = std::search(body_.begin(), body_.end(), kEnd.begin(), kEnd.end());
  if (head_.empty() && end != body_.end()) {
    head_.assign(body_.begin(), end + kEnd.size());
    body_.erase(body_.begin(), end + kEnd.size());
  }
  return true;
}

void TlsClient::wait_for_size(std::size_t size) {
  while (head_.empty() || body_.size() < size)
    fail_unless(receive());
}

void TlsClient::wait_for_close() {
  while (receive()) {
  }
}

} // namespace sitetest
