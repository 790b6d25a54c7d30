// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes a keyframe index by reading the tag headers through. Its times are those of a continuous
// timeline that begins at the first tag to be played: a publisher that restarts at 0 in the middle
// of a file goes on where the one before ended.
#pragma once

#include <optional>

#include "flv/format/metadata.h"
#include "flv/stream/splitter.h"
#include "flv/stream/stream_header.h"
#include "flv/stream/stream_ids.h"
#include "flv/stream/timeline.h"
#include "read_request.h"

namespace flv {

class IndexScan {
public:
  // Every key frame is listed up to so many; where there are more, only those that are at least a
  // second apart. So much (16 MB) even a file of nothing but key frames takes.
  static constexpr std::size_t kMaxEntries = std::size_t{1} << 20;
  // The last so many configurations are known by place; real files have a few dozen.
  static constexpr std::size_t kMaxConfigurations = 65536;

  // Where a configuration tag stands, with its PreviousTagSize.
  struct Stretch {
    std::uint64_t position = 0;
    std::size_t size = 0;
  };

  // Begins with the tag at `position`; in the middle of nowhere, with the first one behind it.
  // `file_size` in bytes, 0 where it is unknown.
  IndexScan(Splitter::Start start, std::uint64_t position, std::uint64_t file_size,
            const StreamIds &ids = {});

  // Nothing: the file was read to its end.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // So far. Key frames; in a file without video, audio tags.
  [[nodiscard]] const KeyframeIndex &index() const { return video_seen_ ? video_ : audio_; }
  [[nodiscard]] const std::vector<Stretch> &configurations() const { return configurations_; }
  [[nodiscard]] bool audio_seen() const { return audio_seen_; }
  [[nodiscard]] bool video_seen() const { return video_seen_; }
  [[nodiscard]] std::uint64_t tags() const { return tags_; }
  // The tag that is looked at next begins here, or behind this.
  [[nodiscard]] std::uint64_t position() const { return search_ ? search_->position() : position_; }
  // Nothing in front of this will be wanted.
  [[nodiscard]] std::uint64_t keep_from() const;
  // Where the last tag begins that was looked at.
  [[nodiscard]] std::uint64_t last_tag() const { return last_tag_; }
  // The configurations in force there, without those from before it began.
  [[nodiscard]] const StreamHeader &head() const { return head_; }

private:
  void take_tag(const TagHeader &header, Bytes data);
  void take_configuration(const TagHeader &header, Bytes tag);
  void cross_splice(std::uint64_t position);
  void begin_search();
  void search_from(std::uint64_t position);
  void resynchronize(Bytes bytes);
  void end_search(const Item &found);
  static void remove(KeyframeIndex &index, std::uint64_t position);
  static void add(KeyframeIndex &index, double &spacing, std::uint64_t position, double time);

  std::uint64_t position_;
  std::uint64_t file_size_;
  std::uint64_t last_tag_;
  std::optional<Splitter> search_; // behind damage
  std::uint64_t damage_ = 0;       // where it was found
  std::size_t whole_tag_ = 0;      // the size of a configuration that is wanted whole
  bool over_ = false;
  StreamIds ids_;
  Timeline timeline_;
  KeyframeIndex video_;
  KeyframeIndex audio_;
  double video_spacing_ = 0; // s
  double audio_spacing_ = 0;
  bool audio_seen_ = false;
  bool video_seen_ = false;
  std::uint64_t tags_ = 0;
  std::vector<Stretch> configurations_;
  StreamHeader head_;
};

} // namespace flv
