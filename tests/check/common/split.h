// SPDX-License-Identifier: LGPL-2.1-or-later
// The items of whole streams, for tests of the splitter and of code that uses it.
#pragma once

#include <algorithm>

#include "flv/stream/splitter.h"

namespace flvtest {

struct Split {
  flv::Status status = flv::Status::Ok;
  flv::Fault fault; // set if the stream is not FLV
  std::vector<flv::Item> items;

  [[nodiscard]] std::vector<flv::Item> of(flv::Item::Kind kind) const {
    std::vector<flv::Item> found;
    std::copy_if(items.begin(), items.end(), std::back_inserter(found),
                 [kind](const flv::Item &item) { return item.kind == kind; });
    return found;
  }
  [[nodiscard]] std::vector<flv::Item> tags() const { return of(flv::Item::Kind::Tag); }
};

// Feeds `bytes` in chunks of `chunk`.
inline Split split(flv::Bytes bytes, std::size_t chunk = SIZE_MAX,
                   flv::Splitter::Start start = flv::Splitter::Start::File,
                   std::uint32_t max_data_size = flv::kMaxDataSize) {
  flv::Splitter splitter(max_data_size);
  splitter.reset(start);
  Split result;
  while (!bytes.empty() && result.status == flv::Status::Ok) {
    const flv::Bytes piece = bytes.first(std::min(chunk, bytes.size()));
    bytes = bytes.subspan(piece.size());
    result.status = splitter.feed(piece, result.items);
  }
  if (result.status == flv::Status::Ok)
    result.status = splitter.finish(result.items);
  result.fault = splitter.fault();
  return result;
}

inline bool same(const flv::Item &a, const flv::Item &b) {
  return a.kind == b.kind && a.wrong_previous_size == b.wrong_previous_size && a.begin == b.begin &&
         a.end == b.end && a.tag == b.tag && a.fault == b.fault &&
         a.file.version == b.file.version && a.file.has_audio == b.file.has_audio &&
         a.file.has_video == b.file.has_video && a.file.size == b.file.size;
}

inline bool same(const std::vector<flv::Item> &a, const std::vector<flv::Item> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const flv::Item &x, const flv::Item &y) { return same(x, y); });
}

// Whether the items are contiguous from `begin` to `end`.
inline bool contiguous(const std::vector<flv::Item> &items, std::uint64_t begin,
                       std::uint64_t end) {
  for (const flv::Item &item : items) {
    if (item.begin != begin || item.end < item.begin)
      return false;
    begin = item.end;
  }
  return begin == end;
}

inline flv::Bytes bytes_of(const flv::Item &item, flv::Bytes stream) {
  return stream.subspan(static_cast<std::size_t>(item.begin),
                        static_cast<std::size_t>(item.end - item.begin));
}

} // namespace flvtest
