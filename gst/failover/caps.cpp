// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caps.h"

#include <string>

#include "failover/ebml.h"

namespace gstfailover {

using failover::Bytes;
using failover::Container;
using failover::ContainerSet;
using gstflv::CapsPtr;

namespace {

CapsPtr template_of(Container container) {
  switch (container) {
  case Container::Flv:
    return CapsPtr(gst_caps_new_empty_simple("video/x-flv"));
  case Container::MpegTs:
    return CapsPtr(gst_caps_new_simple("video/mpegts", "systemstream", G_TYPE_BOOLEAN, TRUE,
                                       "packetsize", G_TYPE_INT, 188, nullptr));
  case Container::Matroska:
    return CapsPtr(
        gst_caps_from_string("video/x-matroska; audio/x-matroska; video/webm; audio/webm"));
  }
  return nullptr;
}

bool is_webm(Bytes header) {
  bool is_webm = false;
  failover::ebml::for_each_child(header, [&](std::uint32_t id, Bytes content) {
    if (id != failover::ebml::kEbml)
      return;
    failover::ebml::for_each_child(content, [&](std::uint32_t field, Bytes value) {
      if (field == failover::ebml::kDocType)
        is_webm = std::string(value.begin(), value.end()).starts_with("webm");
    });
  });
  return is_webm;
}

void set_stream_header(GstCaps *caps, Bytes header) {
  const gstflv::BufferPtr buffer(gst_buffer_new_memdup(header.data(), header.size()));
  GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER);
  GValue list = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_ARRAY);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_BUFFER);
  gst_value_set_buffer(&value, buffer.get());
  gst_value_array_append_and_take_value(&list, &value);
  gst_structure_take_value(gst_caps_get_structure(caps, 0), "streamheader", &list);
}

} // namespace

ContainerSet containers_of(GstCaps *caps) {
  ContainerSet set;
  for (const Container container : {Container::Flv, Container::MpegTs, Container::Matroska}) {
    if (gst_caps_can_intersect(caps, template_of(container).get()))
      set.insert(container);
  }
  return set;
}

CapsPtr caps_of(Container container, Bytes header) {
  if (container != Container::Matroska)
    return template_of(container);
  CapsPtr caps(gst_caps_new_empty_simple(is_webm(header) ? "video/webm" : "video/x-matroska"));
  set_stream_header(caps.get(), header);
  return caps;
}

} // namespace gstfailover
