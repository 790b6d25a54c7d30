// SPDX-License-Identifier: LGPL-2.1-or-later
// A site answers the requests for all paths below a prefix. Its responses are downloads: bytes in
// memory and ranges of files, as fast as the client reads, or paced.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fanout/byte_schedule.h"
#include "file_version.h"
#include "request.h"

namespace flvhttp {

struct FileRange {
  FilePtr file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Bytes that several responses share.
struct SharedBytes {
  std::shared_ptr<const std::vector<std::uint8_t>> bytes;
  std::size_t offset = 0;
  std::size_t size = 0;
};

using Part = std::variant<std::string, SharedBytes, FileRange>;

struct Response {
  unsigned status = 200;
  // The server adds Date, Server, Connection, the CORS fields and, except for 1xx, 204 and 304,
  // Content-Length. A field with a line break is left out.
  std::vector<std::pair<std::string, std::string>> fields;
  // The body. Not sent for HEAD, 1xx, 204 and 304. For HEAD, it determines Content-Length.
  std::vector<Part> parts;
  // Paces the body. nullopt: as fast as the client reads.
  std::optional<fanout::ByteSchedule> schedule;
  // The version of the file that the ranges belong to. If the file shrinks, is changed in place or
  // is replaced before all of the body is sent, the connection is closed early. A file may grow.
  std::optional<FileVersion> version;
};

// One request that waits for its response. Kept alive by the code that works on it; may outlive the
// site and the listener. The functions are called from any thread.
class Exchange {
public:
  // `deliver` is called once, from the thread that calls respond() or destroys the exchange.
  Exchange(Request request, std::function<void(Response)> deliver)
      : request_(std::move(request)), deliver_(std::move(deliver)) {}
  // Without a response, responds with 500.
  ~Exchange();
  Exchange(const Exchange &) = delete;
  Exchange &operator=(const Exchange &) = delete;

  [[nodiscard]] const Request &request() const { return request_; }
  // Whether the client has left. A client that has closed only its side of the connection counts as
  // left after 500 ms, but still gets the response.
  [[nodiscard]] bool is_cancelled() const { return cancelled_; }
  // The first call counts.
  void respond(Response response);
  // Called by the server when the client has left.
  void cancel() { cancelled_ = true; }

private:
  const Request request_;
  const std::function<void(Response)> deliver_;
  std::atomic<bool> answered_ = false;
  std::atomic<bool> cancelled_ = false;
};

class Site {
public:
  Site() = default;
  virtual ~Site() = default;
  Site(const Site &) = delete;
  Site &operator=(const Site &) = delete;

  // Called from the listener's thread; must not block. The path is the site's prefix or below it.
  virtual void answer(std::shared_ptr<Exchange> exchange) = 0;
  // The origin whose scripts may read the responses; "*": any; empty: none.
  [[nodiscard]] virtual std::string allow_origin() const { return "*"; }
};

} // namespace flvhttp
