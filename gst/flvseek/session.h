// SPDX-License-Identifier: LGPL-2.1-or-later
// One run of the element, until it returns to READY: finds the start, sends the stream, and repeats
// this for each seek.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <vector>

#include "pull_source.h"
#include "push_session.h"
#include "push_source.h"
#include "search.h"
#include "src_writer.h"

namespace flvseek {

// The start position that the element reports.
struct Started {
  guint64 offset = 0; // bytes
  guint64 time = 0;   // ms from the file's first tag
};

class Session {
public:
  Session(GstElement *element, GstPad *sink_pad, GstPad *source_pad)
      : element_(element), sink_pad_(sink_pad), writer_(source_pad), pull_(sink_pad),
        upstream_(element), search_(element) {}

  // Opens a new file. `properties` set the start. Only while no streaming thread runs.
  void open(bool by_pulling, const Properties &properties);

  // Pull mode. Searches for the start, but does not scan the file. false: there is no start, and an
  // error was posted.
  [[nodiscard]] bool look_ahead();
  // For a downstream that pulls: announces the whole file as the stream.
  void announce_whole() { announce({search_.request(), {}, {}, {}}); }
  // One iteration of the streaming thread.
  [[nodiscard]] GstFlowReturn send_block();
  // Whether the stream is the segment of a SEGMENT seek. It ends with SEGMENT_DONE, not with EOS.
  [[nodiscard]] bool is_segment() const {
    return (playback_.flags & GST_SEGMENT_FLAG_SEGMENT) != 0;
  }
  // Sends SEGMENT_DONE instead of EOS, from the streaming thread.
  gboolean end_segment();

  // Push mode, from the streaming thread.
  [[nodiscard]] GstFlowReturn take(gstflv::BufferPtr buffer);
  // Upstream has no more bytes. Passes `end` on. If upstream has to continue at another offset,
  // refuses `end` and returns FALSE.
  [[nodiscard]] gboolean finish(gstflv::EventPtr end);
  // The next byte has offset `position`. `seqnum`: of upstream's segment.
  void jumped_to(guint64 position, guint32 seqnum);
  // Whether the seqnum is that of a seek by this session.
  [[nodiscard]] bool is_own(guint32 seqnum) const { return upstream_.is_own(seqnum); }
  // Sends a serialized event. Before the first segment, queues it.
  gboolean send_event(gstflv::EventPtr event);

  void flush() { writer_.flush(); }
  // Push mode: after a flush, searches for the start again.
  void start_over();
  // Push mode: the next bytes are those that a seek by this session requested.
  void continue_after_jump();
  void set_seqnum(guint32 seqnum) { seqnum_ = seqnum; }
  [[nodiscard]] guint32 seqnum() const { return seqnum_; }

  // Seeks, from any thread. Whether the current stream or search is the result of this seek.
  [[nodiscard]] bool is_current(guint32 seqnum) const {
    return seqnum == seqnum_ || seqnum == search_.seqnum();
  }
  // Whether upstream supports random access.
  [[nodiscard]] bool is_seekable() const { return access_ != flv::Access::Forward; }
  [[nodiscard]] bool can_never_seek() const { return !upstream_.is_unknown() && !is_seekable(); }
  // Pull mode: finds a start while the stream continues. nullopt: there is none.
  [[nodiscard]] std::optional<Decision> prepare(const Request &request);
  // Pull mode, while no streaming thread runs: continues with the prepared start.
  void restart(Decision prepared);
  // Push mode: begins to search for another start. false: the seek is not possible.
  [[nodiscard]] bool seek(const Request &request, bool flush, guint32 seqnum);

  // From any thread.
  [[nodiscard]] Started started() const;
  [[nodiscard]] flv::KeyframeIndex index() const;
  [[nodiscard]] std::optional<GstClockTime> duration() const; // from onMetaData
  [[nodiscard]] std::optional<GstClockTime> position() const; // from the index
  [[nodiscard]] guint64 byte_position() const { return writer_.position(); }
  [[nodiscard]] std::optional<GstClockTime> sent_time() const { return writer_.time(); }
  [[nodiscard]] guint64 byte_duration() const { return file_size_; } // 0: unknown

private:
  // More bytes are needed. No pad function returns this value.
  static constexpr GstFlowReturn kMore = GST_FLOW_CUSTOM_SUCCESS;

  [[nodiscard]] GstFlowReturn send_or_hold(gstflv::BufferPtr buffer);
  [[nodiscard]] GstFlowReturn send_rest();
  [[nodiscard]] gboolean send_end(GstEvent *end);
  [[nodiscard]] GstFlowReturn look_by_pulling(bool may_scan);
  [[nodiscard]] GstFlowReturn look_by_pushing(bool at_end);
  [[nodiscard]] GstFlowReturn pull_request(const flv::ReadRequest &wanted);
  [[nodiscard]] Decision decision_for(const Request &request) const;
  [[nodiscard]] GstFlowReturn decide();
  // Does nothing if no start is found.
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
  PushSession upstream_; // push mode; Unknown in pull mode
  Search search_;

  // Guards the planner, which may run in any thread, and next_jump_. A change of the planner and of
  // the search is one step.
  std::mutex deciding_;
  std::optional<flv::SeekPlanner> planner_;
  std::atomic<flv::Access> access_ = flv::Access::Anywhere;
  std::atomic<guint64> file_size_ = 0;
  std::optional<guint64> next_jump_; // the offset that jump_behind_the_end() requests
  bool must_jump_ = false;           // a jump that could not be made yet
  Playback playback_;                // of the current stream
  std::vector<std::string> told_;    // posted warnings about the file

  std::atomic<guint32> seqnum_ = GST_SEQNUM_INVALID; // of the current stream
  // Push mode: guards seeks to upstream. Locked before `deciding_`. Upstream's thread may only try
  // to lock it, because the owner may wait for that thread.
  std::mutex asking_;
  bool stream_started_ = false;
  std::vector<gstflv::EventPtr> waiting_;

  // Guards the results, which any thread may read.
  mutable std::mutex known_mutex_;
  Started started_;
  flv::KeyframeIndex index_;
  std::optional<GstClockTime> duration_;
};

} // namespace flvseek
