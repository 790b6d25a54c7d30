// SPDX-License-Identifier: LGPL-2.1-or-later
// Backlogs for the tests of the cursor, and the bytes that a client has to receive from them.
#pragma once

#include "checkrun.h"
#include "test_client.h"

using namespace fanout;
using flvtest::Buffer;
using flvtest::joined;
using flvtest::TestClient;

using Number = Backlog::Number;

inline constexpr std::size_t kAll = SIZE_MAX;
// Bytes: the largest size of one write.
inline constexpr std::size_t kWrites[] = {kAll, 1, 2, 3, 7, 11, 60, 300};

inline Buffer config(std::uint32_t timestamp, std::uint8_t variant = 0) {
  return joined({flvtest::whole_tag(flv::TagType::Video, timestamp, flvtest::avc_config(variant)),
                 flvtest::whole_tag(flv::TagType::Audio, timestamp, flvtest::aac_config(variant))});
}

inline JoinHeaderPtr header_of(std::uint8_t variant = 0, const std::string &name = "x") {
  JoinHeader header;
  header.container_header =
      joined({flvtest::file_header(),
              flvtest::whole_tag(flv::TagType::Script, 0, flvtest::on_metadata({{name, {1.0}}}))});
  header.decoder_configs = {
      flvtest::whole_tag(flv::TagType::Video, 7, flvtest::avc_config(variant)),
      flvtest::whole_tag(flv::TagType::Audio, 7, flvtest::aac_config(variant))};
  return std::make_shared<const JoinHeader>(std::move(header));
}

inline const JoinHeaderPtr kHeader = header_of();

// 'k': keyframe, 'p': inter frame, 'a': audio, 'c': decoder configuration, 's': script data.
struct Tag {
  char type;
  std::int64_t time; // ms of media time
};

// ms from the media time to the timestamps in the tags.
inline constexpr std::int64_t kRaw = 500'000;

inline Buffer data_of(char type, std::uint32_t seed) {
  switch (type) {
  case 'a':
    return flvtest::aac_frame(20 + seed, seed);
  case 'c':
    return flvtest::avc_config();
  case 's':
    return flvtest::script("onCuePoint", {{static_cast<double>(seed)}});
  default:
    return flvtest::avc_frame(type == 'k', 40 + seed, seed);
  }
}

inline flv::TagType type_of(char type) {
  return type == 'a'   ? flv::TagType::Audio
         : type == 's' ? flv::TagType::Script
                       : flv::TagType::Video;
}

inline Buffer tag_at(const Tag &tag, Number number, std::uint32_t timestamp) {
  return flvtest::whole_tag(type_of(tag.type), timestamp,
                            data_of(tag.type, static_cast<std::uint32_t>(number)));
}

inline Entry entry_of(const Tag &tag, Number number, const JoinHeaderPtr &header = kHeader) {
  const auto bytes = std::make_shared<const Buffer>(
      tag_at(tag, number, static_cast<std::uint32_t>(tag.time + kRaw)));
  Entry entry;
  entry.owner = bytes;
  entry.bytes = *bytes;
  entry.time = tag.time;
  entry.is_tag = true;
  entry.purpose = tag.type != 'c' && tag.type != 's' ? Purpose::Media : Purpose::Setup;
  if (tag.type == 'k')
    entry.join_header = header;
  return entry;
}

// The stream has audio up to 90 ms after the video of the same time.
inline const std::vector<Tag> kTags{{'k', 1000}, {'a', 910},  {'p', 1040}, {'a', 933},  {'k', 1080},
                                    {'a', 1036}, {'s', 1080}, {'a', 1081}, {'p', 1120}, {'k', 1160},
                                    {'c', 1160}, {'a', 1160}, {'p', 1200}};

inline void append_tags(Backlog &backlog, const std::vector<Tag> &tags,
                        const JoinHeaderPtr &header = kHeader) {
  for (const Tag &tag : tags)
    backlog.append(entry_of(tag, backlog.end(), header));
}

inline Backlog backlog_of(const std::vector<Tag> &tags = kTags) {
  Backlog backlog;
  append_tags(backlog, tags);
  return backlog;
}

// A tag of the backlog, and its timestamp for the client.
struct Sent {
  Number number;
  std::uint32_t timestamp;
};

inline Buffer tags_of(const std::vector<Sent> &sent, const std::vector<Tag> &tags = kTags) {
  Buffer out;
  for (const Sent &each : sent)
    flvtest::append(out, tag_at(tags.at(each.number), each.number, each.timestamp));
  return out;
}

inline Buffer framed(Bytes payload) {
  Buffer out;
  websocket::append_header(out, websocket::Opcode::Binary, payload.size());
  flvtest::append(out, payload);
  return out;
}

// 25 frames per second, with a keyframe every five frames.
inline std::vector<Tag> clip(int frames, int from = 0) {
  std::vector<Tag> tags;
  for (int i = from; i < from + frames; ++i)
    tags.push_back({i % 5 == 0 ? 'k' : 'p', 40 * i});
  return tags;
}
