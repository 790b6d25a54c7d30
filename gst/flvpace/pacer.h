// SPDX-License-Identifier: LGPL-2.1-or-later
// The work of the streaming thread: splits the bytes into tags, and sends each tag at its due time.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "base/gst_ptr.h"
#include "clock_wait.h"
#include "counters.h"
#include "flv/stream/kind_probe.h"
#include "output_header.h"
#include "settings.h"
#include "src_writer.h"
#include "states/transition.h"
#include "stream_info.h"
#include "tag_reader.h"
#include "tag_times.h"

namespace flvpace {

//    +--------- flush ---------+
//    v                         |
//    Probing ---- (1) ----> Flowing
//    |     ^                   ^
//   (2)    | flush             | first media tag
//    v     |                   |
//    AwaitMedia ---------------+
//
// (1) and (2): the kinds are known, a limit is reached, or the stream ends. (1): media is held.
// (2): no media is held. Probing begins before the file header. A flush in Probing drops the held
// tags.
class Pacer {
public:
  // Tags are held until the stream header and the segment are known.
  struct Probing {
    static constexpr const char *kName = "Probing";

    std::vector<Tag> tags;
    std::size_t bytes = 0;
    std::optional<std::uint32_t> first_timestamp; // of media
    flv::KindProbe probe;
  };
  // The start is sent, and it had no media. The first media tag sets the origin of the schedule.
  struct AwaitMedia {
    static constexpr const char *kName = "AwaitMedia";
  };
  struct Flowing {
    static constexpr const char *kName = "Flowing";

    flv::KindSet sent; // the kinds of the media that was sent since Probing
  };
  using State = std::variant<Probing, AwaitMedia, Flowing>;
  using Transitions = states::TransitionTable<
      states::Transition<Probing, AwaitMedia>, states::Transition<Probing, Flowing>,
      states::Transition<AwaitMedia, Flowing>, states::Transition<AwaitMedia, Probing>,
      states::Transition<Flowing, Probing>>;

  // The number of bytes that show whether a stream is FLV.
  static constexpr std::size_t kStartSize = flv::kFileHeaderSize + flv::kPreviousTagSizeSize;

  Pacer(GstElement *element, GstPad *source_pad, ClockWait &pacing)
      : element_(element), pacing_(pacing), writer_(source_pad), times_(element, counters_),
        header_(element), info_(element), state_(Probing{}) {}

  // From any thread.
  template <typename Change> void change_settings(Change change) { settings_.change(change); }
  [[nodiscard]] Settings settings() const { return settings_.latest(); }
  [[nodiscard]] const Counters &counters() const { return counters_; }
  [[nodiscard]] std::optional<GstClockTime> position() const; // media time of the last tag sent
  [[nodiscard]] std::optional<GstClockTime> duration() const { return info_.duration(); }

  // Whether a stream with this start can be FLV. If not, posts an error. A `start` shorter than
  // kStartSize is the whole stream. If a longer `start` is not FLV, the error names its likely
  // format.
  [[nodiscard]] bool accepts(flv::Bytes start);

  // From the streaming thread, or while no streaming thread runs.
  void clear();
  // Releases all memory. Counters and settings stay.
  void stop();
  void set_seqnum(guint32 seqnum) { writer_.set_seqnum(seqnum); }
  // Drops all data that has not been sent. The next byte is the first one after a flush.
  void flush();
  // The next byte has position `position`. If it does not follow the last byte, drops the
  // unfinished tag.
  [[nodiscard]] GstFlowReturn jump(std::uint64_t position);
  // Bytes are missing before the next byte: drops the unfinished tag. Positions continue without a
  // gap.
  void interrupt();
  // Inserts, before the next tag, the tags of upstream's `streamheader` that the stream lacks.
  void take_stream_header(std::vector<gstflv::BufferPtr> header);
  // true: a stream without a file header is accepted, and joined in its middle.
  void set_joining(bool joining) { header_.set_joining(joining); }
  // The next byte has position `position`. Drops all input before it.
  void leave_for(std::uint64_t position);
  [[nodiscard]] bool has_header() const { return !header_.is_missing(); }
  // `arrival`: the running time at which the buffer arrived from a live source.
  [[nodiscard]] GstFlowReturn take(gstflv::BufferPtr buffer, flv::Nanoseconds arrival = 0);
  // The stream has ended: sends the remaining tags, and waits for the duration of the last tag.
  [[nodiscard]] GstFlowReturn finish();
  gboolean send_event(gstflv::EventPtr event) { return writer_.send_event(std::move(event)); }
  gboolean send_gap();

private:
  static constexpr std::int64_t kUnknown = -1;

  using More = TagReader::More;

  void set_state(State next);
  [[nodiscard]] bool is_probing() const { return std::holds_alternative<Probing>(state_); }

  [[nodiscard]] GstFlowReturn take_chunk(const gstflv::BufferPtr &buffer);
  [[nodiscard]] GstFlowReturn split(const gstflv::BufferPtr &buffer, flv::Bytes bytes);
  [[nodiscard]] GstFlowReturn drop_half_read();
  void restart_at(std::uint64_t position);
  [[nodiscard]] GstFlowReturn join();
  [[nodiscard]] bool has_found_no_tag() const;
  [[nodiscard]] GstFlowReturn found_no_tag();
  [[nodiscard]] GstFlowReturn take_new_tags(const std::vector<gstflv::BufferPtr> &header);
  [[nodiscard]] GstFlowReturn handle_items(More more);
  [[nodiscard]] GstFlowReturn handle(const flv::Item &item);
  void handle_file_header(const flv::Item &item);
  [[nodiscard]] GstFlowReturn handle_tag(const flv::Item &item, More more);
  [[nodiscard]] GstFlowReturn report_damage(const flv::Item &item);
  GstFlowReturn not_flv(const flv::Fault &fault, flv::Bytes start);
  [[nodiscard]] GstFlowReturn finish_splitting(More more);
  [[nodiscard]] bool has_no_tag() const;
  GstFlowReturn no_tag();
  void report_stream_id(const Tag &tag);
  void take_settings();

  void hold(Probing &probing, Tag tag);
  [[nodiscard]] bool is_held_enough(const Probing &probing) const;
  [[nodiscard]] GstFlowReturn release();

  void place(Tag &tag);
  void note_head(Tag &tag);
  void send_tags();
  [[nodiscard]] GstFlowReturn send_file_header(flv::Nanoseconds due);
  [[nodiscard]] GstFlowReturn deliver(Tag &tag);
  template <typename Waiting> [[nodiscard]] GstFlowReturn wait(Waiting waiting);
  [[nodiscard]] bool is_first_of_its_kind(const Tag &tag);
  void set_flags(const Tag &tag) const;
  void count(const Tag &tag);
  void log_departure(const Tag &tag, const Departure &departure) const;

  GstElement *element_;
  ClockWait &pacing_;
  SrcWriter writer_;

  SharedSettings settings_;
  Counters counters_;
  Shared<std::int64_t> position_{kUnknown}; // ms

  TagReader reader_;
  TagTimes times_;
  OutputHeader header_;
  StreamInfo info_;
  State state_;
  flv::Nanoseconds arrival_ = 0;
  GstFlowReturn last_flow_ = GST_FLOW_OK;
  bool video_seen_ = false; // since READY
  bool discont_ = false;    // before the next tag
};

} // namespace flvpace
