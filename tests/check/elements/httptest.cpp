// SPDX-License-Identifier: LGPL-2.1-or-later
#include "httptest.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pusher.h"
#include "split.h"

using namespace flvtest;

namespace httptest {

namespace {

constexpr double kHangs = 60; // s; valgrind is slow

} // namespace

void wait_for(const std::function<bool()> &condition, const char *what) {
  constexpr gulong kPoll = 200; // µs
  const Stopwatch stopwatch;
  while (!condition()) {
    fail_if(stopwatch.seconds() > kHangs, "%s", what);
    g_usleep(kPoll);
  }
}

// --- What clients should receive ---

Members lasting(bool video) {
  Members members{{"encoder", {std::string("httptest")}}};
  if (video)
    members.push_back({"framerate", {25.0}});
  return members;
}

void append_groups(Stream &stream, const Groups &groups) {
  constexpr std::uint32_t kFrames = 10;
  for (std::uint32_t frame = 0; frame < groups.groups * kFrames; ++frame) {
    const std::uint32_t time = groups.start + frame * 40;
    if (groups.video && frame % kFrames == 0)
      stream.key(time, 400 * groups.scale);
    else if (groups.video)
      stream.inter(time, 100 * groups.scale);
    if (groups.audio)
      stream.aac(time, 50 * groups.scale);
  }
}

Stream clip(const Groups &of) {
  Stream stream;
  Members members{{"duration", {1.6}}, {"filesize", {12345.0}}};
  const Members more = lasting();
  members.insert(members.end(), more.begin(), more.end());
  stream.header(of.audio, of.video).metadata(std::move(members));
  if (of.video)
    stream.video(of.start, avc_config(of.variant));
  if (of.audio)
    stream.audio(of.start, aac_config(of.variant));
  append_groups(stream, of);
  return stream;
}

std::vector<std::size_t> keys(const Stream &stream) {
  const bool video = std::any_of(stream.tags.begin(), stream.tags.end(),
                                 [](const auto &tag) { return tag.type == TagType::Video; });
  std::vector<std::size_t> found;
  for (std::size_t tag = 0; tag < stream.tags.size(); ++tag) {
    if (role_of(stream, tag) == (video ? flv::Role::KeyFrame : flv::Role::Media))
      found.push_back(tag);
  }
  return found;
}

Buffer rebased(const Stream &stream, std::size_t first, std::uint32_t time, std::size_t end) {
  const std::uint32_t from = stream.tags.at(first).timestamp;
  Buffer out;
  for (std::size_t i = first; i < std::min(end, stream.tags.size()); ++i) {
    // Timestamps may wrap.
    const auto behind = static_cast<std::int32_t>(stream.tags[i].timestamp - from);
    if (role_of(stream, i) != flv::Role::DecoderConfig && behind < 0)
      continue;
    const std::size_t begin = out.size();
    append(out, stream.at(i));
    flv::store_timestamp(&out[begin], time + static_cast<std::uint32_t>(std::max(behind, 0)));
  }
  return out;
}

Buffer configurations(const Stream &stream, std::size_t first, std::uint32_t time) {
  Buffer video;
  Buffer audio;
  for (std::size_t i = 0; i < first; ++i) {
    if (role_of(stream, i) != flv::Role::DecoderConfig)
      continue;
    const Bytes tag = stream.at(i);
    Buffer &last = stream.tags[i].type == TagType::Video ? video : audio;
    last.assign(tag.begin(), tag.end());
    flv::store_timestamp(last.data(), time);
  }
  return joined({video, audio});
}

Buffer head(const Stream &stream, std::size_t first, std::uint32_t time) {
  const auto has = [&stream](TagType type) {
    return std::any_of(stream.tags.begin(), stream.tags.end(),
                       [type](const auto &tag) { return tag.type == type; });
  };
  return joined({file_header(has(TagType::Audio), has(TagType::Video)),
                 whole_tag(TagType::Script, 0, on_metadata(lasting(has(TagType::Video)))),
                 configurations(stream, first, time)});
}

Buffer served(const Stream &stream, std::size_t key, std::size_t end) {
  const std::size_t first = keys(stream).at(key);
  return joined({head(stream, first), rebased(stream, first, 0, end)});
}

Bytes part(const Stream &stream, std::size_t first, std::size_t end) {
  const std::size_t from = first == 0 ? 0 : stream.tags.at(first - 1).end;
  const std::size_t to = end < stream.tags.size() ? stream.tags[end].begin : stream.bytes.size();
  return Bytes(stream.bytes).subspan(from, to - from);
}

std::vector<std::uint32_t> timestamps(Bytes file) {
  const Split whole = split(file);
  fail_unless(whole.status == flv::Status::Ok && !whole.items.empty());
  const std::vector<flv::Item> tags = whole.tags();
  fail_unless(whole.items.size() == tags.size() + 1 &&
                  whole.items.front().kind == flv::Item::Kind::FileHeader,
              "something is damaged");
  std::vector<std::uint32_t> found;
  for (const flv::Item &tag : tags)
    found.push_back(tag.tag.timestamp);
  return found;
}

// --- The element ---

CapsPtr caps_of(const std::string &type, const std::vector<Buffer> &header) {
  if (type.empty())
    return nullptr;
  CapsPtr caps(gst_caps_from_string(type.c_str()));
  fail_unless(caps != nullptr, "%s", type.c_str());
  if (header.empty())
    return caps;
  GValue list = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_ARRAY);
  for (const Buffer &bytes : header) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_BUFFER);
    const BufferPtr buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER);
    gst_value_set_buffer(&value, buffer.get());
    gst_value_array_append_and_take_value(&list, &value);
  }
  gst_structure_take_value(gst_caps_get_structure(caps.get(), 0), "streamheader", &list);
  return caps;
}

