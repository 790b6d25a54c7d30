// SPDX-License-Identifier: LGPL-2.1-or-later
// The bytes of a response that are not sent yet: the head, then the parts of the body.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "site.h"
#include "transport.h"

namespace flvhttp {

// The bytes of all parts.
[[nodiscard]] std::uint64_t body_size(const std::vector<Part> &parts);

class DownloadBody {
public:
  DownloadBody() = default;
  DownloadBody(std::string head, std::vector<Part> parts);

  // Without the head.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] bool has_sent_head() const { return head_sent_ == head_.size(); }
  [[nodiscard]] bool has_sent_all() const { return has_sent_head() && sent_ == size_; }
  // The bytes sent, with the head.
  [[nodiscard]] std::uint64_t total_sent() const { return head_sent_ + sent_; }

  // Sends the rest of the head, and up to `limit` bytes of the body in total. May send less.
  // Ended: a file has fewer bytes than its range, or cannot be read.
  [[nodiscard]] Transport::Result send(Transport &transport, std::uint64_t limit);

private:
  struct Memory {
    const std::uint8_t *bytes = nullptr;
    std::size_t size = 0;
  };

  [[nodiscard]] static Memory memory_of(const Part &part);
  [[nodiscard]] Transport::Result send_memory(Transport &transport, std::uint64_t limit);
  void advance(std::uint64_t size);

  std::string head_;
  std::vector<Part> parts_;
  std::size_t head_sent_ = 0;
  std::size_t part_ = 0;        // the part that is sent now
  std::uint64_t part_sent_ = 0; // bytes of it
  std::uint64_t size_ = 0;
  std::uint64_t sent_ = 0;
};

} // namespace flvhttp
