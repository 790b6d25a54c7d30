// SPDX-License-Identifier: LGPL-2.1-or-later
#include "download_body.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace flvhttp {

using Result = Transport::Result;

namespace {

std::uint64_t size_of(const Part &part) {
  if (const auto *text = std::get_if<std::string>(&part))
    return text->size();
  if (const auto *shared = std::get_if<SharedBytes>(&part))
    return shared->size;
  return std::get<FileRange>(part).size;
}

} // namespace

std::uint64_t body_size(const std::vector<Part> &parts) {
  std::uint64_t size = 0;
  for (const Part &part : parts)
    size += size_of(part);
  return size;
}

DownloadBody::DownloadBody(std::string head, std::vector<Part> parts)
    : head_(std::move(head)), parts_(std::move(parts)) {
  std::erase_if(parts_, [](const Part &each) { return size_of(each) == 0; });
  size_ = body_size(parts_);
}

// Empty for a range of a file.
DownloadBody::Memory DownloadBody::memory_of(const Part &part) {
  if (const auto *text = std::get_if<std::string>(&part))
    return {reinterpret_cast<const std::uint8_t *>(text->data()), text->size()};
  if (const auto *shared = std::get_if<SharedBytes>(&part))
    return {shared->bytes->data() + shared->offset, shared->size};
  return {};
}

Result DownloadBody::send(Transport &transport, std::uint64_t limit) {
  const auto *range = part_ < parts_.size() ? std::get_if<FileRange>(&parts_[part_]) : nullptr;
  if (!has_sent_head() || !range)
    return send_memory(transport, limit);
  const std::uint64_t size = std::min(range->size - part_sent_, limit - std::min(limit, sent_));
  const Result result = transport.send_file(range->file->descriptor(), range->offset + part_sent_,
                                            static_cast<std::size_t>(size));
  if (result.kind == Result::Kind::Done)
    advance(result.size);
  return result;
}

// Sends the head and parts in memory with one call.
Result DownloadBody::send_memory(Transport &transport, std::uint64_t limit) {
  std::array<iovec, 8> pieces{};
  std::size_t count = 0;
  const auto add = [&](const void *bytes, std::size_t size) {
    pieces[count].iov_base = const_cast<void *>(bytes);
    pieces[count++].iov_len = size;
  };
  if (!has_sent_head())
    add(head_.data() + head_sent_, head_.size() - head_sent_);
  std::uint64_t left = limit - std::min(limit, sent_);
  std::uint64_t skipped = part_sent_;
  bool more = false;
  for (std::size_t at = part_; at < parts_.size() && left > 0 && count < pieces.size(); at++) {
    const Memory memory = memory_of(parts_[at]);
    more = !memory.bytes;
    if (more)
      break;
    const auto size = static_cast<std::size_t>(std::min(memory.size - skipped, left));
    add(memory.bytes + skipped, size);
    left -= size;
    skipped = 0;
  }
  const Result result = transport.send(std::span(pieces).first(count),
                                       more ? Transport::Next::More : Transport::Next::Nothing);
  if (result.kind == Result::Kind::Done) {
    const std::size_t of_head = std::min(result.size, head_.size() - head_sent_);
    head_sent_ += of_head;
    advance(result.size - of_head);
  }
  return result;
}

void DownloadBody::advance(std::uint64_t size) {
  sent_ += size;
  while (size > 0) {
    const std::uint64_t step = std::min(size, size_of(parts_[part_]) - part_sent_);
    part_sent_ += step;
    size -= step;
    if (part_sent_ == size_of(parts_[part_])) {
      parts_[part_] = std::string(); // frees the bytes, closes the file
      part_++;
      part_sent_ = 0;
    }
  }
}

} // namespace flvhttp