Server::Server(const std::string &properties, GstState state) {
  const std::string line =
      "httpserversink sync=false address=127.0.0.1 port=0 path=/live merge=0 " + properties;
  GError *error = nullptr;
  GstElement *element = gst_parse_launch(line.c_str(), &error);
  fail_unless(element != nullptr && error == nullptr, "%s: %s", line.c_str(),
              error ? error->message : "");
  element_.reset(static_cast<GstElement *>(gst_object_ref_sink(element)));
  bus_ = gst_bus_new();
  gst_bus_set_sync_handler(bus_, note_message, this, nullptr);
  gst_element_set_bus(element, bus_);
  g_signal_connect(element, "client-added", G_CALLBACK(+[](GstElement *, guint64 id, Server *self) {
                     const std::lock_guard lock(self->mutex_);
                     self->added_.push_back(id);
                   }),
                   this);
  g_signal_connect(
      element, "client-removed",
      G_CALLBACK(
          +[](GstElement *, guint64 id, const char *reason, GstStructure *stats, Server *self) {
            const std::lock_guard lock(self->mutex_);
            self->removals_.push_back({id, reason, StructurePtr(gst_structure_copy(stats))});
          }),
      this);
  pad_ = gst_pad_new("src", GST_PAD_SRC);
  gst_pad_set_active(pad_, TRUE);
  const gstflv::PadPtr sink(gst_element_get_static_pad(element, "sink"));
  fail_unless(gst_pad_link(pad_, sink.get()) == GST_PAD_LINK_OK);
  pusher_ = std::make_unique<pacetest::Pusher>(pad_);
  if (state != GST_STATE_NULL)
    fail_if(set_state(state) == GST_STATE_CHANGE_FAILURE);
}

Server::~Server() {
  set_state(GST_STATE_NULL);
  pusher_.reset();
  const Problem left = problem();
  gst_pad_set_active(pad_, FALSE);
  gst_object_unref(pad_);
  gst_element_set_bus(element(), nullptr);
  gst_bus_set_sync_handler(bus_, nullptr, nullptr, nullptr);
  gst_object_unref(bus_);
  element_.reset();
  fail_if(left.found, "unexpected message: %s", left.text.c_str());
}

