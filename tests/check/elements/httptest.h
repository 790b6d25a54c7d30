// SPDX-License-Identifier: LGPL-2.1-or-later
// httpserversink after a source pad, and clients that are plain sockets. A separate thread pushes,
// so that the test can inspect an element that drains.
#pragma once

#include <chrono>
#include <mutex>

#include "drive.h"
#include "pacetest.h"

namespace httptest {

using flvtest::Buffer;
using flvtest::Bytes;
using flvtest::Stream;
using gstflv::BufferPtr;
using gstflv::CapsPtr;
using gstflv::ElementPtr;
using gstflv::StructurePtr;
using pacetest::Problem;

// Waits until `condition` is true; fails the test after a timeout.
void wait_for(const std::function<bool()> &condition, const char *what = "nothing moves");

class Stopwatch {
public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// --- What clients should receive ---

// The members of clip()'s onMetaData that also apply to a stream.
[[nodiscard]] flvtest::Members lasting(bool video = true);
// `groups` groups of 400 ms from `start` on, of H.264, AAC or both. The payload grows with `scale`.
struct Groups {
  std::uint32_t start = 0;
  std::uint32_t groups = 4;
  std::size_t scale = 1;
  bool audio = true;
  bool video = true;
  std::uint8_t variant = 0; // of the configurations
};
void append_groups(Stream &stream, const Groups &groups);
// A file with a header, onMetaData and configurations.
[[nodiscard]] Stream clip(const Groups &of = {});
// The tags of the keyframes, or of all audio if there is no video.
[[nodiscard]] std::vector<std::size_t> keys(const Stream &stream);

// Tags `first` to `end` - 1, as a client receives them with timestamps from `time` on. Media that
// plays before the first tag is left out.
[[nodiscard]] Buffer rebased(const Stream &stream, std::size_t first, std::uint32_t time = 0,
                             std::size_t end = SIZE_MAX);
// File header, metadata, and the configurations that are valid at tag `first`.
[[nodiscard]] Buffer head(const Stream &stream, std::size_t first, std::uint32_t time = 0);
[[nodiscard]] Buffer configurations(const Stream &stream, std::size_t first,
                                    std::uint32_t time = 0);
// Everything that a client receives if it joins at keyframe number `key`.
[[nodiscard]] Buffer served(const Stream &stream, std::size_t key = 0, std::size_t end = SIZE_MAX);
// The bytes of these tags; the first part includes all bytes before the first tag.
[[nodiscard]] Bytes part(const Stream &stream, std::size_t first, std::size_t end = SIZE_MAX);
// The timestamps of a file's tags, in order. Fails the test if the file is not complete.
[[nodiscard]] std::vector<std::uint32_t> timestamps(Bytes file);

// --- The element ---

inline constexpr const char *kFlv = "video/x-flv";

// Sets these buffers as the streamheader, if there are any. "": returns nullptr.
[[nodiscard]] CapsPtr caps_of(const std::string &type, const std::vector<Buffer> &header = {});

struct Removal {
  guint64 id = 0;
  std::string reason;
  StructurePtr stats;
};

class Server {
public:
  // Serves at /live on a free port of 127.0.0.1, with sync=false and without merging, unless
  // `properties` (as in a launch line) set these.
  explicit Server(const std::string &properties = "", GstState state = GST_STATE_PLAYING);
  // Fails the test if the bus has an unexpected warning or error.
  ~Server();
  Server(const Server &) = delete;
  Server &operator=(const Server &) = delete;

  [[nodiscard]] GstElement *element() const { return element_.get(); }
  [[nodiscard]] GstPad *upstream() const { return pad_; }
  [[nodiscard]] guint port() const;
  // Starts again at the same port, with a port number that other elements can share.
  void keep_port();
  GstStateChangeReturn set_state(GstState state) { return gst_element_set_state(element(), state); }
  template <typename T> void set(const char *property, T value) {
    g_object_set(element(), property, value, nullptr);
  }
  template <typename... T> void emit(const char *action, T... values) {
    g_signal_emit_by_name(element(), action, values...);
  }

  // --- Upstream. The calls return at once; buffers after a failed push are dropped. ---
  // Stream start, caps (nullptr: none) and a segment in bytes or time.
  void begin(const CapsPtr &caps = caps_of(kFlv), GstFormat format = GST_FORMAT_BYTES);
  void set_caps(const CapsPtr &caps) { push_event(gst_event_new_caps(caps.get())); }
  void push(Bytes data, std::size_t chunk = 0); // cut into chunks; 0: in one piece
  void push_buffer(GstBuffer *buffer);          // takes ownership
  void push_event(GstEvent *event);             // takes ownership; in order with the buffers
  void end() { push_event(gst_event_new_eos()); }
  // Not serialized with the pushed data. Requires PLAYING.
  void flush();
  // Waits until all data is taken. Returns the flow of the last pushed buffer.
  GstFlowReturn settle();
  [[nodiscard]] bool idle();

