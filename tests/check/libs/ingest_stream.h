// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams for the tests of the ingest, and checks of its entries.
#pragma once

#include "checkrun.h"
#include "feeding.h"

using namespace fanout;
using flv::Status;
using flv::TagType;
using flvtest::Buffer;
using flvtest::Fed;
using flvtest::feed;
using flvtest::feed_every_way;
using flvtest::joined;
using flvtest::Stream;
using flvtest::whole_tag;

inline Buffer metadata_tag(flvtest::Members members) {
  return whole_tag(TagType::Script, 0, flvtest::on_metadata(std::move(members)));
}

inline Buffer avc_config(std::uint32_t timestamp = 0, std::uint8_t variant = 0) {
  return whole_tag(TagType::Video, timestamp, flvtest::avc_config(variant));
}

inline Buffer aac_config(std::uint32_t timestamp = 0, std::uint8_t variant = 0) {
  return whole_tag(TagType::Audio, timestamp, flvtest::aac_config(variant));
}

// The entries are the stream's tags from `first` on.
inline void check_tags(const Fed &fed, const Stream &stream, std::size_t first) {
  ck_assert_uint_eq(fed.entries.size(), stream.tags.size() - first);
  for (std::size_t i = 0; i < fed.entries.size(); ++i) {
    const Entry &entry = fed.entries[i];
    ck_assert(Buffer(entry.bytes.begin(), entry.bytes.end()) ==
              Buffer(stream.at(first + i).begin(), stream.at(first + i).end()));
    ck_assert_int_eq(entry.time, stream.tags[first + i].timestamp);
    ck_assert(entry.is_tag);
  }
}

inline std::vector<std::size_t> joins_of(const Fed &fed) {
  std::vector<std::size_t> joins;
  for (std::size_t i = 0; i < fed.entries.size(); ++i) {
    if (fed.entries[i].join_header)
      joins.push_back(i);
  }
  return joins;
}

// The header for the first client.
inline const JoinHeader &header_of(const Fed &fed) {
  const auto joins = joins_of(fed);
  ck_assert(!joins.empty());
  return *fed.entries[joins[0]].join_header;
}

inline std::uint8_t flags_of(const JoinHeader &header) {
  return header.container_header.at(4);
}