GstBusSyncReply Server::note_message(GstBus *, GstMessage *message, gpointer server) {
  auto *self = static_cast<Server *>(server);
  const std::lock_guard lock(self->mutex_);
  const GstMessageType type = GST_MESSAGE_TYPE(message);
  if (type == GST_MESSAGE_EOS)
    ++self->ends_;
  if (type == GST_MESSAGE_ERROR || type == GST_MESSAGE_WARNING) {
    GError *error = nullptr;
    if (type == GST_MESSAGE_ERROR)
      gst_message_parse_error(message, &error, nullptr);
    else
      gst_message_parse_warning(message, &error, nullptr);
    // The base class adds an error for the failed start.
    if (!g_error_matches(error, GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE))
      self->problems_.push_back(
          {true, type == GST_MESSAGE_ERROR, error->domain, error->code, error->message});
    g_error_free(error);
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

guint Server::port() const {
  guint port = 0;
  g_object_get(element(), "current-port", &port, nullptr);
  return port;
}

void Server::keep_port() {
  const guint port = this->port();
  set_state(GST_STATE_NULL);
  set("port", port);
  fail_if(set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
}

void Server::begin(const CapsPtr &caps, GstFormat format) {
  push_event(gst_event_new_stream_start("httptest"));
  if (caps)
    set_caps(caps);
  GstSegment segment;
  gst_segment_init(&segment, format);
  push_event(gst_event_new_segment(&segment));
}

void Server::push(Bytes data, std::size_t chunk) {
  if (chunk == 0)
    chunk = std::max<std::size_t>(data.size(), 1);
  for (std::size_t offset = 0; offset < data.size(); offset += chunk) {
    const Bytes piece = data.subspan(offset, std::min(chunk, data.size() - offset));
    push_buffer(gst_buffer_new_memdup(piece.data(), piece.size()));
  }
}

void Server::push_buffer(GstBuffer *buffer) {
  pusher_->add(BufferPtr(buffer));
}

void Server::push_event(GstEvent *event) {
  pusher_->add(gstflv::EventPtr(event));
}

void Server::flush() {
  gst_pad_push_event(pad_, gst_event_new_flush_start());
  settle();
  gst_pad_push_event(pad_, gst_event_new_flush_stop(TRUE));
  // A pipeline does this for its elements.
  set_state(GST_STATE_PLAYING);
}

bool Server::idle() {
  return pusher_->idle();
}

GstFlowReturn Server::settle() {
  wait_for([this] { return idle(); }, "it does not take the stream");
  return pusher_->flow();
}

StructurePtr Server::stats() const {
  GstStructure *stats = nullptr;
  g_object_get(element(), "stats", &stats, nullptr);
  fail_unless(stats != nullptr);
  return StructurePtr(stats);
}

guint64 Server::stat(const char *field) const {
  return number(stats().get(), field);
}

void Server::wait_for_clients(std::size_t count) const {
  wait_for([&] { return clients() == count; }, "clients neither come nor go");
}

std::vector<guint64> Server::added() {
  const std::lock_guard lock(mutex_);
  return added_;
}

std::vector<Removal> Server::removals() {
  const std::lock_guard lock(mutex_);
  std::vector<Removal> copies;
  for (const Removal &each : removals_)
    copies.push_back({each.id, each.reason, StructurePtr(gst_structure_copy(each.stats.get()))});
  std::sort(copies.begin(), copies.end(),
            [](const Removal &a, const Removal &b) { return a.id < b.id; });
  return copies;
}

std::string Server::removed() {
  std::string words;
  for (const Removal &each : removals()) {
    words += words.empty() ? "" : ", ";
    words += std::to_string(each.id) + " " + each.reason;
  }
  return words;
}

void Server::wait_for_removals(std::size_t count) {
  wait_for([&] { return removals().size() >= count; }, "no client is removed");
}

std::size_t Server::ends() {
  const std::lock_guard lock(mutex_);
  return ends_;
}

Problem Server::problem() {
  const std::lock_guard lock(mutex_);
  if (problems_.empty())
    return {};
  Problem first = problems_.front();
  problems_.erase(problems_.begin());
  return first;
}

guint64 number(const GstStructure *stats, const char *field) {
  guint64 value = 0;
  gint64 with_sign = 0;
  if (gst_structure_get_uint64(stats, field, &value))
    return value;
  fail_unless(gst_structure_get_int64(stats, field, &with_sign), "no number %s", field);
  fail_if(with_sign < 0, "%s is negative", field);
  return static_cast<guint64>(with_sign);
}

std::string text(const GstStructure *stats, const char *field) {
  const char *value = gst_structure_get_string(stats, field);
  fail_unless(value != nullptr, "no text %s", field);
  return value;
}

const GstStructure *client_of(const GstStructure *stats, std::size_t index) {
  const GValue *list = gst_structure_get_value(stats, "clients");
  fail_unless(list != nullptr && GST_VALUE_HOLDS_ARRAY(list));
  fail_unless(index < gst_value_array_get_size(list), "no client %zu", index);
  return gst_value_get_structure(gst_value_array_get_value(list, static_cast<guint>(index)));
}

// --- Clients ---

Client::Client(guint port, int receive_buffer) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0)
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const int at_once = 1;
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fail_unless(connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0,
              "port %u: %s", port, std::strerror(errno));
}

Client::Client(const Server &server, Transport transport, int receive_buffer)
    : Client(server.port(), receive_buffer) {
  if (transport == Transport::WebSocket)
    upgrade();
  else
    ask();
}

Client::~Client() {
  close();
}

bool Client::send(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0)
      return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

bool Client::send(const std::string &text) {
  return send(Bytes(reinterpret_cast<const std::uint8_t *>(text.data()), text.size()));
}

void Client::ask(const std::string &path, const std::string &headers, const std::string &method) {
  send(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
}

void Client::upgrade(const std::string &path, const std::string &headers) {
  is_websocket_ = true;
  ask(path, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                headers);
}

bool Client::send_frame(std::uint8_t opcode, Bytes payload) {
  constexpr std::uint8_t kMask[] = {1, 2, 3, 4};
  Buffer frame;
  flv::Writer writer(frame);
  writer.u8(0x80U | opcode);
  if (payload.size() < 126) {
    writer.u8(0x80U | static_cast<std::uint32_t>(payload.size()));
  } else {
    writer.u8(0x80U | 126U);
    writer.u16(static_cast<std::uint32_t>(payload.size()));
  }
  writer.bytes(kMask);
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame.push_back(payload[i] ^ kMask[i % 4]);
  return send(frame);
}

void Client::shut_down() const {
  shutdown(socket_, SHUT_WR);
}

void Client::close() {
  if (socket_ >= 0)
    ::close(std::exchange(socket_, -1));
}

void Client::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Client::receive() {
  std::array<std::uint8_t, 65536> bytes;
  while (!closed_) {
    const ssize_t size = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size > 0) {
      take(Bytes(bytes).first(static_cast<std::size_t>(size)));
      continue;
    }
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    closed_ = true;
    reset_ = size < 0;
  }
}

void Client::receive_at_most(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  const ssize_t got = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0)
    return take(Bytes(bytes).first(static_cast<std::size_t>(got)));
  closed_ = got == 0 || (errno != EAGAIN && errno != EINTR);
}