  // --- Statistics, signals and messages ---
  [[nodiscard]] StructurePtr stats() const;
  [[nodiscard]] guint64 stat(const char *field) const;
  [[nodiscard]] std::size_t clients() const { return stat("clients-now"); }
  void wait_for_clients(std::size_t count) const;
  // All clients added since construction.
  [[nodiscard]] std::vector<guint64> added();
  [[nodiscard]] std::vector<Removal> removals();
  // "1 closed, 2 slow", in order of the clients' numbers.
  [[nodiscard]] std::string removed();
  void wait_for_removals(std::size_t count);
  [[nodiscard]] std::size_t ends(); // EOS messages
  [[nodiscard]] Problem problem();  // the next one on the bus

private:
  static GstBusSyncReply note_message(GstBus *bus, GstMessage *message, gpointer server);

  ElementPtr element_;
  GstBus *bus_ = nullptr;
  GstPad *pad_ = nullptr;
  std::unique_ptr<pacetest::Pusher> pusher_;

  std::mutex mutex_;
  std::vector<guint64> added_;
  std::vector<Removal> removals_;
  std::size_t ends_ = 0;
  std::vector<Problem> problems_;
};

// A field of a client's statistics.
[[nodiscard]] guint64 number(const GstStructure *stats, const char *field);
[[nodiscard]] std::string text(const GstStructure *stats, const char *field);
// The statistics of client number `index` in a server's statistics.
[[nodiscard]] const GstStructure *client_of(const GstStructure *stats, std::size_t index = 0);

// --- Clients ---

enum class Transport { Http, WebSocket };
inline constexpr Transport kTransports[] = {Transport::Http, Transport::WebSocket};

struct Frame {
  std::uint8_t opcode = 0;
  Buffer payload;
};

inline constexpr std::uint8_t kText = 1;
inline constexpr std::uint8_t kBinary = 2;
inline constexpr std::uint8_t kClose = 8;
inline constexpr std::uint8_t kPing = 9;
inline constexpr std::uint8_t kPong = 10;

class Client {
public:
  // Connects and sends nothing. `receive_buffer` in bytes; 0: the system's default.
  explicit Client(guint port, int receive_buffer = 0);
  // Requests the stream.
  explicit Client(const Server &server, Transport transport = Transport::Http,
                  int receive_buffer = 0);
  ~Client();
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;

  // false: the peer has closed the connection.
  bool send(Bytes bytes);
  bool send(const std::string &text);
  // `headers`: whole lines.
  void ask(const std::string &path = "/live", const std::string &headers = "",
           const std::string &method = "GET");
  void upgrade(const std::string &path = "/live", const std::string &headers = "");
  // Masked, as the protocol requires of clients.
  bool send_frame(std::uint8_t opcode, Bytes payload);
  void shut_down() const; // closes the sending side
  void close();
  void reset(); // closes with a TCP reset

  // Reads until the condition is true; fails the test after a timeout.
  void wait_for(const std::function<bool()> &condition, const char *what);
  void wait_for_head();
  void wait_for_size(std::size_t size); // of body()
  void wait_for_close();
  // Reads available bytes, maybe not all.
  void receive();
  void receive_at_most(std::size_t size);

  // After the response head: the body of the response, or the payload of the binary messages.
  [[nodiscard]] const Buffer &body() const { return body_; }
  [[nodiscard]] int status() const; // 0: no response yet
  [[nodiscard]] const std::string &head() const { return head_; }
  [[nodiscard]] std::string header(const std::string &name) const;           // "": not present
  [[nodiscard]] const std::vector<Frame> &frames() const { return frames_; } // control frames
  [[nodiscard]] const std::vector<std::size_t> &messages() const { return messages_; } // sizes
  [[nodiscard]] int close_code() const; // 0: no close frame received
  [[nodiscard]] bool is_closed() const { return closed_; }
  [[nodiscard]] bool was_reset() const { return reset_; }
  [[nodiscard]] std::size_t size() const { return size_; } // of all received bytes

private:
  void take(Bytes bytes);
  void take_frames();

  int socket_ = -1;
  bool is_websocket_ = false;
  bool closed_ = false;
  bool reset_ = false;
  std::size_t size_ = 0;
  std::string head_;
  bool has_head_ = false;
  Buffer rest_; // of a frame
  Buffer body_;
  std::vector<Frame> frames_;
  std::vector<std::size_t> messages_;
};

} // namespace httptest
