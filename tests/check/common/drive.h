// SPDX-License-Identifier: LGPL-2.1-or-later
// Serves the read requests of the file readers from memory.
#pragma once

#include <algorithm>
#include <functional>

#include "flv/format/metadata.h"
#include "flv/seek/read_request.h"
#include "flvbuild.h"

namespace flvtest {

struct Reads {
  std::size_t count = 0;
  std::uint64_t bytes = 0;
  std::size_t jumps = 0;  // to a position that does not adjoin the bytes read before
  std::uint64_t back = 0; // the longest jump backward, in bytes
  bool endless = false;   // the drive was stopped
};

// The requested bytes of a file; fewer at the end of the file.
inline Bytes piece(Bytes file, const flv::ReadRequest &wanted) {
  const auto from = static_cast<std::size_t>(std::min<std::uint64_t>(wanted.offset, file.size()));
  return file.subspan(from, std::min(wanted.size, file.size() - from));
}

inline constexpr std::size_t kMaxReads = 2'000'000;

// Runs until `part` requests nothing more.
template <class Part> Reads drive(Part &part, Bytes file) {
  Reads reads;
  std::uint64_t end = 0;
  while (const auto wanted = part.next_request()) {
    if (reads.count == kMaxReads) {
      reads.endless = true;
      break;
    }
    if (wanted->offset > end)
      ++reads.jumps;
    if (wanted->offset < end)
      reads.back = std::max(reads.back, end - wanted->offset);
    const Bytes bytes = piece(file, *wanted);
    ++reads.count;
    reads.bytes += bytes.size();
    end = wanted->offset + bytes.size();
    part.supply(bytes);
  }
  return reads;
}

// --- Files with a keyframe index ---

using Entries = std::vector<std::pair<std::uint64_t, double>>; // position, seconds

inline flv::amf0::Value numbers(std::vector<double> items) {
  return items.empty() ? flv::amf0::Value{flv::amf0::StrictArray{}}
                       : flv::amf0::Value{flv::amf0::NumberArray{std::move(items)}};
}

inline Members index_members(const Entries &entries, bool ecma = false) {
  std::vector<double> positions;
  std::vector<double> times;
  for (const auto &[position, time] : entries) {
    positions.push_back(static_cast<double>(position));
    times.push_back(time);
  }
  Members lists{{"filepositions", numbers(std::move(positions))},
                {"times", numbers(std::move(times))}};
  flv::amf0::Value keyframes;
  if (ecma)
    keyframes.data = flv::amf0::EcmaArray{std::move(lists)};
  else
    keyframes.data = flv::amf0::Object{std::move(lists)};
  return {{"keyframes", std::move(keyframes)}};
}

inline flv::Role role_of(const Stream &stream, std::size_t tag) {
  return flv::classify(stream.tags.at(tag).type, stream.at(tag).subspan(flv::kTagHeaderSize)).role;
}

inline Entries entries_of(const Stream &stream, const std::function<bool(std::size_t)> &is_listed) {
  Entries entries;
  for (std::size_t i = 0; i < stream.tags.size(); ++i) {
    if (is_listed(i))
      entries.emplace_back(stream.tags[i].begin, stream.tags[i].timestamp / 1000.0);
  }
  return entries;
}

inline Entries key_frames_of(const Stream &stream) {
  return entries_of(stream,
                    [&](std::size_t i) { return role_of(stream, i) == flv::Role::KeyFrame; });
}

inline Entries roles_of(const Stream &stream, std::initializer_list<flv::Role> roles) {
  return entries_of(stream, [&](std::size_t i) {
    return std::find(roles.begin(), roles.end(), role_of(stream, i)) != roles.end();
  });
}

using Append = std::function<void(Stream &)>;
using Pick = std::function<Entries(const Stream &)>;

// A file whose onMetaData has the index entries that `pick` selects and the members `more`. `media`
// appends everything after onMetaData.
inline Stream indexed(const Append &media, const Pick &pick = key_frames_of, Members more = {},
                      bool ecma = false, bool audio = true, bool video = true) {
  Entries entries;
  for (int pass = 0;; ++pass) {
    Stream stream;
    Members members = index_members(entries, ecma);
    members.insert(members.end(), more.begin(), more.end());
    stream.header(audio, video).metadata(std::move(members));
    media(stream);
    if (pass == 2)
      return stream;
    entries = pick(stream);
  }
}

// Configurations and a clip.
inline Append media_of(const Clip &clip) {
  return [clip](Stream &stream) {
    if (clip.video)
      stream.video(clip.start, avc_config());
    if (clip.audio)
      stream.audio(clip.start, aac_config());
    append_media(stream, clip);
  };
}

} // namespace flvtest