void Client::take(Bytes bytes) {
  size_ += bytes.size();
  if (!has_head_) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    const std::size_t before = head_.size();
    head_.append(bytes.begin(), bytes.end());
    const std::size_t end = head_.find(kEnd);
    if (end == std::string::npos)
      return;
    has_head_ = true;
    head_.resize(end + kEnd.size());
    bytes = bytes.subspan(head_.size() - before);
  }
  if (!is_websocket_ || status() != 101)
    return append(body_, bytes);
  append(rest_, bytes);
  take_frames();
}

void Client::take_frames() {
  std::size_t at = 0;
  while (rest_.size() - at >= 2) {
    const std::uint8_t *frame = &rest_[at];
    fail_unless((frame[0] & 0xF0) == 0x80, "a frame begins with %02x", unsigned{frame[0]});
    fail_unless((frame[1] & 0x80) == 0, "a server's frame is masked");
    std::uint64_t size = frame[1];
    const std::size_t header = size < 126 ? 2 : size == 126 ? 4 : 10;
    if (rest_.size() - at < header)
      break;
    if (header == 4)
      size = flv::load_u16(frame + 2);
    else if (header == 10)
      size = std::uint64_t{flv::load_u32(frame + 2)} << 32 | flv::load_u32(frame + 6);
    if (rest_.size() - at - header < size)
      break;
    const Bytes payload = Bytes(rest_).subspan(at + header, size);
    const auto opcode = static_cast<std::uint8_t>(frame[0] & 0x0F);
    if (opcode == kBinary) {
      append(body_, payload);
      messages_.push_back(size);
    } else {
      frames_.push_back({opcode, {payload.begin(), payload.end()}});
    }
    at += header + size;
  }
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(at));
}

void Client::wait_for(const std::function<bool()> &condition, const char *what) {
  constexpr int kPoll = 10; // ms
  const Stopwatch stopwatch;
  for (receive(); !condition(); receive()) {
    fail_if(closed_, "%s: closed after %zu bytes: %s", what, size_, head_.c_str());
    fail_if(stopwatch.seconds() > kHangs, "%s: there are %zu bytes: %s", what, size_,
            head_.c_str());
    pollfd ready{socket_, POLLIN, 0};
    poll(&ready, 1, kPoll);
  }
}

void Client::wait_for_head() {
  wait_for([this] { return has_head_; }, "no head comes");
}

void Client::wait_for_size(std::size_t size) {
  wait_for([this, size] { return body_.size() >= size; }, "the stream does not come");
}

void Client::wait_for_close() {
  wait_for([this] { return closed_; }, "it is not closed");
}

int Client::status() const {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  return has_head_ && head_.starts_with(kStart) ? std::atoi(head_.c_str() + kStart.size()) : 0;
}

std::string Client::header(const std::string &name) const {
  const std::string line = "\r\n" + name + ": ";
  const std::size_t begin = head_.find(line);
  if (begin == std::string::npos)
    return "";
  const std::size_t from = begin + line.size();
  return head_.substr(from, head_.find("\r\n", from) - from);
}

int Client::close_code() const {
  const auto frame = std::find_if(frames_.begin(), frames_.end(),
                                  [](const Frame &each) { return each.opcode == kClose; });
  return frame != frames_.end() && frame->payload.size() >= 2
             ? static_cast<int>(flv::load_u16(frame->payload.data()))
             : 0;
}

} // namespace httptest
