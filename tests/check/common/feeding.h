// SPDX-License-Identifier: LGPL-2.1-or-later
// Feeds a stream to FlvIngest in chunks.
#pragma once

#include "checkrun.h"
#include "drive.h"
#include "fanout/flv_ingest.h"
#include "media.h"

namespace flvtest {

struct Fed {
  flv::Status status = flv::Status::Ok;
  flv::Fault fault;
  std::vector<fanout::Entry> entries;
};

// Frees each chunk that the ingest does not own.
inline Fed feed(fanout::FlvIngest &flv, Bytes bytes, std::size_t chunk, bool finish = true) {
  Fed fed;
  while (!bytes.empty() && fed.status == flv::Status::Ok) {
    const Bytes part = bytes.first(std::min(chunk, bytes.size()));
    bytes = bytes.subspan(part.size());
    const auto owner = std::make_shared<const Buffer>(part.begin(), part.end());
    fed.status = flv.take(owner, *owner, fed.entries);
  }
  if (finish)
    flv.finish(fed.entries);
  fed.fault = flv.fault();
  return fed;
}

inline Fed feed(Bytes bytes, std::size_t chunk = SIZE_MAX, bool finish = true) {
  fanout::FlvIngest flv;
  return feed(flv, bytes, chunk, finish);
}

inline bool same(const fanout::Entry &a, const fanout::Entry &b) {
  return std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end()) &&
         a.time == b.time && a.is_tag == b.is_tag && a.is_media() == b.is_media() &&
         (a.join_header != nullptr) == (b.join_header != nullptr) &&
         (!a.join_header || *a.join_header == *b.join_header);
}

inline bool same(const Fed &a, const Fed &b) {
  return a.status == b.status && a.fault == b.fault &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                    [](const auto &x, const auto &y) { return same(x, y); });
}

// Checks that the result does not depend on the chunks. Feeds copies of `start`.
inline Fed feed_every_way(const fanout::FlvIngest &start, Bytes bytes) {
  fanout::FlvIngest flv = start;
  Fed whole = feed(flv, bytes, SIZE_MAX);
  for (const std::size_t chunk : {1U, 7U, 100U, 65536U}) {
    flv = start;
    ck_assert(same(feed(flv, bytes, chunk), whole));
  }
  return whole;
}

inline Fed feed_every_way(Bytes bytes) {
  return feed_every_way(fanout::FlvIngest(), bytes);
}

} // namespace flvtest
