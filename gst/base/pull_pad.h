// SPDX-License-Identifier: LGPL-2.1-or-later
// Helpers for elements that pull from a random-access upstream and push downstream.
#pragma once

#include <gst/base/gstbasesrc.h>

#include "gst_ptr.h"

namespace gstflv {

// A field in the answer to a SCHEDULING query: the element handles TIME seeks in push mode only.
inline constexpr const char *kSeeksByPushing = "flv-seeks-in-time-by-pushing";

inline bool can_pull(GstQuery *scheduling) {
  return gst_query_has_scheduling_mode_with_flags(scheduling, GST_PAD_MODE_PULL,
                                                  GST_SCHEDULING_FLAG_SEEKABLE);
}

// Activates a sink pad in pull mode if upstream supports random access, otherwise in push mode. If
// upstream handles TIME seeks in push mode only, uses push mode, because the element may pass TIME
// seeks upstream.
inline gboolean activate_in_best_mode(GstPad *pad) {
  GstQuery *query = gst_query_new_scheduling();
  const bool pull = gst_pad_peer_query(pad, query) && can_pull(query) &&
                    !gst_structure_has_field(gst_query_get_structure(query), kSeeksByPushing);
  gst_query_unref(query);
  return gst_pad_activate_mode(pad, pull ? GST_PAD_MODE_PULL : GST_PAD_MODE_PUSH, TRUE);
}

// Whether the sink pad is linked directly to a source. Only a source can be read while the sink pad
// is activated: any other element may still wait for its own state change. An error during
// activation makes the state change fail, which every application notices.
inline bool is_behind_a_source(GstPad *sink_pad) {
  const PadPtr peer(gst_pad_get_peer(sink_pad));
  return GST_IS_BASE_SRC(GST_PAD_PARENT(peer.get()));
}

// Ends the streaming task of a sink pad in pull mode. Posts no message for GST_FLOW_ERROR, because
// the element has already posted its own errors, and upstream has posted its read errors.
inline void end_pull_task(GstElement *element, GstPad *sink_pad, GstPad *source_pad,
                          GstFlowReturn flow, guint32 seqnum) {
  gst_pad_pause_task(sink_pad);
  if (flow == GST_FLOW_FLUSHING)
    return;
  if (flow == GST_FLOW_NOT_LINKED || (flow < GST_FLOW_EOS && flow != GST_FLOW_ERROR))
    GST_ELEMENT_FLOW_ERROR(element, flow);
  GstEvent *eos = gst_event_new_eos();
  if (seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum(eos, seqnum);
  gst_pad_push_event(source_pad, eos);
}

// Posts SEGMENT_START, as GstBaseSrc does after a SEGMENT seek. A bin pairs it with SEGMENT_DONE.
inline void start_segment(GstElement *element, GstFormat format, guint64 position, guint32 seqnum) {
  GstMessage *message =
      gst_message_new_segment_start(GST_OBJECT(element), format, static_cast<gint64>(position));
  gst_message_set_seqnum(message, seqnum);
  gst_element_post_message(element, message);
}

// Posts and sends SEGMENT_DONE, which replaces EOS after a SEGMENT seek.
inline gboolean end_segment(GstElement *element, GstPad *source_pad, GstFormat format,
                            guint64 position, guint32 seqnum) {
  const auto end = static_cast<gint64>(position);
  GstMessage *message = gst_message_new_segment_done(GST_OBJECT(element), format, end);
  gst_message_set_seqnum(message, seqnum);
  gst_element_post_message(element, message);
  GstEvent *event = gst_event_new_segment_done(format, end);
  gst_event_set_seqnum(event, seqnum);
  return gst_pad_push_event(source_pad, event);
}

// Sends STREAM_START. FLUSHING: the event was dropped, and must be sent again.
inline GstFlowReturn push_stream_start(GstPad *pad) {
  const StringPtr id(gst_pad_create_stream_id(pad, GST_PAD_PARENT(pad), nullptr));
  GstEvent *event = gst_event_new_stream_start(id.get());
  gst_event_set_group_id(event, gst_util_group_id_next());
  return gst_pad_push_event(pad, event) || !GST_PAD_IS_FLUSHING(pad) ? GST_FLOW_OK
                                                                     : GST_FLOW_FLUSHING;
}

// A seek that an element performs in pull mode.
class PullSeek {
public:
  PullSeek(GstPad *sink_pad, GstPad *source_pad, guint32 seqnum)
      : sink_pad_(sink_pad), source_pad_(source_pad), seqnum_(seqnum) {}

  // Starts a flush and takes the stream lock. If another seek ends the flush and restarts the task
  // first, starts the flush again. `stop` ends the waits of the element itself.
  template <typename Stop> void flush_and_lock(Stop stop) const {
    stop();
    send(gst_event_new_flush_start());
    while (!GST_PAD_STREAM_TRYLOCK(sink_pad_)) {
      if (!GST_PAD_IS_FLUSHING(source_pad_))
        send(gst_event_new_flush_start());
      stop();
      g_usleep(kTurn);
    }
  }

  // Takes the stream lock without a flush: waits until downstream returns from the current push.
  template <typename Stop> void pause_and_lock(Stop stop) const {
    for (;;) {
      pause();
      stop();
      if (GST_PAD_STREAM_TRYLOCK(sink_pad_))
        break;
      g_usleep(kTurn);
    }
  }

  void end_flush() const { send(gst_event_new_flush_stop(TRUE)); }

private:
  static constexpr gulong kTurn = 500; // us

  // Unlike gst_pad_pause_task(), does not wait for the task.
  void pause() const {
    GST_OBJECT_LOCK(sink_pad_);
    if (GST_PAD_TASK(sink_pad_))
      gst_task_pause(GST_PAD_TASK(sink_pad_));
    GST_OBJECT_UNLOCK(sink_pad_);
  }

  void send(GstEvent *event) const {
    gst_event_set_seqnum(event, seqnum_);
    gst_pad_push_event(sink_pad_, gst_event_ref(event));
    gst_pad_push_event(source_pad_, event);
  }

  GstPad *sink_pad_; // borrowed
  GstPad *source_pad_;
  guint32 seqnum_;
};

// Answers a SCHEDULING query with push mode only.
inline void answer_push_only(GstQuery *query) {
  gst_query_set_scheduling(query, GST_SCHEDULING_FLAG_SEQUENTIAL, 1, -1, 0);
  gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
}

} // namespace gstflv
