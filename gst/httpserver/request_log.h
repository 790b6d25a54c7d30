// SPDX-License-Identifier: LGPL-2.1-or-later
// The log of the requests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace flvhttp {

struct LoggedRequest {
  std::int64_t time_us = 0; // µs since 1970: when the request arrived
  std::string address;      // of the peer, without the port
  // The words of the request line. If it is not three words, `target` has all of it, and the others
  // are empty. All are empty if nothing was received.
  std::string method;
  std::string target;   // the path and the query, as received
  std::string protocol; // "HTTP/1.1"
  std::string referer;  // "": the request has no such field, as for `agent`
  std::string agent;
  unsigned status = 0;     // 499: the client left before the response
  std::uint64_t bytes = 0; // of the body, sent to the client; of a WebSocket, of all frames
  double duration_s = 0;
  std::string reason; // why the connection ended: name_of() of a Reason
  bool secure = false;
};

class RequestLog {
public:
  RequestLog() = default;
  virtual ~RequestLog() = default;
  RequestLog(const RequestLog &) = delete;
  RequestLog &operator=(const RequestLog &) = delete;

  // Called once for each request that gets a response: when the response is sent or broken off, and
  // when a client of a stream is removed. Called from any thread, with locks of the server held:
  // must not block, and must not call the server.
  virtual void write(const LoggedRequest &request) = 0;
};

// A request that is written to the log when it is finished.
class LogEntry {
public:
  LogEntry(std::shared_ptr<RequestLog> log, LoggedRequest request)
      : log_(std::move(log)), request_(std::move(request)) {}

  void write(unsigned status, std::uint64_t bytes, double duration_s, const char *reason) const {
    LoggedRequest finished = request_;
    finished.status = status;
    finished.bytes = bytes;
    finished.duration_s = duration_s;
    finished.reason = reason;
    log_->write(finished);
  }

private:
  std::shared_ptr<RequestLog> log_;
  LoggedRequest request_;
};
using LogEntryPtr = std::shared_ptr<const LogEntry>;

// The status of a request whose client left before the response.
inline constexpr unsigned kNoResponse = 499;

} // namespace flvhttp
