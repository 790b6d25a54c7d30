// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans a start in the middle of a file: reads the beginning, finds the index, the start point and
// the configurations, and builds the stream header.
#pragma once

#include <deque>
#include <memory>

#include "config_search.h"
#include "forward_search.h"
#include "index_base.h"
#include "index_scan.h"
#include "index_verify.h"
#include "start_header.h"

namespace flv {

enum class IndexSource : std::uint8_t {
  Metadata, // only the index of onMetaData
  Scan,     // an index built from the tag headers
  Auto,     // Metadata if its index is usable, otherwise Scan
};

// How the file can be read.
enum class Access : std::uint8_t {
  Anywhere, // in any order, at little cost
  Seekable, // in any order, but seeks are expensive
  Forward,  // in order only
};

struct StartSettings {
  std::optional<StartRequest> request; // nullopt: the whole file
  std::uint64_t stop = 0;              // offset; 0: the end of the file
  // Replaces `stop`: the first keyframe at or after this time, in ms from the file's first tag.
  std::optional<std::uint64_t> stop_time;
  IndexSource index = IndexSource::Metadata;
  Reinsert reinsert;
  MetadataKeyframes keyframes = MetadataKeyframes::Rewrite;
};

struct StartError {
  enum class Kind : std::uint8_t {
    None,
    NotFlv,
    Unreadable, // the header or onMetaData is truncated, or its AMF is malformed
    NoIndex,    // the index is missing or invalid
    Mismatch,   // the index belongs to another file
    Place,      // no keyframe meets the request
    Stop,       // the stop is not after the start
  };
  Kind kind = Kind::None;
  std::string text; // an error message, with the wrong number
};

// A stream: the bytes of `head`, then the file from `position` on.
struct StreamStart {
  std::vector<std::uint8_t> head;
  std::uint64_t position = 0;
  // The stream ends before the first tag at or after this offset; 0: at the end of the file.
  std::uint64_t stop = 0;
  std::optional<SeekPoint> place; // nullopt: the whole file, without a head
  std::uint64_t time = 0;         // of the place, in ms from the file's first tag
  std::int64_t origin = 0;        // ms: the timestamp that corresponds to time 0 at the place
};

// Finds a start. Reads only as much of the file as `Access` and the settings require. Keeps the
// facts of the file for later starts.
class SeekPlanner {
public:
  // `file_size` is in bytes; 0: unknown.
  SeekPlanner(Access access, std::uint64_t file_size) : access_(access), file_size_(file_size) {}

  // Starts the search for a start. It can be called at any time and more than once.
  void look_for(const StartSettings &settings);

  // False: the known facts of the file already show that the start would be an error. If few facts
  // are known, only look_for() may show it.
  [[nodiscard]] bool can_meet(const StartSettings &settings) const;

  // nullopt: there is a start or an error.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  // Supplies the bytes at the offset of next_request().
  void supply(Bytes bytes);
  // Replaces supply() if the bytes have passed and cannot be read again (Access::Forward).
  void give_nothing();
  // Bytes before this are not needed for later requests.
  [[nodiscard]] std::uint64_t keep_from() const;
  // Whether the start is that of the whole file. All requests are then for bytes that the stream
  // includes.
  [[nodiscard]] bool is_whole() const { return !settings_.request; }
  // Whether the tag headers are being scanned, which can take a long time.
  [[nodiscard]] bool is_scanning() const { return stage_ == Stage::Scanning; }

  [[nodiscard]] const StartError &error() const { return error_; }
  [[nodiscard]] StreamStart start() const;
  // The positions of index entries that were skipped because they are not keyframes.
  [[nodiscard]] const std::vector<std::uint64_t> &rejected() const { return rejected_; }
  // Warnings: faults of the file's metadata that did not prevent the start.
  [[nodiscard]] const std::vector<std::string> &notes() const { return notes_; }

  // The known facts of the file; nullptr before they are known.
  [[nodiscard]] const FileFacts *facts() const { return facts_ ? &*facts_ : nullptr; }
  // Its times count from the file's first tag.
  [[nodiscard]] const KeyframeIndex &index() const { return index_; }
  // s: the duration from onMetaData.
  [[nodiscard]] std::optional<double> duration() const;

private:
  enum class Stage : std::uint8_t {
    Idle,
    FileProbe,
    Base,
    Scanning,
    Searching,
    Forward,
    Configurations,
    Checking,
    Stop
  };

  void take_opening();
  void take_facts();
  void take_base();
  void find_index();
  void note(std::string text);
  [[nodiscard]] bool contradicts_opening(const KeyframeIndex &index) const;
  void begin_scan();
  void end_scan();
  [[nodiscard]] bool has_scanned_enough() const;
  void keep_head();
  void begin_search();
  void find_place();
  void search_at_once();
  void begin_forward_search();
  void end_forward_search();
  void end_search(const StartSearch &search);
  void scan_instead(std::string why);
  [[nodiscard]] std::uint64_t time_in_index(std::uint64_t position) const;
  [[nodiscard]] std::int64_t time_in_tag(std::uint64_t near) const;
  void look_for_configurations();
  void check_index();
  void find_stop();
  void finish();
  void fail(StartError::Kind kind, std::string text);
  [[nodiscard]] static bool is_in_header(const StartSettings &settings, std::uint64_t first_tag);
  [[nodiscard]] bool might_start(const StartSettings &settings, const KeyframeIndex &index,
                                 bool is_scanned) const;
  [[nodiscard]] bool needs_index() const { return settings_.request || settings_.stop_time; }
  [[nodiscard]] bool has_scanned_all() const { return scan_ && !scan_->next_request(); }
  [[nodiscard]] bool is_backward() const;
  [[nodiscard]] bool may_scan_instead() const;
  [[nodiscard]] bool has_video() const { return facts_->has_video(); }
  [[nodiscard]] StreamHeader opening_head(std::uint64_t before) const;

  Access access_;
  std::uint64_t file_size_;
  StartSettings settings_;
  Stage stage_ = Stage::Idle;

  // Facts of the file.
  std::optional<FileFacts> facts_;
  std::string metadata_fault_;    // why onMetaData cannot be read
  KeyframeIndex listed_;          // the index of onMetaData
  std::string listed_fault_;      // why that index is not usable
  bool listed_is_wrong_ = false;  // the index exists, but is invalid
  std::optional<IndexBase> base_; // the time base of that index
  std::optional<IndexScan> scan_; // of the whole file, or of its first part
  KeyframeIndex index_;
  bool index_is_scanned_ = false;
  bool index_is_whole_ = false;
  bool metadata_holds_ = false; // a keyframe was found at an entry of onMetaData's index

  // State of the current start.
  std::optional<FileProbe> opening_;
  std::unique_ptr<StartSearch> search_;
  std::unique_ptr<ForwardSearch> forward_;
  std::optional<ConfigurationSearch> configurations_;
  std::optional<IndexVerify> check_;
  std::optional<IndexScan> stop_; // finds the tag at which the stream stops
  // The configurations in force at the last keyframes of the scan.
  std::deque<std::pair<std::uint64_t, StreamHeader>> heads_;
  SeekPoint place_;
  StreamHeader head_;
  PartOfFile part_;
  StartError error_;
  StreamStart start_;
  std::vector<std::uint64_t> rejected_;
  std::vector<std::string> notes_;
};

} // namespace flv
