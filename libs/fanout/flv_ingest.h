// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts an FLV stream into entries of a backlog: finds the start points and the media times.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <variant>

#include "backlog.h"
#include "flv/format/amf0.h"
#include "flv/format/codec.h"
#include "flv/stream/kind_probe.h"
#include "flv/stream/stream_header.h"
#include "flv/stream/timeline.h"
#include "join_header.h"
#include "states/transition.h"
#include "tag_assembler.h"

namespace fanout {

// A stream has one or more sections, which are separated by splices: interruptions or new file
// headers. A section starts at its first start point; tags before that are dropped.
//
//             all kinds are known,          start point
//             or the limit is reached
//    Probing ----------------> AwaitKeyframe ----------> Flowing
//       ^                        |        ^                 |
//       |    new file header     |        |     splice      |
//       +------------------------+        +-----------------+
//
// A splice in Probing discards the held tags, and Probing continues.
class FlvIngest {
public:
  // ms of media time: the limit for holding tags until each announced kind has a frame.
  static constexpr std::int64_t kHold = 1000;

  struct Section {
    std::optional<flv::amf0::Value> metadata;
    std::int64_t end = 0; // ms of media time
    bool dropped = false; // media was dropped after this section
  };
  struct ParsedTag {
    Entry entry;
    // Set if a client can start here. An audio tag is a start point only if video is absent.
    std::optional<StartPoint> start;
    bool appears = false; // the kind was absent before
    DecoderConfigs configs;
  };
  // Tags are held, because the kinds of the stream are not known yet.
  struct Probing {
    static constexpr const char *kName = "Probing";

    std::vector<ParsedTag> held;
    std::optional<std::int64_t> first_media; // ms: the time of the first held media
    flv::KindProbe probe;
    std::optional<Section> previous;
  };
  struct AwaitKeyframe {
    static constexpr const char *kName = "AwaitKeyframe";

    std::optional<Section> previous;
  };
  struct Flowing {
    static constexpr const char *kName = "Flowing";
  };
  using State = std::variant<Probing, AwaitKeyframe, Flowing>;
  using Transitions = states::TransitionTable<
      states::Transition<Probing, AwaitKeyframe>, states::Transition<AwaitKeyframe, Flowing>,
      states::Transition<Flowing, AwaitKeyframe>, states::Transition<AwaitKeyframe, Probing>>;

  // Returns to the initial state.
  void clear();
  // Takes a file header or tags that are not part of the stream, for example from caps.
  void note_stream_header(Bytes bytes);
  // Appends the entries that `bytes` completes. `owner` owns the bytes. Malformed: the stream is
  // not FLV, and fault() has the reason.
  [[nodiscard]] flv::Status take(const std::shared_ptr<const void> &owner, Bytes bytes,
                                 std::vector<Entry> &out);
  // A splice: discards an incomplete tag. The next byte starts a tag or a file, and its media time
  // continues after the section before.
  void interrupt();
  // The stream ends: appends the held tags.
  void finish(std::vector<Entry> &out);

  [[nodiscard]] const flv::Fault &fault() const { return tags_.fault(); }

private:
  struct Presence {
    std::optional<std::int64_t> last; // ms: the highest time at the kind's last frame
    bool absent = true;               // until a frame that a decoder can start at
    std::uint32_t appearance = 0;     // as in Entry
    std::uint32_t announced = 0;      // the last appearance that a header announces
  };

  void set_state(State next) {
    states::change_state<Transitions>("FlvIngest", state_, std::move(next));
  }

  void take_item(const flv::Item &item, std::vector<Entry> &out);
  void take_tag(const flv::Item &item, std::vector<Entry> &out);
  void take_script(const flv::Item &item, Bytes data, std::vector<Entry> &out);
  void start_file(std::vector<Entry> &out);
  void splice();
  void note_header_tag(const flv::TagHeader &header, Bytes data);
  void set_metadata(std::optional<flv::amf0::Value> metadata);
  [[nodiscard]] Presence &presence(Kind kind) { return kind == Kind::Video ? video_ : audio_; }
  [[nodiscard]] bool is_present(const Presence &presence) const;
  [[nodiscard]] bool note_frame(Kind kind, bool can_start);
  [[nodiscard]] std::optional<StartPoint> start_of(const flv::TagInfo &info, Kind kind, Bytes data);
  [[nodiscard]] bool is_held_enough(const Probing &probing) const;
  void hold(Probing &probing, ParsedTag tag, std::vector<Entry> &out);
  void release(std::vector<Entry> &out);
  void hold_or_emit(ParsedTag tag, std::vector<Entry> &out);
  void emit(ParsedTag tag, std::vector<Entry> &out);
  void start_section(const std::optional<Section> &previous, ParsedTag &tag,
                     std::vector<Entry> &out);
  void emit_setup(const ParsedTag &tag, std::vector<Entry> &out);
  void emit_repeated_setup(Entry &entry, std::vector<Entry> &out);
  void set_join_header(Entry &entry, StartPoint start, const DecoderConfigs &configs);
  [[nodiscard]] bool can_join(const ParsedTag &tag) const;
  [[nodiscard]] bool is_announced(Kind kind, Kind first) const;
  void update_header(const DecoderConfigs &configs, Kind first);
  [[nodiscard]] std::vector<std::uint8_t> current_metadata_tag() const {
    return metadata_tag(metadata_, is_present(audio_), is_present(video_));
  }

  TagAssembler tags_;
  State state_;
  bool has_file_header_ = false;
  flv::FileHeader announced_;       // the last file header
  bool is_after_config_ = false;    // no video frame has come since the last decoder configuration
  std::size_t nal_length_size_ = 0; // of the video; 0: the codec has no NAL units

  flv::Timeline timeline_;
  std::int64_t time_offset_ = 0; // ms from the timeline to the times of entries
  std::int64_t latest_presentation_ = std::numeric_limits<std::int64_t>::min(); // ms of media time
  Presence audio_;
  Presence video_;

  flv::StreamHeader configs_; // decoder configurations only
  std::optional<flv::amf0::Value> metadata_;
  std::uint64_t metadata_version_ = 0; // counts its changes
  JoinHeaderPtr header_;
  JoinHeaderInput header_input_;
  std::uint64_t header_version_ = 0; // the metadata version of the header
};

} // namespace fanout
