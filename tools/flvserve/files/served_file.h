// SPDX-License-Identifier: LGPL-2.1-or-later
// The file that clients get: the stored file, or a virtual file with the same tags and a complete
// index. Positions are those of this file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "flv/seek/indexed_file.h"
#include "flv/seek/seek_planner.h"
#include "parts.h"
#include "wanted.h"

namespace flvserve {

// A start in the middle of a file.
struct FileStart {
  Parts head;                 // file header, onMetaData, configurations
  std::uint64_t position = 0; // of the keyframe
};
// There is no such start.
struct StartRefusal {
  enum class Kind : std::uint8_t {
    NoStart,   // 415: no request for a start in this file can be met
    NotHere,   // 416: other requests can be met
    NeedsScan, // the tag headers of the file must be read first
    ReadError,
  };
  Kind kind = Kind::NoStart;
  std::string text; // a sentence for the client
};

class ServedFile {
public:
  // `file`: the search has ended. `version`: of the stored file. `may_scan`: whether starts may
  // use an index that is built by a scan.
  ServedFile(const flvhttp::FileVersion &version, flv::IndexedFile &file, bool may_scan);

  [[nodiscard]] const flvhttp::FileVersion &version() const { return version_; }
  [[nodiscard]] bool is_flv() const { return is_flv_; }
  // Why the file has no start points; "": it has some.
  [[nodiscard]] const std::string &reason() const { return reason_; }
  [[nodiscard]] bool is_virtual() const { return head_ != nullptr; }
  [[nodiscard]] std::uint64_t size() const;
  // Bytes that this object uses.
  [[nodiscard]] std::size_t memory() const;
  // nullptr: the times of the file are unknown.
  [[nodiscard]] const std::shared_ptr<const fanout::ByteSchedule::Points> &schedule() const {
    return schedule_;
  }
  // `stored`: the stored file, in this version.
  [[nodiscard]] Parts parts(const flvhttp::FilePtr &stored) const;

  // --- Starts; these functions read the file. One thread at a time, the others wait. ---

  using Found = std::variant<FileStart, WantsFile, StartRefusal>;
  // `stop`: nullptr: does not scan, but returns NeedsScan. Otherwise it ends a scan, with
  // ReadError. WantsFile: the start is that of the file.
  [[nodiscard]] Found find_start(const flvhttp::FilePtr &stored, const WantsStart &wanted,
                                 const std::atomic<bool> *stop = nullptr);
  // Scans the file now if starts need that.
  void prepare(const flvhttp::FilePtr &stored, const std::atomic<bool> &stop);
  // The last tag boundary at or before `end`, after `from`, which is a tag or 0. nullopt: there is
  // no whole tag in between.
  [[nodiscard]] std::optional<std::uint64_t> find_end(const flvhttp::FilePtr &stored,
                                                      std::uint64_t from, std::uint64_t end);

private:
  [[nodiscard]] std::optional<StartRefusal>
  plan(const Parts &parts, const flv::StartRequest &request, const std::atomic<bool> *stop);
  [[nodiscard]] FileStart start_of(const Parts &parts, const flv::StreamStart &start) const;
  [[nodiscard]] StartRefusal refusal(const Parts &parts, const flv::StartError &error,
                                     const std::atomic<bool> *stop);

  const flvhttp::FileVersion version_;
  bool is_flv_ = false;
  bool may_scan_ = false;
  std::shared_ptr<const std::vector<std::uint8_t>> head_; // nullptr: the stored file
  std::uint64_t body_offset_ = 0;                         // in the stored file
  std::uint64_t body_size_ = 0;
  std::string reason_; // why the file has no start points; "": it has some
  flv::KeyframeIndex index_;
  std::shared_ptr<const fanout::ByteSchedule::Points> schedule_;
  std::mutex mutex_; // of the planner
  flv::SeekPlanner planner_;
};

} // namespace flvserve
