// SPDX-License-Identifier: LGPL-2.1-or-later
// Builds a keyframe index by reading all tag headers. Its times are those of a continuous timeline
// that begins at the first tag to play. If a publisher restarts at 0 in the middle of a file, its
// times continue after those of the previous publisher.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "flv/format/metadata.h"
#include "flv/stream/splitter.h"
#include "flv/stream/stream_header.h"
#include "flv/stream/stream_ids.h"
#include "flv/stream/timeline.h"
#include "read_request.h"
#include "states/transition.h"

namespace flv {

//               configuration
//    TagStart <---------------> WholeTag
//      ^  |                        |
//      |  |  damage                |  damage
//      |  v                        |
//    Resynchronizing <-------------+
//
// All of these lead to Over, at the end of the file. If a search finds a tag that is before the
// damage, the search begins again. A scan that starts in the middle of a file starts in
// Resynchronizing.
class IndexScan {
public:
  // Reads the next tag.
  struct TagStart {
    static constexpr const char *kName = "TagStart";
  };
  // Reads the configuration at position_ as a whole.
  struct WholeTag {
    static constexpr const char *kName = "WholeTag";
    std::size_t size = 0;
  };
  // Searches for the next tag.
  struct Resynchronizing {
    static constexpr const char *kName = "Resynchronizing";
    Splitter search;
    std::uint64_t damage = 0; // the position of the damage
  };
  struct Over {
    static constexpr const char *kName = "Over";
    std::uint64_t position = 0;
    std::uint64_t keep_from = 0;
  };
  using State = std::variant<TagStart, WholeTag, Resynchronizing, Over>;
  using Transitions = states::TransitionTable<
      states::Transition<TagStart, WholeTag>, states::Transition<TagStart, Resynchronizing>,
      states::Transition<TagStart, Over>, states::Transition<WholeTag, TagStart>,
      states::Transition<WholeTag, Resynchronizing>, states::Transition<WholeTag, Over>,
      states::Transition<Resynchronizing, Resynchronizing>,
      states::Transition<Resynchronizing, TagStart>, states::Transition<Resynchronizing, Over>>;

  // The index lists all keyframes if there are at most this many. Otherwise, it lists only
  // keyframes that are at least 1 s apart. This bounds the index at 16 MB, even for a file of
  // keyframes only.
  static constexpr std::size_t kMaxEntries = std::size_t{1} << 20;
  // The positions of the last configurations are kept, up to this number. Real files have a few
  // dozen.
  static constexpr std::size_t kMaxConfigurations = 65536;

  // The range of a configuration tag and its PreviousTagSize.
  struct Stretch {
    std::uint64_t position = 0;
    std::size_t size = 0;
    TagType type = TagType::Video;
  };

  // Start::File begins with the tag at `position`. Start::Middle begins with the first tag at or
  // after `position`. `file_size` is in bytes; 0: unknown.
  IndexScan(Splitter::Start start, std::uint64_t position, std::uint64_t file_size,
            const StreamIds &ids = {});

  // nullopt: the scan has reached the end of the file.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // The index so far. It lists keyframes; in a file without video, audio tags.
  [[nodiscard]] const KeyframeIndex &index() const { return video_seen_ ? video_ : audio_; }
  [[nodiscard]] const std::vector<Stretch> &configurations() const { return configurations_; }
  [[nodiscard]] bool audio_seen() const { return audio_seen_; }
  [[nodiscard]] bool video_seen() const { return video_seen_; }
  [[nodiscard]] std::uint64_t tags() const { return tags_; }
  // The next tag begins at or after this position.
  [[nodiscard]] std::uint64_t position() const;
  // Bytes before this are not needed again.
  [[nodiscard]] std::uint64_t keep_from() const;
  // The start of the last tag that was read.
  [[nodiscard]] std::uint64_t last_tag() const { return last_tag_; }
  // The configurations in force at the last tag. Those before the start of the scan are not
  // included.
  [[nodiscard]] const StreamHeader &head() const { return head_; }
  // The times of the tags so far.
  [[nodiscard]] const Timeline &timeline() const { return timeline_; }

private:
  void set_state(State next) {
    states::change_state<Transitions>("IndexScan", state_, std::move(next));
  }
  void expect_tag();
  void take_tag(const TagHeader &header, Bytes data);
  void take_configuration(const TagHeader &header, Bytes tag);
  void cross_splice(std::uint64_t position);
  void begin_search();
  void search_from(std::uint64_t position, std::uint64_t damage);
  void resynchronize(Resynchronizing &state, Bytes bytes);
  void end_search(const Item &found, std::uint64_t damage);
  static void remove(KeyframeIndex &index, std::uint64_t position);
  static void add(KeyframeIndex &index, double &spacing, std::uint64_t position, double time);

  std::uint64_t position_;
  std::uint64_t file_size_;
  std::uint64_t last_tag_;
  State state_;
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
