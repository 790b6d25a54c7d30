// SPDX-License-Identifier: LGPL-2.1-or-later
// Tests of the ingest, the backlog and the cursor together.
#pragma once

#include "checkrun.h"
#include "fanout/flv_ingest.h"
#include "test_client.h"

using namespace fanout;
using flv::TagType;
using flvtest::Buffer;
using flvtest::TestClient;

inline constexpr std::uint32_t kFrame = 40; // ms
inline const flvtest::Members kBoth{{"audiocodecid", {10.0}}, {"videocodecid", {7.0}}};

// A live stream, its ingest and its backlog.
class Live {
public:
  // `max_size`: bytes of the backlog; 0 disables the limit.
  explicit Live(std::uint64_t max_size = 0) : max_size_(max_size) {}

  Backlog backlog;
  std::uint32_t time = 0;

  void take(Bytes bytes) {
    const auto owner = std::make_shared<const Buffer>(bytes.begin(), bytes.end());
    std::vector<Entry> entries;
    ck_assert_enum_eq(ingest_.take(owner, *owner, entries), flv::Status::Ok);
    for (Entry &entry : entries)
      backlog.append(std::move(entry));
    while (max_size_ > 0 && backlog.bytes_from(backlog.begin()) > max_size_)
      backlog.trim(backlog.begin() + 1);
  }

  void begin() {
    flvtest::Stream stream;
    stream.header().metadata(kBoth);
    take(stream.bytes);
  }
  void tag(TagType type, Bytes data) { take(flvtest::whole_tag(type, time, data)); }
  void configure(bool audio, bool video, std::uint8_t variant = 0) {
    if (video)
      tag(TagType::Video, flvtest::avc_config(variant));
    if (audio)
      tag(TagType::Audio, flvtest::aac_config(variant));
  }

  // Appends `ms` of the stream, with a keyframe at the first frame and every `gop` ms; `gop` 0: no
  // keyframe.
  void play(std::uint32_t ms, bool audio, bool video, std::uint32_t gop = 1000) {
    for (const std::uint32_t begin = time; time < begin + ms; time += kFrame) {
      if (video)
        tag(TagType::Video, flvtest::avc_frame(gop > 0 && (time - begin) % gop == 0, 60));
      if (audio)
        tag(TagType::Audio, flvtest::aac_frame(20));
    }
  }

private:
  FlvIngest ingest_;
  std::uint64_t max_size_;
};

// A client and its received tags. "A"/"V": frames, "K": a keyframe, "a"/"v": a configuration,
// "M": metadata. Consecutive equal letters are merged.
class LiveClient {
public:
  explicit LiveClient(const Live &live, Framing framing = Framing::Plain,
                      CursorSettings settings = {})
      : settings_(settings), framing_(framing), client_(framing, live.backlog) {
    read(live);
  }

  // Writes 100 bytes at a time, which splits tags.
  void read(const Live &live) { client_.write_all(live.backlog, settings_, 100); }

  [[nodiscard]] ClientCursor &cursor() { return client_.cursor; }

  [[nodiscard]] Buffer stream() const {
    std::vector<flvtest::Message> others;
    std::string fault;
    Buffer out = framing_ == Framing::WebSocket ? flvtest::unframed(client_.out, others, fault)
                                                : client_.out;
    ck_assert_msg(fault.empty(), "%s", fault.c_str());
    return out;
  }

  [[nodiscard]] std::uint8_t flags() const { return stream().at(4); }

  [[nodiscard]] std::string tags() const {
    const Buffer bytes = stream();
    std::string out;
    std::uint32_t last = 0;
    for (const flv::Item &item : flvtest::split(bytes).items) {
      if (item.kind != flv::Item::Kind::Tag)
        continue;
      const Bytes data = Bytes(bytes).subspan(item.begin + flv::kTagHeaderSize, item.tag.data_size);
      const char letter = letter_of(item.tag.type, data);
      if (out.empty() || out.back() != letter)
        out += letter;
      if (letter == 'M')
        continue;
      ck_assert_uint_ge(item.tag.timestamp + kFrame, last);
      last = item.tag.timestamp;
    }
    return out;
  }

private:
  static char letter_of(TagType type, Bytes data) {
    if (type == TagType::Script)
      return 'M';
    const bool configuration = flv::classify(type, data).role == flv::Role::DecoderConfig;
    if (type == TagType::Audio)
      return configuration ? 'a' : 'A';
    const bool key = flv::classify(type, data).role == flv::Role::KeyFrame;
    return configuration ? 'v' : key ? 'K' : 'V';
  }

  CursorSettings settings_;
  Framing framing_;
  TestClient client_;
};

inline void check_text(const std::string &text, const std::string &expected) {
  ck_assert_msg(text == expected, "%s, not %s", text.c_str(), expected.c_str());
}

// Merges repetitions of "KA" and "VA".
inline std::string shortened(std::string tags) {
  for (const char *group : {"VA", "KA"}) {
    const std::string twice = std::string(group) + group;
    for (std::size_t at = tags.find(twice); at != std::string::npos; at = tags.find(twice))
      tags.erase(at, 2);
  }
  return tags;
}
