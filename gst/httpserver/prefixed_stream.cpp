// SPDX-License-Identifier: LGPL-2.1-or-later
#include "prefixed_stream.h"

#include <algorithm>

G_BEGIN_DECLS

#define FLVHTTP_TYPE_HEAD_INPUT (flvhttp_head_input_get_type())
G_DECLARE_FINAL_TYPE(FlvhttpHeadInput, flvhttp_head_input, FLVHTTP, HEAD_INPUT, GFilterInputStream)

#define FLVHTTP_TYPE_HEAD_STREAM (flvhttp_head_stream_get_type())
G_DECLARE_FINAL_TYPE(FlvhttpHeadStream, flvhttp_head_stream, FLVHTTP, HEAD_STREAM, GIOStream)

G_END_DECLS

struct _FlvhttpHeadInput {
  GFilterInputStream parent;
  GByteArray *head; // the bytes that are not read yet
};

struct _FlvhttpHeadStream {
  GIOStream parent;
  GIOStream *base;
  GInputStream *input;
};

static void flvhttp_head_input_pollable_init(GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(FlvhttpHeadInput, flvhttp_head_input, G_TYPE_FILTER_INPUT_STREAM,
                              G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM,
                                                    flvhttp_head_input_pollable_init))
G_DEFINE_FINAL_TYPE(FlvhttpHeadStream, flvhttp_head_stream, G_TYPE_IO_STREAM)

namespace {

GInputStream *base_of(gpointer stream) {
  return g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(stream));
}

gssize take_head(FlvhttpHeadInput *self, void *buffer, gsize count) {
  const guint size = static_cast<guint>(std::min<gsize>(count, self->head->len));
  std::copy_n(self->head->data, size, static_cast<guint8 *>(buffer));
  g_byte_array_remove_range(self->head, 0, size);
  return size;
}

gssize flvhttp_head_input_read(GInputStream *stream, void *buffer, gsize count,
                               GCancellable *cancellable, GError **error) noexcept {
  FlvhttpHeadInput *self = FLVHTTP_HEAD_INPUT(stream);
  if (self->head->len > 0)
    return take_head(self, buffer, count);
  return g_input_stream_read(base_of(stream), buffer, count, cancellable, error);
}

gboolean flvhttp_head_input_is_readable(GPollableInputStream *stream) noexcept {
  return FLVHTTP_HEAD_INPUT(stream)->head->len > 0 ||
         g_pollable_input_stream_is_readable(G_POLLABLE_INPUT_STREAM(base_of(stream)));
}

GSource *flvhttp_head_input_create_source(GPollableInputStream *stream,
                                          GCancellable *cancellable) noexcept {
  GSource *child = FLVHTTP_HEAD_INPUT(stream)->head->len > 0
                       ? g_timeout_source_new(0)
                       : g_pollable_input_stream_create_source(
                             G_POLLABLE_INPUT_STREAM(base_of(stream)), cancellable);
  GSource *source = g_pollable_source_new_full(stream, child, cancellable);
  g_source_unref(child);
  return source;
}

gssize flvhttp_head_input_read_nonblocking(GPollableInputStream *stream, void *buffer, gsize count,
                                           GError **error) noexcept {
  FlvhttpHeadInput *self = FLVHTTP_HEAD_INPUT(stream);
  if (self->head->len > 0)
    return take_head(self, buffer, count);
  return g_pollable_input_stream_read_nonblocking(G_POLLABLE_INPUT_STREAM(base_of(stream)), buffer,
                                                  count, nullptr, error);
}

void flvhttp_head_input_finalize(GObject *object) noexcept {
  g_byte_array_unref(FLVHTTP_HEAD_INPUT(object)->head);
  G_OBJECT_CLASS(flvhttp_head_input_parent_class)->finalize(object);
}

} // namespace

static void flvhttp_head_input_pollable_init(GPollableInputStreamInterface *iface) {
  iface->is_readable = flvhttp_head_input_is_readable;
  iface->create_source = flvhttp_head_input_create_source;
  iface->read_nonblocking = flvhttp_head_input_read_nonblocking;
}

static void flvhttp_head_input_class_init(FlvhttpHeadInputClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = flvhttp_head_input_finalize;
  G_INPUT_STREAM_CLASS(klass)->read_fn = flvhttp_head_input_read;
}

static void flvhttp_head_input_init(FlvhttpHeadInput *self) {
  self->head = g_byte_array_new();
}

namespace {

GInputStream *flvhttp_head_stream_get_input(GIOStream *stream) noexcept {
  return FLVHTTP_HEAD_STREAM(stream)->input;
}

GOutputStream *flvhttp_head_stream_get_output(GIOStream *stream) noexcept {
  return g_io_stream_get_output_stream(FLVHTTP_HEAD_STREAM(stream)->base);
}

gboolean flvhttp_head_stream_close(GIOStream *, GCancellable *, GError **) noexcept {
  return TRUE;
}

void flvhttp_head_stream_finalize(GObject *object) noexcept {
  FlvhttpHeadStream *self = FLVHTTP_HEAD_STREAM(object);
  g_object_unref(self->input);
  g_object_unref(self->base);
  G_OBJECT_CLASS(flvhttp_head_stream_parent_class)->finalize(object);
}

} // namespace

static void flvhttp_head_stream_class_init(FlvhttpHeadStreamClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = flvhttp_head_stream_finalize;
  auto *stream_class = G_IO_STREAM_CLASS(klass);
  stream_class->get_input_stream = flvhttp_head_stream_get_input;
  stream_class->get_output_stream = flvhttp_head_stream_get_output;
  stream_class->close_fn = flvhttp_head_stream_close;
}

static void flvhttp_head_stream_init(FlvhttpHeadStream *) {}

namespace flvhttp {

GIOStream *new_head_stream(GIOStream *base, const void *head, gsize size) {
  auto *input = static_cast<FlvhttpHeadInput *>(g_object_new(FLVHTTP_TYPE_HEAD_INPUT, "base-stream",
                                                             g_io_stream_get_input_stream(base),
                                                             "close-base-stream", FALSE, nullptr));
  g_byte_array_append(input->head, static_cast<const guint8 *>(head), static_cast<guint>(size));
  auto *stream = static_cast<FlvhttpHeadStream *>(g_object_new(FLVHTTP_TYPE_HEAD_STREAM, nullptr));
  stream->base = static_cast<GIOStream *>(g_object_ref(base));
  stream->input = G_INPUT_STREAM(input);
  return G_IO_STREAM(stream);
}

} // namespace flvhttp
