// SPDX-License-Identifier: LGPL-2.1-or-later
// The streaming thread's work: bytes in, tags out, each at its time.
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

// Settled when the stream starts, except max_gap.
struct Settings {
  Retimestamp retimestamp = Retimestamp::Continuous;
  OnCorrupt on_corrupt = OnCorrupt::Skip;
  guint max_gap = 10000;                  // ms
  guint mtu = 0;                          // bytes
  guint max_tag_size = flv::kMaxDataSize; // bytes
};

// A number that one thread changes and others look at.
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

// A tag on its way out.
struct Tag {
  flv::TagHeader header;
  flv::TagInfo info;
  gstflv::BufferPtr buffer;
  std::uint64_t position = 0;   // of its first byte in the file, for messages
  std::size_t size = 0;         // of the buffer
  std::int64_t time = 0;        // ms of media
  flv::Nanoseconds arrival = 0; // running time, of a live stream
  flv::StreamHeader::Change head_change = flv::StreamHeader::Change::None;
  bool discont = false;

  [[nodiscard]] bool is_media() const;
};

// Tags are held back until the stream has shown what its head and its segment need.
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
  // Bytes that tell whether a stream is FLV.
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
  [[nodiscard]] std::optional<GstClockTime> duration() const; // as onMetaData says

  // Whether a stream that begins like this can be FLV; if not, says so on the bus. `start` is all
  // there is if it is shorter than a file header with its PreviousTagSize0. More bytes than that
  // name the format of a stream that is not FLV.
  [[nodiscard]] bool accepts(flv::Bytes start);

  // From the streaming thread, or while there is none.
  void clear();
  // Lets go of all memory; counters and settings stay.
  void stop();
  void set_seqnum(guint32 seqnum) { writer_.set_seqnum(seqnum); }
  // Everything half done is dropped; the next byte is the first after a flush.
  void flush();
  // The next byte is number `position`. Where that does not follow the last one, what is half read
  // is over.
  [[nodiscard]] GstFlowReturn jump(std::uint64_t position);
  // Bytes are missing before the next one: drops the unfinished tag. Positions go on counting.
  void interrupt();
  // Inserts the tags of upstream's `streamheader` that the stream did not have before the next tag.
  void take_stream_header(std::vector<gstflv::BufferPtr> header);
  // Whether a stream that begins without a file header is taken to have begun before.
  void set_joining(bool joining) { joining_ = joining; }
  // The next byte is number `position`, and nothing of what came before is wanted any more.
  void leave_for(std::uint64_t position);
  [[nodiscard]] bool has_header() const { return has_header_; }
  // `arrival`: the running time at which a live source has sent it.
  [[nodiscard]] GstFlowReturn take(gstflv::BufferPtr buffer, flv::Nanoseconds arrival = 0);
  // The stream is over: sends what is left and waits until the last tag has lasted.
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
  Settings settings_; // with the mutex
  std::atomic<bool> settings_changed_ = true;
  Settings current_; // the streaming thread's copy
  Counters counters_;
  Shared<std::int64_t> position_{kUnknown}; // ms
  Shared<std::int64_t> duration_{kUnknown}; // ns

  flv::Splitter splitter_;
  flv::SpliceSearch splices_;
  flv::StreamIds stream_ids_; // of the tags so far: the splitter may know those behind a splice
  std::vector<flv::Item> items_;
  FileOffsets file_offsets_;
  ChunkAssembler chunks_;
  SlicePool slice_pool_;
  GstBuffer *chunk_ = nullptr; // borrowed, while its items are handled
  flv::Bytes chunk_bytes_;
  bool chunk_stays_in_place_ = false;
  std::uint64_t chunk_begin_ = 0;
  std::uint64_t received_ = 0; // the splitter has read up to here, and may have to go back
  gstflv::BufferPtr again_;    // what it went back to, in front of the chunk
  std::uint64_t again_begin_ = 0;
  flv::Nanoseconds arrival_ = 0;

  flv::Timeline timeline_;
  flv::StreamHeader head_;
  flv::FileHeader file_header_;
  gstflv::BufferPtr file_header_buffer_; // until it was sent
  gstflv::TagListPtr tags_;              // found in onMetaData, until they were sent
  std::optional<Hold> hold_{Hold{}};
  bool has_header_ = false; // a file header was seen since READY, or made up
  bool joining_ = false;
  bool made_up_header_ = false;                    // and not yet sent
  std::vector<gstflv::BufferPtr> upstream_header_; // in the caps, until the stream begins
  GstFlowReturn last_flow_ = GST_FLOW_OK;
  bool flushed_ = false; // and not yet released since
  bool video_seen_ = false;
  bool video_sent_ = false; // since the start or a flush
  bool audio_sent_ = false;
  bool scheduled_ = false; // by a media tag's time
  bool discont_ = false;
  bool needs_segment_ = false; // in front of the next tag
};

} // namespace flvpace
