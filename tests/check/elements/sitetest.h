// SPDX-License-Identifier: LGPL-2.1-or-later
// A listener with sites that the test answers, files to download, and a client over TLS.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gnutls/gnutls.h>

#include "httpserver/listener.h"
#include "httptest.h"

namespace sitetest {

using flvhttp::Exchange;
using flvhttp::FileRange;
using flvhttp::FileVersion;
using flvhttp::Listener;
using flvhttp::Response;
using flvtest::Buffer;
using flvtest::Bytes;
using httptest::Client;
using httptest::wait_for;

// A site that calls a function.
class TestSite final : public flvhttp::Site {
public:
  using Answer = std::function<void(std::shared_ptr<Exchange>)>;

  explicit TestSite(Answer answer, std::string origin = "*")
      : answer_(std::move(answer)), origin_(std::move(origin)) {}
  void answer(std::shared_ptr<Exchange> exchange) override { answer_(std::move(exchange)); }
  [[nodiscard]] std::string allow_origin() const override { return origin_; }

private:
  Answer answer_;
  std::string origin_;
};

// Keeps what is logged.
class TestLog final : public flvhttp::RequestLog {
public:
  void write(const flvhttp::LoggedRequest &request) override {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  [[nodiscard]] std::vector<flvhttp::LoggedRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // Waits for the first request.
  [[nodiscard]] flvhttp::LoggedRequest first() const {
    wait_for([this] { return !requests().empty(); }, "nothing is logged");
    return requests().front();
  }

private:
  mutable std::mutex mutex_;
  std::vector<flvhttp::LoggedRequest> requests_;
};

// A certificate for localhost with its key, in files that exist as long as the object.
class Certificate {
public:
  Certificate();
  ~Certificate();
  Certificate(const Certificate &) = delete;
  Certificate &operator=(const Certificate &) = delete;

  [[nodiscard]] const std::string &path() const { return path_; }

private:
  std::string path_; // with the key
};

// At a free port of 127.0.0.1.
class SiteServer {
public:
  // Answers all paths with `answer`, if it is set.
  explicit SiteServer(TestSite::Answer answer = {}, const std::string &certificate = "");
  // The client's requests go to this path.
  static constexpr const char *kPath = "/file";

  [[nodiscard]] Listener &operator*() const { return *listener; }
  [[nodiscard]] Listener *operator->() const { return listener.get(); }
  [[nodiscard]] guint port() const { return listener->port(); }
  void add_site(const std::string &prefix, TestSite::Answer answer);
  // Waits until all clients have left.
  void wait_for_none() const;

  std::shared_ptr<Listener> listener;
  std::shared_ptr<TestLog> log = std::make_shared<TestLog>();
};

// Responds at once.
[[nodiscard]] TestSite::Answer with(std::function<Response()> response);
// A response with a text.
[[nodiscard]] Response text_response(const std::string &text, unsigned status = 200);

// Bytes that differ everywhere.
[[nodiscard]] Buffer pattern(std::size_t size, std::uint32_t seed = 1);

// A file in the temporary folder that exists as long as the object.
class TestFile {
public:
  explicit TestFile(Bytes content);
  ~TestFile();
  TestFile(const TestFile &) = delete;
  TestFile &operator=(const TestFile &) = delete;

  [[nodiscard]] const std::string &path() const { return path_; }
  [[nodiscard]] flvhttp::FilePtr open() const;
  // All of it, with its version.
  [[nodiscard]] Response whole() const;
  void append(Bytes bytes) const;
  void overwrite(std::uint64_t offset, Bytes bytes) const;
  void truncate(std::uint64_t size) const;
  // Another file takes the place of this one.
  void replace(Bytes content) const;

private:
  std::string path_;
};

// Requests kPath over TLS.
class TlsClient {
public:
  explicit TlsClient(guint port, const std::string &method = "GET");
  ~TlsClient();
  TlsClient(const TlsClient &) = delete;
  TlsClient &operator=(const TlsClient &) = delete;

  void wait_for_size(std::size_t size); // of body()
  void wait_for_close();
  [[nodiscard]] const std::string &head() const { return head_; }
  [[nodiscard]] const Buffer &body() const { return body_; }

private:
  bool receive(); // false: the connection is closed

  int socket_ = -1;
  gnutls_certificate_credentials_t credentials_ = nullptr;
  gnutls_session_t session_ = nullptr;
  std::string head_;
  Buffer body_;
};

} // namespace sitetest
