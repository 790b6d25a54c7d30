// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tls_stream.h"

#include <new>
#include <utility>

using flvhttp::TlsSession;

G_BEGIN_DECLS

#define FLVHTTP_TYPE_TLS_INPUT (flvhttp_tls_input_get_type())
G_DECLARE_FINAL_TYPE(FlvhttpTlsInput, flvhttp_tls_input, FLVHTTP, TLS_INPUT, GInputStream)

#define FLVHTTP_TYPE_TLS_OUTPUT (flvhttp_tls_output_get_type())
G_DECLARE_FINAL_TYPE(FlvhttpTlsOutput, flvhttp_tls_output, FLVHTTP, TLS_OUTPUT, GOutputStream)

#define FLVHTTP_TYPE_TLS_STREAM (flvhttp_tls_stream_get_type())
G_DECLARE_FINAL_TYPE(FlvhttpTlsStream, flvhttp_tls_stream, FLVHTTP, TLS_STREAM, GIOStream)

G_END_DECLS

struct _FlvhttpTlsInput {
  GInputStream parent;
  std::shared_ptr<TlsSession> session;
};

struct _FlvhttpTlsOutput {
  GOutputStream parent;
  std::shared_ptr<TlsSession> session;
};

struct _FlvhttpTlsStream {
  GIOStream parent;
  FlvhttpTlsInput *input;
  FlvhttpTlsOutput *output;
};

static void flvhttp_tls_input_pollable_init(GPollableInputStreamInterface *iface);
static void flvhttp_tls_output_pollable_init(GPollableOutputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(FlvhttpTlsInput, flvhttp_tls_input, G_TYPE_INPUT_STREAM,
                              G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM,
                                                    flvhttp_tls_input_pollable_init))
G_DEFINE_FINAL_TYPE_WITH_CODE(FlvhttpTlsOutput, flvhttp_tls_output, G_TYPE_OUTPUT_STREAM,
                              G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                    flvhttp_tls_output_pollable_init))
G_DEFINE_FINAL_TYPE(FlvhttpTlsStream, flvhttp_tls_stream, G_TYPE_IO_STREAM)

namespace {

// The input stream.

gssize flvhttp_tls_input_read(GInputStream *stream, void *buffer, gsize count, GCancellable *,
                              GError **error) noexcept {
  return FLVHTTP_TLS_INPUT(stream)->session->read(buffer, count, error);
}

gssize flvhttp_tls_input_read_nonblocking(GPollableInputStream *stream, void *buffer, gsize count,
                                          GError **error) noexcept {
  return FLVHTTP_TLS_INPUT(stream)->session->read(buffer, count, error);
}

gboolean flvhttp_tls_input_is_readable(GPollableInputStream *stream) noexcept {
  return FLVHTTP_TLS_INPUT(stream)->session->is_ready(G_IO_IN);
}

GSource *flvhttp_tls_input_create_source(GPollableInputStream *stream,
                                         GCancellable *cancellable) noexcept {
  GSource *child = FLVHTTP_TLS_INPUT(stream)->session->new_source(G_IO_IN, nullptr);
  GSource *source = g_pollable_source_new_full(stream, child, cancellable);
  g_source_unref(child);
  return source;
}

void flvhttp_tls_input_finalize(GObject *object) noexcept {
  FLVHTTP_TLS_INPUT(object)->session.~shared_ptr();
  G_OBJECT_CLASS(flvhttp_tls_input_parent_class)->finalize(object);
}

// The output stream.

gssize flvhttp_tls_output_write(GOutputStream *stream, const void *buffer, gsize count,
                                GCancellable *, GError **error) noexcept {
  return FLVHTTP_TLS_OUTPUT(stream)->session->write(buffer, count, error);
}

gssize flvhttp_tls_output_write_nonblocking(GPollableOutputStream *stream, const void *buffer,
                                            gsize count, GError **error) noexcept {
  return FLVHTTP_TLS_OUTPUT(stream)->session->write(buffer, count, error);
}

gboolean flvhttp_tls_output_is_writable(GPollableOutputStream *stream) noexcept {
  return FLVHTTP_TLS_OUTPUT(stream)->session->is_ready(G_IO_OUT);
}

GSource *flvhttp_tls_output_create_source(GPollableOutputStream *stream,
                                          GCancellable *cancellable) noexcept {
  GSource *child = FLVHTTP_TLS_OUTPUT(stream)->session->new_source(G_IO_OUT, nullptr);
  GSource *source = g_pollable_source_new_full(stream, child, cancellable);
  g_source_unref(child);
  return source;
}

void flvhttp_tls_output_finalize(GObject *object) noexcept {
  FLVHTTP_TLS_OUTPUT(object)->session.~shared_ptr();
  G_OBJECT_CLASS(flvhttp_tls_output_parent_class)->finalize(object);
}

// The IO stream.

GInputStream *flvhttp_tls_stream_get_input(GIOStream *stream) noexcept {
  return G_INPUT_STREAM(FLVHTTP_TLS_STREAM(stream)->input);
}

GOutputStream *flvhttp_tls_stream_get_output(GIOStream *stream) noexcept {
  return G_OUTPUT_STREAM(FLVHTTP_TLS_STREAM(stream)->output);
}

void flvhttp_tls_stream_finalize(GObject *object) noexcept {
  FlvhttpTlsStream *self = FLVHTTP_TLS_STREAM(object);
  g_object_unref(self->input);
  g_object_unref(self->output);
  G_OBJECT_CLASS(flvhttp_tls_stream_parent_class)->finalize(object);
}

} // namespace

