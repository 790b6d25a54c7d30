// SPDX-License-Identifier: LGPL-2.1-or-later
// The work of the streaming thread: splits the bytes into tags, and sends each tag at its due time.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "base/gst_ptr.h"
#include "chunk_assembler.h"
#include "clock_wait.h"
#include "file_offsets.h"
#include "flv/format/metadata.h"
#include "flv/stream/splice_search.h"
#include "flv/stream/splitter.h"
#include "flv/stream/stream_header.h"
#include "flv/stream/timeline.h"
#include "slice_pool.h"
#include "src_writer.h"

namespace flvpace {

enum class Retimestamp { Continuous, Zero, None };
enum class OnCorrupt { Skip, Fail };

// Read when the stream starts. Only max_gap is read again later.
struct Settings {
  Retimestamp retimestamp = Retimestamp::Continuous;
  OnCorrupt on_corrupt = OnCorrupt::Skip;
  guint max_gap = 10000;                  // ms
  guint mtu = 0;                          // bytes
  guint max_tag_size = flv::kMaxDataSize; // bytes
};

// A number that one thread writes and other threads read.
template <typename T> class Shared {
public:
  Shared(T value = {}) : value_(value) {}
  Shared &operator=(T value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  operator T() const { return value_.load(std::memory_order_relaxed); }
  void add(T more) { *this = *this + more; }

private:
  std::atomic<T> value_;
};

struct Counters {
  Shared<guint64> audio_tags;
  Shared<guint64> video_tags;
  Shared<guint64> script_tags;
  Shared<guint64> key_frames;
  Shared<guint64> bytes_in;
  Shared<guint64> bytes_out;
  Shared<guint64> bytes_skipped;
  Shared<guint64> discontinuities;
  Shared<guint64> wrong_previous_sizes;
  Shared<guint64> nonzero_stream_ids;

  void clear();
};

// A tag to be sent.
struct Tag {
  flv::TagHeader header;
  flv::TagInfo info;
  gstflv::BufferPtr buffer;
  std::uint64_t position = 0;   // the file offset of its first byte, for messages
  std::size_t size = 0;         // of the buffer
  std::int64_t time = 0;        // ms of media time
  flv::Nanoseconds arrival = 0; // running time; only with a live source
  flv::StreamHeader::Change head_change = flv::StreamHeader::Change::None;
  bool discont = false;

  [[nodiscard]] bool is_media() const;
};

// Tags that are held until the stream header and the segment are known.
struct Hold {
  std::vector<Tag> tags;
  std::size_t bytes = 0;
  std::optional<std::uint32_t> first_timestamp;
  std::int32_t span = 0; // ms of media
  bool audio_seen = false;
  bool video_seen = false;
};

class Pacer {
public:
  // The number of bytes that show whether a stream is FLV.
  static constexpr std::size_t kStartSize = flv::kFileHeaderSize + flv::kPreviousTagSizeSize;

  Pacer(GstElement *element, GstPad *source_pad, ClockWait &pacing)
      : element_(element), pacing_(pacing), writer_(source_pad) {}

  // From any thread.
  template <typename Change> void change_settings(Change change) {
    const std::lock_guard lock(mutex_);
    change(settings_);
    settings_changed_.store(true, std::memory_order_release);
  }
  [[nodiscard]] Settings settings() const;
  [[nodiscard]] const Counters &counters() const { return counters_; }
  [[nodiscard]] std::optional<GstClockTime> position() const; // media time of the last tag sent
  [[nodiscard]] std::optional<GstClockTime> duration() const; // from onMetaData

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
  void set_joining(bool joining) { joining_ = joining; }
  // The next byte has position `position`. Drops all input before it.
  void leave_for(std::uint64_t position);
  [[nodiscard]] bool has_header() const { return has_header_; }
  // `arrival`: the running time at which the buffer arrived from a live source.
  [[nodiscard]] GstFlowReturn take(gstflv::BufferPtr buffer, flv::Nanoseconds arrival = 0);
  // The stream has ended: sends the remaining tags, and waits for the duration of the last tag.
  [[nodiscard]] GstFlowReturn finish();
  gboolean send_event(gstflv::EventPtr event) { return writer_.send_event(std::move(event)); }
  gboolean send_gap();

private:
  static constexpr std::int64_t kUnknown = -1;

  // Whether more of the stream follows the current items.
  enum class More { Follows, EndOfStream };

  [[nodiscard]] GstFlowReturn take_chunk(const gstflv::BufferPtr &buffer);
  [[nodiscard]] GstFlowReturn split(const gstflv::BufferPtr &buffer, flv::Bytes bytes);
  [[nodiscard]] GstFlowReturn drop_half_read();
  void restart_at(std::uint64_t position);
  [[nodiscard]] bool begins_in_the_middle(flv::Bytes start) const;
  [[nodiscard]] GstFlowReturn join();
  void announce(const flv::FileHeader &header);
  [[nodiscard]] GstFlowReturn found_no_tag();
  [[nodiscard]] GstFlowReturn take_new_tags(const std::vector<gstflv::BufferPtr> &header);
  [[nodiscard]] GstFlowReturn handle(const flv::Item &item);
  [[nodiscard]] GstFlowReturn handle_file_header(const flv::Item &item);
  [[nodiscard]] GstFlowReturn handle_tag(const flv::Item &item, More more);
  [[nodiscard]] GstFlowReturn report_damage(const flv::Item &item);
  GstFlowReturn not_flv(const flv::Fault &fault, flv::Bytes start);
  [[nodiscard]] GstFlowReturn finish_splitting(More more);
  [[nodiscard]] bool has_no_tag() const;
  GstFlowReturn no_tag();
  [[nodiscard]] GstFlowReturn handle_items(More more);
  [[nodiscard]] std::optional<std::uint64_t> find_splice(const flv::Item &item);
  [[nodiscard]] GstFlowReturn drop_cut_tag(const flv::Item &tag, std::uint64_t splice);
  void split_again(std::uint64_t position);
  [[nodiscard]] flv::Status split_more();
  void cut_out(const flv::Item &item, Tag &tag);
  void note_stream_id(const Tag &tag);
  void report_discontinuity(const Tag &tag, std::uint32_t timestamp);
  void take_settings();

  void hold(Tag tag);
  [[nodiscard]] bool is_held_enough() const;
  [[nodiscard]] GstFlowReturn release();

  void place(Tag &tag);
  void note_head(Tag &tag);
  void note_metadata(flv::Bytes data);
  void send_tags();
  [[nodiscard]] GstFlowReturn send_file_header(flv::Nanoseconds due);
  [[nodiscard]] GstFlowReturn deliver(Tag tag);
  template <typename Waiting> [[nodiscard]] GstFlowReturn wait(Waiting waiting);
  [[nodiscard]] bool is_first_of_its_kind(const Tag &tag);
  void set_flags(const Tag &tag) const;
  void count(const Tag &tag);
  void log_departure(const Tag &tag, const Departure &departure) const;

  GstElement *element_;
  ClockWait &pacing_;
  SrcWriter writer_;

  mutable std::mutex mutex_;
  Settings settings_; // guarded by mutex_
  std::atomic<bool> settings_changed_ = true;
  Settings current_; // the streaming thread's copy
  Counters counters_;
  Shared<std::int64_t> position_{kUnknown}; // ms
  Shared<std::int64_t> duration_{kUnknown}; // ns

  flv::Splitter splitter_;
  flv::SpliceSearch splices_;
  flv::StreamIds stream_ids_; // of the handled tags; the splitter may have read past a splice
  std::vector<flv::Item> items_;
  FileOffsets file_offsets_;
  ChunkAssembler chunks_;
  SlicePool slice_pool_;
  GstBuffer *chunk_ = nullptr; // borrowed; set while its items are handled
  flv::Bytes chunk_bytes_;
  bool chunk_stays_in_place_ = false;
  std::uint64_t chunk_begin_ = 0;
  gstflv::BufferPtr again_; // the bytes before the chunk that the splitter reads again
  std::uint64_t again_begin_ = 0;
  flv::Nanoseconds arrival_ = 0;

  flv::Timeline timeline_;
  flv::StreamHeader stream_header_;
  flv::FileHeader file_header_;
  gstflv::BufferPtr file_header_buffer_; // until it is sent
  gstflv::TagListPtr tags_;              // from onMetaData, until they are sent
  std::optional<Hold> hold_{Hold{}};
  bool has_header_ = false; // since READY, a file header was received or created
  bool joining_ = false;
  bool made_up_header_ = false;                    // the file header is created, not sent yet
  std::vector<gstflv::BufferPtr> upstream_header_; // from the caps, until the stream starts
  GstFlowReturn last_flow_ = GST_FLOW_OK;
  bool flushed_ = false; // a flush came after the file header was sent; no release() since
  bool video_seen_ = false;
  bool video_sent_ = false; // since the start or a flush
  bool audio_sent_ = false;
  bool scheduled_ = false; // the origin of the schedule is a media tag
  bool discont_ = false;
  bool needs_segment_ = false; // before the next tag
};

} // namespace flvpace
