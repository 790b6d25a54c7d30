// SPDX-License-Identifier: LGPL-2.1-or-later
// FLV in, entries of a history out: what each tag is to those who join, and when it plays.
#pragma once

#include <limits>
#include <span>

#include "backlog.h"
#include "flv/format/amf0.h"
#include "flv/format/codec.h"
#include "flv/stream/stream_header.h"
#include "flv/stream/timeline.h"
#include "tag_assembler.h"

namespace fanout {

class FlvIngest {
public:
  // ms of media: so long the stream may take to show frames of the kinds that its header promises.
  static constexpr std::int64_t kHold = 1000;

  // Forgets everything.
  void clear();
  // The stream's head from elsewhere than the stream: a file header, or tags.
  void note_head(Bytes bytes);
  // Appends the entries that `bytes` completes; `owner` keeps them. Malformed: it is no FLV, and
  // fault() says why.
  [[nodiscard]] flv::Status take(const std::shared_ptr<const void> &owner, Bytes bytes,
                                 std::vector<Entry> &out);
  // What is half read is over. The next byte begins a tag or a file, whose time goes on behind what
  // was; nothing is passed on before its first key frame.
  void interrupt();
  // The stream is over: appends what was held back.
  void finish(std::vector<Entry> &out);

  [[nodiscard]] const flv::Fault &fault() const { return tags_.fault(); }

private:
  struct Presence {
    bool promised = false;
    std::optional<std::int64_t> last; // the highest time at its last frame
    bool absent = true;               // until a frame that a decoder can start at
    std::uint32_t appearance = 0;     // how often it was no longer absent
    std::uint32_t announced = 0;      // the last appearance that a head has announced
  };
  struct Held {
    Entry entry;
    // Where one can join: audio only if there is no video.
    std::optional<StartPoint> start;
    bool appears = false; // its kind was absent before
    std::vector<flv::SharedBytes> configurations;
  };

  void take_item(const flv::Item &item, std::vector<Entry> &out);
  void take_tag(const flv::Item &item, std::vector<Entry> &out);
  void set_metadata(std::optional<flv::amf0::Value> metadata);
  void take_script(const flv::Item &item, Bytes data, std::vector<Entry> &out);
  void start_file(std::vector<Entry> &out);
  void start_stretch();
  void note_file_header(const flv::FileHeader &header);
  void note_head_tag(const flv::TagHeader &header, Bytes data);
  [[nodiscard]] Presence &presence(Kind kind) { return kind == Kind::Video ? video_ : audio_; }
  [[nodiscard]] bool has(const Presence &presence) const;
  [[nodiscard]] bool note_frame(Kind kind, bool can_start);
  [[nodiscard]] std::optional<StartPoint> start_of(const flv::TagInfo &info, Kind kind, Bytes data);
  [[nodiscard]] bool shows_all() const;
  void pass_on(Held held, std::vector<Entry> &out);
  void emit(Held held, std::vector<Entry> &out);
  void release(std::vector<Entry> &out);
  void resume(const Held &held, std::vector<Entry> &out);
  void appear(Entry &entry, std::vector<Entry> &out);
  [[nodiscard]] Entry own_entry(std::vector<std::uint8_t> tag, std::int64_t time) const;
  [[nodiscard]] bool can_join(const Held &held) const;
  [[nodiscard]] bool shows(Kind kind, Kind first) const;
  void set_head(const std::vector<flv::SharedBytes> &configurations, Kind first);
  [[nodiscard]] JoinHeaderPtr new_head(const std::vector<flv::SharedBytes> &configurations,
                                       bool audio, bool video) const;
  [[nodiscard]] std::vector<std::uint8_t> metadata_tag(bool audio, bool video) const;
  [[nodiscard]] std::vector<std::uint8_t> metadata_tag() const {
    return metadata_tag(has(audio_), has(video_));
  }

  TagAssembler tags_;
  bool started_ = false; // there was a file header, here or elsewhere

  flv::Timeline timeline_;
  flv::StreamHeader configurations_; // and nothing else
  std::optional<flv::amf0::Value> metadata_;
  std::uint64_t metadata_version_ = 0;   // counts its changes
  std::optional<flv::amf0::Value> told_; // of that, before the stretch that is awaited
  Presence audio_;
  Presence video_;
  std::size_t nal_length_size_ = 0; // of the video; 0: it has no NAL units
  bool configured_ = false;         // there was no video frame behind the last configuration

  // What the head was made of.
  struct JoinHeaderInput {
    bool has_audio = false;
    bool has_video = false;
    std::uint64_t metadata_version = 0;
    std::vector<flv::SharedBytes> configurations;

    bool operator==(const JoinHeaderInput &) const = default;
  };
  JoinHeaderInput head_input_;
  JoinHeaderPtr head_;
  std::int64_t shift_ = 0; // ms that entries are later than the timeline has them
  std::int64_t shown_ = std::numeric_limits<std::int64_t>::min(); // when the last picture is

  std::int64_t end_ = 0; // of what was passed on before the stretch that is awaited

  bool waiting_ = true;  // for a key frame
  bool dropped_ = false; // media, meanwhile
  bool flowing_ = false; // entries were passed on
  std::optional<std::vector<Held>> held_{std::vector<Held>()};
  std::optional<std::int64_t> held_since_;
};

} // namespace fanout
