// SPDX-License-Identifier: LGPL-2.1-or-later
// From PAUSED to READY: finds the start, sends the stream, and does it again for each seek.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "pull_source.h"
#include "push_source.h"
#include "seek_request.h"
#include "src_writer.h"

namespace flvseek {

// What the element tells of where it started.
struct Started {
  guint64 offset = 0; // bytes
  guint64 time = 0;   // ms from the file's first tag
};

class Session {
public:
  // A start that was found, and what for.
  struct Decision {
    Request request;
    flv::StreamStart start;
    std::vector<std::uint64_t> rejected;
    std::vector<std::string> notes;
  };

  Session(GstElement *element, GstPad *sink_pad, GstPad *source_pad)
      : element_(element), sink_pad_(sink_pad), writer_(source_pad), pull_(sink_pad) {}

  // While there is no streaming thread: a new file, to be started as `properties` say.
  void open(bool by_pulling, const Properties &properties);

  // Pull mode. Looks for the start, as far as that goes without reading the file through.
  // false: there is none, which was said on the bus.
  [[nodiscard]] bool look_ahead();
  // Instead, where downstream reads the file itself.
  void announce_whole() { announce({request_, {}, {}, {}}); }
  // One turn of the streaming thread.
  [[nodiscard]] GstFlowReturn send_block();
  // Whether what is sent answers a SEGMENT seek, whose end is no end of the stream.
  [[nodiscard]] bool is_segment() const {
    return (playback_.flags & GST_SEGMENT_FLAG_SEGMENT) != 0;
  }
  // Instead of the end of the stream, from the streaming thread.
  gboolean end_segment();

  // Push mode, from the streaming thread.
  [[nodiscard]] GstFlowReturn take(gstflv::BufferPtr buffer);
  // No more bytes come. Sends the end on, unless upstream was asked for others instead, which
  // refuses it.
  [[nodiscard]] gboolean finish(gstflv::EventPtr end);
  // The next byte is number `position`, as the seek of this number wanted it.
  void jumped_to(guint64 position, guint32 seqnum);
  // Whether what comes from upstream is the answer to a seek of its own.
  [[nodiscard]] bool is_own(guint32 seqnum) const { return seqnum == jump_seqnum_; }
  // Takes a serialized event; it waits for the first segment.
  gboolean send_event(gstflv::EventPtr event);

  void flush() { writer_.flush(); }
  // Push mode: what comes behind a flush begins like a stream.
  void start_over();
  // Push mode: what comes is what a seek of its own wanted.
  void go_on() { push_.reset(jump_position_); }
  void set_seqnum(guint32 seqnum) { seqnum_ = seqnum; }
  [[nodiscard]] guint32 seqnum() const { return seqnum_; }

  // Seeks, from any thread.
  // Whether what is sent, or looked for, is what this seek wants.
  [[nodiscard]] bool is_current(guint32 seqnum) const {
    return seqnum == seqnum_ || seqnum == next_seqnum_;
  }
  // Whether upstream can give any byte.
  [[nodiscard]] bool is_seekable() const { return access_ != flv::Access::Forward; }
  [[nodiscard]] bool can_never_seek() const { return access_known_ && !is_seekable(); }
  // Pull mode: finds the place while the stream goes on, if there is one.
  [[nodiscard]] std::optional<Decision> prepare(const Request &request);
  // Pull mode, without a streaming thread: what comes next is what was prepared.
  void restart(Decision prepared);
  // Push mode: what comes is looked through for another start. false: there can be none.
  [[nodiscard]] bool seek(const Request &request, bool flush, guint32 seqnum);

  // From any thread.
  [[nodiscard]] Started started() const;
  [[nodiscard]] flv::KeyframeIndex index() const;
  [[nodiscard]] std::optional<GstClockTime> duration() const; // as onMetaData says
  [[nodiscard]] std::optional<GstClockTime> position() const; // as the index says
  [[nodiscard]] guint64 byte_position() const { return writer_.position(); }
  [[nodiscard]] std::optional<GstClockTime> sent_time() const { return writer_.time(); }
  [[nodiscard]] guint64 byte_duration() const { return file_size_; } // 0: unknown

private:
  // More bytes have to come before anything can be said. No pad ever returns it.
  static constexpr GstFlowReturn kMore = GST_FLOW_CUSTOM_SUCCESS;

  [[nodiscard]] GstFlowReturn send_or_hold(gstflv::BufferPtr buffer);
  [[nodiscard]] bool has_ended();
  [[nodiscard]] GstFlowReturn send_rest();
  [[nodiscard]] gboolean send_end(GstEvent *end);
  [[nodiscard]] GstFlowReturn look_by_pulling(bool may_scan);
  [[nodiscard]] GstFlowReturn look_by_pushing(bool at_end);
  [[nodiscard]] GstFlowReturn pull_request(const flv::ReadRequest &wanted);
  [[nodiscard]] Decision decision_for(const Request &request) const;
  [[nodiscard]] GstFlowReturn decide();
  [[nodiscard]] GstFlowReturn begin();
  [[nodiscard]] GstFlowReturn start_stream();
  [[nodiscard]] GstFlowReturn send_held(bool at_end);
  [[nodiscard]] bool ask_upstream(guint64 position, guint32 seqnum);
  [[nodiscard]] bool jump(guint64 position);
  [[nodiscard]] GstFlowReturn jump_to(guint64 position, bool at_end);
  void jump_behind_the_end();
  [[nodiscard]] GstFlowReturn cannot_read(guint64 position);
  [[nodiscard]] GstFlowReturn cannot_hold();
  void note_file();
  void find_out_access(bool has_bytes);
  void announce(const Decision &decision);
  void start_segment(const Decision &decision);
  void warn(const Decision &decision);

  GstElement *element_;
  GstPad *sink_pad_;
  SrcWriter writer_;
  PullSource pull_;
  PushSource push_;

  // While a start is looked for, by whatever thread.
  std::mutex deciding_;
  std::optional<flv::SeekPlanner> starter_;
  Request request_;
  std::atomic<flv::Access> access_ = flv::Access::Anywhere;
  std::atomic<guint64> file_size_ = 0;
  // By the streaming thread, there is a start to be looked for.
  std::atomic<bool> looking_ = false;
  // Push mode: nothing comes any more, unless upstream is asked for it.
  bool ended_ = false;
  std::optional<guint64> next_jump_; // for which it will be asked
  bool must_jump_ = false;           // and could not be asked yet
  std::optional<Decision> decision_; // to be begun with
  Playback playback_;                // of what is sent
  std::vector<std::string> told_;    // warnings about the file that the bus has

  std::atomic<guint32> seqnum_ = GST_SEQNUM_INVALID;
  // Push mode: of the seek whose start is being looked for.
  std::atomic<guint32> next_seqnum_ = GST_SEQNUM_INVALID;
  std::atomic<guint32> jump_seqnum_ = GST_SEQNUM_INVALID; // of the last seek of its own
  guint64 jump_position_ = 0;
  // Push mode: held by who asks upstream for other bytes, and taken before `deciding_`. Upstream's
  // thread, for which that one may wait, only tries to.
  std::mutex asking_;
  bool stream_started_ = false;
  std::atomic<bool> access_known_ = false;
  std::vector<gstflv::EventPtr> waiting_;

  // What is known, for whoever asks.
  mutable std::mutex known_mutex_;
  Started started_;
  flv::KeyframeIndex index_;
  std::optional<GstClockTime> duration_;
};

} // namespace flvseek
