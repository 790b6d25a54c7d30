// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host.h"

#include <new>
#include <utility>

namespace {

struct RemuxHost {
  GstElement parent;
  std::unique_ptr<remux::Body> body;
};

struct RemuxHostClass {
  GstElementClass parent;
};

// NOLINTNEXTLINE: the macro's names
G_DEFINE_TYPE(RemuxHost, remux_host, GST_TYPE_ELEMENT)

GstStateChangeReturn change_state(GstElement *element, GstStateChange transition) noexcept {
  auto *host = reinterpret_cast<RemuxHost *>(element);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY && host->body)
    host->body->stop();
  return GST_ELEMENT_CLASS(remux_host_parent_class)->change_state(element, transition);
}

void finalize(GObject *object) noexcept {
  std::destroy_at(&reinterpret_cast<RemuxHost *>(object)->body);
  G_OBJECT_CLASS(remux_host_parent_class)->finalize(object);
}

void remux_host_init(RemuxHost *host) {
  std::construct_at(&host->body);
}

void remux_host_class_init(RemuxHostClass *type) {
  GST_ELEMENT_CLASS(type)->change_state = change_state;
  G_OBJECT_CLASS(type)->finalize = finalize;
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(type), "Part of a remuxer", "Generic",
                                        "Demuxes or muxes without transcoding",
                                        "gst-flv-streaming");
}

} // namespace

namespace remux {

GstElement *make_host(const char *name) {
  return GST_ELEMENT(g_object_new(remux_host_get_type(), "name", name, nullptr));
}

void set_body(GstElement *host, std::unique_ptr<Body> body) {
  reinterpret_cast<RemuxHost *>(host)->body = std::move(body);
}

} // namespace remux
