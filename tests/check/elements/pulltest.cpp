// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pulltest.h"

#include <algorithm>

namespace pacetest {

Pull::Pull(Source source, const std::string &properties, GstState state)
    : Pace(properties, Unlinked()), source_(std::move(source)),
      pad_(gst_pad_new("pulltest", GST_PAD_SRC)),
      sink_(gst_element_get_static_pad(element(), "sink")) {
  gst_object_ref_sink(pad_);
  gst_pad_set_element_private(pad_, this);
  gst_pad_set_getrange_function(pad_, get_range);
  gst_pad_set_query_function(pad_, query);
  gst_pad_set_event_function(pad_, event);
  fail_unless(gst_pad_link(pad_, sink_) == GST_PAD_LINK_OK);
  set_state(state);
}

Pull::~Pull() {
  set_state(GST_STATE_NULL);
  gst_pad_unlink(pad_, sink_);
  gst_object_unref(sink_);
  gst_object_unref(pad_);
}

// A task that has ended is paused. It has left its function if the stream lock is free.
bool Pull::idle() {
  if (gst_pad_get_task_state(sink_) == GST_TASK_STARTED || !GST_PAD_STREAM_TRYLOCK(sink_))
    return false;
  GST_PAD_STREAM_UNLOCK(sink_);
  return true;
}

std::vector<Pull::Read> Pull::reads() {
  const std::lock_guard lock(mutex_);
  return reads_;
}

bool Pull::seek(GstFormat format, gint64 start, GstSeekFlags flags, double rate) {
  const bool done = gst_pad_push_event(
      downstream(), gst_event_new_seek(rate, format, flags, GST_SEEK_TYPE_SET, start,
                                       GST_SEEK_TYPE_NONE, GST_CLOCK_STIME_NONE));
  if (done && (flags & GST_SEEK_FLAG_FLUSH) != 0)
    gst_element_set_base_time(element(), now());
  return done;
}

GstFlowReturn Pull::get_range(GstPad *pad, GstObject *, guint64 offset, guint size,
                              GstBuffer **buffer) {
  auto &self = *static_cast<Pull *>(gst_pad_get_element_private(pad));
  const Source &source = self.source_;
  {
    const std::lock_guard lock(self.mutex_);
    self.reads_.push_back({offset, size});
  }
  if (offset >= source.fails_at)
    return source.failure;
  if (offset >= source.bytes.size())
    return GST_FLOW_EOS;
  const Bytes left = Bytes(source.bytes).subspan(offset);
  *buffer = gst_buffer_new_memdup(left.data(), std::min<gsize>(size, left.size()));
  return GST_FLOW_OK;
}

gboolean Pull::query(GstPad *pad, GstObject *parent, GstQuery *query) {
  const auto &self = *static_cast<Pull *>(gst_pad_get_element_private(pad));
  const auto size = static_cast<gint64>(self.source_.bytes.size());
  GstFormat format = GST_FORMAT_UNDEFINED;
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_SCHEDULING:
    gst_query_set_scheduling(query,
                             self.source_.seekable ? GST_SCHEDULING_FLAG_SEEKABLE
                                                   : GST_SCHEDULING_FLAG_SEQUENTIAL,
                             1, -1, 0);
    gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
    gst_query_add_scheduling_mode(query, GST_PAD_MODE_PULL);
    return TRUE;
  case GST_QUERY_DURATION:
    gst_query_parse_duration(query, &format, nullptr);
    gst_query_set_duration(query, format, size);
    return format == GST_FORMAT_BYTES;
  case GST_QUERY_SEEKING:
    gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
    gst_query_set_seeking(query, format, format == GST_FORMAT_BYTES, 0, size);
    return TRUE;
  default:
    return gst_pad_query_default(pad, parent, query);
  }
}

gboolean Pull::event(GstPad *pad, GstObject *parent, GstEvent *event) {
  auto &self = *static_cast<Pull *>(gst_pad_get_element_private(pad));
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEEK)
    return gst_pad_event_default(pad, parent, event);
  g_atomic_int_inc(&self.refused_seeks_);
  gst_event_unref(event);
  return FALSE;
}

} // namespace pacetest
