// SPDX-License-Identifier: LGPL-2.1-or-later
// Everything that it takes to start in the middle of a file: opening, index, place, configurations,
// and the head that comes in front.
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
  Metadata, // onMetaData's, and nothing else
  Scan,     // the tag headers, read through
  Auto,     // onMetaData's if it has a usable one, else the tag headers
};

// How the file can be read.
enum class Access : std::uint8_t {
  Anywhere, // in any order, at little cost
  Seekable, // in any order, but a jump is dear
  Forward,  // from front to back only
};

struct StartSettings {
  std::optional<StartRequest> request; // nothing: the whole file
  std::uint64_t stop = 0;              // offset; 0: the end
  // Instead, in ms from the file's first tag: the first key frame from there on.
  std::optional<std::uint64_t> stop_time;
  IndexSource index = IndexSource::Metadata;
  Reinsert reinsert;
  MetadataKeyframes keyframes = MetadataKeyframes::Rewrite;
};

struct StartError {
  enum class Kind : std::uint8_t {
    None,
    NotFlv,
    Unreadable, // the header or onMetaData is cut off, or its AMF is malformed
    NoIndex,    // there is none, or it can't be right
    Mismatch,   // the index is not this file's
    Place,      // no key frame is where one is wanted
    Stop,       // it would stop before it starts
  };
  Kind kind = Kind::None;
  std::string text; // for people, with the number that was wrong
};

// A stream: a head, and then the file from `position` on.
struct StreamStart {
  std::vector<std::uint8_t> head;
  std::uint64_t position = 0;
  std::uint64_t stop = 0;         // it ends in front of the first tag from there on; 0: it doesn't
  std::optional<SeekPoint> place; // nothing: it is the whole file, without a head
  std::uint64_t time = 0;         // of the place, in ms from the file's first tag
  std::int64_t origin = 0;        // the timestamp (ms) that a tag at the time 0 has there
};

// Finds a start. Looked at is as little of the file as `Access` and the settings allow; what was
// learned of the file serves further starts.
class SeekPlanner {
public:
  // `file_size` in bytes, 0 where it is unknown.
  SeekPlanner(Access access, std::uint64_t file_size) : access_(access), file_size_(file_size) {}

  // Begins to look for a start; at any time, and again.
  void look_for(const StartSettings &settings);

  // false: what is known of the file says already that it would be an error. Where little is known,
  // that may show only when it is looked for.
  [[nodiscard]] bool can_meet(const StartSettings &settings) const;

  // Nothing: there is a start, or an error.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  // What stands at wanted().offset.
  void supply(Bytes bytes);
  // Instead, with Access::Forward: that it has passed by.
  void give_nothing();
  // Bytes of the file in front of this need not be kept for later wishes.
  [[nodiscard]] std::uint64_t keep_from() const;
  // Whether the whole file is what is looked for: all that is wanted is on the way then.
  [[nodiscard]] bool is_whole() const { return !settings_.request; }
  // Whether the tag headers are being read through, which may take its time.
  [[nodiscard]] bool is_scanning() const { return stage_ == Stage::Scanning; }

  [[nodiscard]] const StartError &error() const { return error_; }
  [[nodiscard]] StreamStart start() const;
  // Positions of index entries that were passed over, since they are no key frames.
  [[nodiscard]] const std::vector<std::uint64_t> &rejected() const { return rejected_; }
  // Texts of warnings: faults of the file's metadata in spite of which the start was found.
  [[nodiscard]] const std::vector<std::string> &notes() const { return notes_; }

  // What is known of the file; nothing while it is not.
  [[nodiscard]] const FileFacts *facts() const { return facts_ ? &*facts_ : nullptr; }
  // Its times count from the file's first tag.
  [[nodiscard]] const KeyframeIndex &index() const { return index_; }
  // As onMetaData says (s).
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

  // What is known of the file.
  std::optional<FileFacts> facts_;
  std::string metadata_fault_;    // why onMetaData can't be read
  KeyframeIndex listed_;          // onMetaData's index
  std::string listed_fault_;      // why that is none
  bool listed_is_wrong_ = false;  // there is one, and it can't be right
  std::optional<IndexBase> base_; // from where its times count
  std::optional<IndexScan> scan_; // of the whole file, or as far as it went
  KeyframeIndex index_;
  bool index_is_scanned_ = false;
  bool index_is_whole_ = false;
  bool metadata_holds_ = false; // a key frame was found where its index lists one

  // Of the start at hand.
  std::optional<FileProbe> opening_;
  std::unique_ptr<StartSearch> search_;
  std::unique_ptr<ForwardSearch> forward_;
  std::optional<ConfigurationSearch> configurations_;
  std::optional<IndexVerify> check_;
  std::optional<IndexScan> stop_; // hops to the tag at which the stream stops
  std::deque<std::pair<std::uint64_t, StreamHeader>>
      heads_; // in force at the scan's last key frames
  SeekPoint place_;
  StreamHeader head_;
  PartOfFile part_;
  StartError error_;
  StreamStart start_;
  std::vector<std::uint64_t> rejected_;
  std::vector<std::string> notes_;
};

} // namespace flv
