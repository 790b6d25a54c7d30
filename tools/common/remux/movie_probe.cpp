// SPDX-License-Identifier: LGPL-2.1-or-later
#include "movie_probe.h"

#include "base/gst_ptr.h"
#include "flv/format/codec.h"

namespace remux {

void MovieProbe::watch(GstPad *sink) {
  gst_pad_add_probe(
      sink, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_PULL | GST_PAD_PROBE_TYPE_BUFFER),
      on_pull, this, nullptr);
  gst_pad_add_probe(
      sink, static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_PUSH | GST_PAD_PROBE_TYPE_BUFFER),
      on_push, this, nullptr);
  gst_pad_add_probe(sink, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_event, this, nullptr);
}

// qtdemux reads the moov box with its header as one buffer.
GstPadProbeReturn MovieProbe::on_pull(GstPad *, GstPadProbeInfo *info, gpointer data) noexcept {
  constexpr std::size_t kHeader = 8;
  constexpr std::size_t kShortest = 17; // qtdemux reads the header alone as 16 bytes
  auto *self = static_cast<MovieProbe *>(data);
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  std::uint8_t header[kHeader];
  if (!buffer || gst_buffer_get_size(buffer) < kShortest ||
      gst_buffer_extract(buffer, 0, header, kHeader) < kHeader ||
      flv::load_u32(header + 4) != flv::fourcc("moov"))
    return GST_PAD_PROBE_OK;
  buffer = gst_buffer_make_writable(buffer);
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  GstMapInfo map;
  if (gst_buffer_map(buffer, &map, GST_MAP_READWRITE)) {
    self->lists_ = take_edit_lists({map.data, map.size});
    gst_buffer_unmap(buffer, &map);
  }
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn MovieProbe::on_push(GstPad *, GstPadProbeInfo *info, gpointer data) noexcept {
  auto *self = static_cast<MovieProbe *>(data);
  if (self->finder_.is_done())
    return GST_PAD_PROBE_OK;
  MovieFinder::Found found;
  {
    const gstflv::MappedBuffer mapped(GST_PAD_PROBE_INFO_BUFFER(info));
    found = self->finder_.feed(mapped.bytes());
  }
  if (found.movie)
    self->lists_ = take_edit_lists(*found.movie);
  if (found.bytes.empty())
    return GST_PAD_PROBE_DROP;
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = gst_buffer_new_memdup(found.bytes.data(), found.bytes.size());
  return GST_PAD_PROBE_OK;
}

// After a seek, qtdemux continues at a box.
GstPadProbeReturn MovieProbe::on_event(GstPad *, GstPadProbeInfo *info, gpointer data) noexcept {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_SEGMENT)
    static_cast<MovieProbe *>(data)->finder_.reset();
  return GST_PAD_PROBE_OK;
}

} // namespace remux
