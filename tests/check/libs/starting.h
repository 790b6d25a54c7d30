// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts in files in memory.
#pragma once

#include "flv/seek/seek_planner.h"

#include "checkrun.h"
#include "drive.h"
#include "split.h"

namespace flvtest::starting {

using namespace flv;
using flvtest::Buffer;
using flvtest::Entries;
using flvtest::Reads;
using flvtest::Stream;
using Kind = StartError::Kind;
using Measure = StartRequest::Measure;

inline constexpr Access kAll[] = {Access::Anywhere, Access::Seekable, Access::Forward};
inline constexpr auto kMetadata = IndexSource::Metadata;
inline constexpr auto kScan = IndexSource::Scan;
inline constexpr auto kAuto = IndexSource::Auto;

struct Result {
  StartError error;
  StreamStart start;
  std::vector<std::uint64_t> rejected;
  std::vector<std::string> notes;
  Reads reads;
  bool lost = false; // it requested data that it had released
};

inline Result look(SeekPlanner &starter, Bytes file, const StartSettings &settings) {
  Result result;
  starter.look_for(settings);
  std::uint64_t kept = 0;
  while (const auto wanted = starter.next_request()) {
    ck_assert_uint_lt(result.reads.count, flvtest::kMaxReads);
    result.lost |= wanted->offset < kept;
    const Bytes bytes = flvtest::piece(file, *wanted);
    ++result.reads.count;
    result.reads.bytes += bytes.size();
    starter.supply(bytes);
    kept = std::max(kept, starter.keep_from());
  }
  result.error = starter.error();
  result.start = starter.start();
  result.rejected = starter.rejected();
  result.notes = starter.notes();
  result.lost |= result.error.kind == Kind::None && result.start.position < kept;
  ck_assert((result.error.kind == Kind::None) == result.error.text.empty());
  return result;
}

inline Result look(Access access, Bytes file, const StartSettings &settings,
                   bool size_known = true) {
  SeekPlanner starter(access, size_known ? file.size() : 0);
  return look(starter, file, settings);
}

inline StartSettings at(std::uint64_t offset, Snap snap = Snap::Next,
                        IndexSource index = kMetadata) {
  StartSettings settings;
  settings.request = {Measure::Offset, offset, snap};
  settings.index = index;
  return settings;
}

inline StartSettings at_time(std::uint64_t time, Snap snap = Snap::Previous,
                             IndexSource index = kMetadata) {
  StartSettings settings = at(time, snap, index);
  settings.request->measure = Measure::Time;
  return settings;
}

// The output of a start.
inline Buffer stream_of(const Result &result, Bytes file, std::uint64_t end = UINT64_MAX) {
  const auto from = static_cast<std::size_t>(result.start.position);
  const auto to = static_cast<std::size_t>(std::min<std::uint64_t>(end, file.size()));
  return flvtest::joined({result.start.head, file.subspan(from, to - from)});
}

// The index in the stream is correct: each entry is a keyframe, and the file size is that of the
// stream.
inline std::size_t check_own_index(const Buffer &stream) {
  FileProbe opening;
  (void)flvtest::drive(opening, stream);
  const FileFacts &facts = opening.facts();
  ck_assert(facts.metadata_tag && facts.metadata_status == Status::Ok);
  if (const amf0::Value *size = facts.metadata.find("filesize"))
    ck_assert(std::get<double>(size->data) == static_cast<double>(stream.size()));
  if (!facts.metadata.find("keyframes"))
    return 0;
  KeyframeIndex index;
  const IndexFault fault = read_keyframe_index(facts.metadata, stream.size(), index);
  ck_assert_msg(fault.kind == IndexFault::Kind::None, "%s", describe(fault).c_str());
  for (const std::uint64_t position : index.positions) {
    EntryCheck check(position, facts.video_seen, stream.size());
    (void)flvtest::drive(check, stream);
    ck_assert(check.place() && check.place()->position == position);
  }
  return index.positions.size();
}

} // namespace flvtest::starting