static void flvhttp_tls_input_pollable_init(GPollableInputStreamInterface *iface) {
  iface->is_readable = flvhttp_tls_input_is_readable;
  iface->create_source = flvhttp_tls_input_create_source;
  iface->read_nonblocking = flvhttp_tls_input_read_nonblocking;
}

static void flvhttp_tls_input_class_init(FlvhttpTlsInputClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = flvhttp_tls_input_finalize;
  G_INPUT_STREAM_CLASS(klass)->read_fn = flvhttp_tls_input_read;
}

static void flvhttp_tls_input_init(FlvhttpTlsInput *self) {
  new (&self->session) std::shared_ptr<TlsSession>;
}

static void flvhttp_tls_output_pollable_init(GPollableOutputStreamInterface *iface) {
  iface->is_writable = flvhttp_tls_output_is_writable;
  iface->create_source = flvhttp_tls_output_create_source;
  iface->write_nonblocking = flvhttp_tls_output_write_nonblocking;
}

static void flvhttp_tls_output_class_init(FlvhttpTlsOutputClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = flvhttp_tls_output_finalize;
  G_OUTPUT_STREAM_CLASS(klass)->write_fn = flvhttp_tls_output_write;
}

static void flvhttp_tls_output_init(FlvhttpTlsOutput *self) {
  new (&self->session) std::shared_ptr<TlsSession>;
}

static void flvhttp_tls_stream_class_init(FlvhttpTlsStreamClass *klass) {
  G_OBJECT_CLASS(klass)->finalize = flvhttp_tls_stream_finalize;
  auto *stream_class = G_IO_STREAM_CLASS(klass);
  stream_class->get_input_stream = flvhttp_tls_stream_get_input;
  stream_class->get_output_stream = flvhttp_tls_stream_get_output;
}

static void flvhttp_tls_stream_init(FlvhttpTlsStream *self) {
  self->input = static_cast<FlvhttpTlsInput *>(g_object_new(FLVHTTP_TYPE_TLS_INPUT, nullptr));
  self->output = static_cast<FlvhttpTlsOutput *>(g_object_new(FLVHTTP_TYPE_TLS_OUTPUT, nullptr));
}

namespace flvhttp {

GIOStream *new_tls_stream(std::shared_ptr<const TlsCredentials> credentials,
                          GSocketConnection *connection) {
  auto *stream = static_cast<FlvhttpTlsStream *>(g_object_new(FLVHTTP_TYPE_TLS_STREAM, nullptr));
  const auto session = std::make_shared<TlsSession>(std::move(credentials), connection);
  stream->input->session = session;
  stream->output->session = session;
  return G_IO_STREAM(stream);
}

bool is_tls(GIOStream *stream) {
  return FLVHTTP_IS_TLS_STREAM(stream) != FALSE;
}

} // namespace flvhttp
