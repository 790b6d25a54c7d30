// SPDX-License-Identifier: LGPL-2.1-or-later
// What elements do that read for themselves where upstream can be read at will, and push.
#pragma once

#include <gst/base/gstbasesrc.h>

#include "gstptr.h"

namespace gstflv {

// Of a sink pad: pull mode where upstream can be read anywhere, else push mode.
inline gboolean activate_in_best_mode(GstPad *pad) {
  GstQuery *query = gst_query_new_scheduling();
  const bool pull = gst_pad_peer_query(pad, query) &&
                    gst_query_has_scheduling_mode_with_flags(query, GST_PAD_MODE_PULL,
                                                             GST_SCHEDULING_FLAG_SEEKABLE);
  gst_query_unref(query);
  return gst_pad_activate_mode(pad, pull ? GST_PAD_MODE_PULL : GST_PAD_MODE_PUSH, TRUE);
}

// What stands between may be waiting for its own change of state: only a source right upstream can
// be read while the sink pad is being activated. An error then fails the change of state itself,
// which every application notices.
inline bool is_behind_a_source(GstPad *sink_pad) {
  const PadPtr peer(gst_pad_get_peer(sink_pad));
  return GST_IS_BASE_SRC(GST_PAD_PARENT(peer.get()));
}

// The streaming task of a pulling sink pad is over. Errors of its own the element has posted, as
// upstream has those of a read.
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

// Downstream cannot pull.
inline void answer_push_only(GstQuery *query) {
  gst_query_set_scheduling(query, GST_SCHEDULING_FLAG_SEQUENTIAL, 1, -1, 0);
  gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
}

} // namespace gstflv
