// SPDX-License-Identifier: LGPL-2.1-or-later
// flvseek in a pipeline, between a source with each of the three access modes and a sink that
// records its input.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "drive.h"
#include "pacetest.h"

namespace seektest {

using flvtest::Buffer;
using flvtest::Bytes;
using flvtest::Stream;
using gstflv::BufferPtr;
using gstflv::EventPtr;
using pacetest::Problem;

// --- Files ---

// Eight groups of pictures of 400 ms, with an index of the keyframes. The payload grows with
// `scale`. With `changes`, the configurations change before keyframe number 4.
[[nodiscard]] Stream clip(std::size_t scale = 1, const flvtest::Pick &pick = flvtest::key_frames_of,
                          bool changes = true);
// The tag numbers of the keyframes, and their positions.
[[nodiscard]] std::vector<std::size_t> keys(const Stream &stream);
[[nodiscard]] guint64 position(const Stream &stream, std::size_t key);

struct Parts {
  bool header = true;
  bool metadata = true;
  bool configurations = true;
};

// The head before a keyframe: file header, metadata and configurations as in the file.
[[nodiscard]] Buffer head(const Stream &stream, std::size_t key, Parts parts = {});
// The head, and the file from the keyframe on.
[[nodiscard]] Buffer started(const Stream &stream, std::size_t key, Parts parts = {});
// Fails the test unless the index and the file size in the head are correct for these bytes, and
// the index has `entries` keyframes.
void assert_true_index(Bytes bytes, std::size_t entries);

class TemporaryFile {
public:
  explicit TemporaryFile(Bytes bytes);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  [[nodiscard]] std::string path() const { return path_; }

private:
  gchar *path_ = nullptr;
};

// --- Upstream ---

enum class Access { Pull, Seekable, Forward };
inline constexpr Access kAccesses[] = {Access::Pull, Access::Seekable, Access::Forward};

struct Source {
  Buffer bytes;
  Access access = Access::Pull;
  guint chunk = 4096; // bytes per buffer, in push mode
  bool size_known = true;
  guint64 fails_at = G_MAXUINT64; // reads at or after this offset fail, without an error message
  bool refuses_seeks = false;     // although it reports that it is seekable
  bool seeks_slowly = false;      // upstream sends other bytes before the seek returns
  bool queued = false;            // a separate thread pushes to flvseek
};

struct SourceState;
struct Sink;

// An output buffer.
struct Piece {
  Buffer bytes;
  guint64 offset = 0;
  guint64 offset_end = 0;
  bool header = false;
  bool discont = false;
  bool stamped = false;
};

// Offsets in bytes, times in milliseconds.
struct Start {
  guint64 requested_offset = 0;
  guint64 requested_time = 0;
  guint64 actual_offset = 0;
  guint64 actual_time = 0;
};

class Seek {
public:
  // `properties` as in a launch line; `behind`: elements between flvseek and the sink, "! x".
  explicit Seek(Source source, const std::string &properties = "",
                GstState state = GST_STATE_PLAYING, const std::string &behind = "");
  // Fails the test if the bus has an unexpected warning or error.
  ~Seek();
  Seek(const Seek &) = delete;
  Seek &operator=(const Seek &) = delete;

  [[nodiscard]] GstElement *pipeline() const { return pipeline_; }
  [[nodiscard]] GstElement *element() const { return element_; }
  [[nodiscard]] GstPad *sink_pad() const { return sink_pad_; } // of the element
  [[nodiscard]] GstPad *source_pad() const { return source_pad_; }

  GstStateChangeReturn set_state(GstState state) { return gst_element_set_state(pipeline_, state); }
  template <typename T> void set(const char *property, T value) {
    g_object_set(element_, property, value, nullptr);
  }
  [[nodiscard]] guint64 get(const char *property) const;

  // Waits until the stream ends, with EOS or an error.
  void run();
  // All bytes since the start, the last flush or the last call.
  [[nodiscard]] Buffer take();
  [[nodiscard]] std::vector<Piece> take_pieces();
  [[nodiscard]] std::size_t size(); // the number of bytes for take()
  // Events and buffers since the last call, as in pacetest.
  [[nodiscard]] std::string order();
  [[nodiscard]] EventPtr last_event(GstEventType type);
  [[nodiscard]] std::size_t count_events(GstEventType type);
  [[nodiscard]] GstSegment segment();
  // The number of bytes between the last flush and the last segment.
  [[nodiscard]] std::size_t segment_begin();

  // From now on, blocks the sink at buffer number `index` until it is released or flushed.
  void block(std::size_t index);
  void release();
  // Lets one buffer pass after the other, slowly, until the condition holds, then releases the
  // sink.
  void release_slowly(const std::function<bool()> &condition);
  void wait_until_blocked();

  // A seek by the application, sent as an event to a pad.
  bool seek(GstFormat format, guint64 start, int flags = GST_SEEK_FLAG_FLUSH);
  bool seek_time(guint64 ms, int flags = GST_SEEK_FLAG_FLUSH) {
    return seek(GST_FORMAT_TIME, ms * GST_MSECOND, flags);
  }
  [[nodiscard]] bool send(GstEvent *event); // takes ownership
  // The offsets of the seeks that upstream received since the last call.
  [[nodiscard]] std::vector<guint64> upstream_seeks();
  // The number of bytes read from upstream.
  [[nodiscard]] guint64 bytes_read() const;

  [[nodiscard]] Problem problem();           // the next one posted by flvseek
  [[nodiscard]] std::vector<Start> starts(); // the element messages since the last call
  [[nodiscard]] std::size_t count_starts();  // the number of messages for starts()
  static void wait_for(const std::function<bool()> &condition);

private:
  GstElement *pipeline_ = nullptr;
  GstElement *element_ = nullptr;
  GstPad *sink_pad_ = nullptr;
  GstPad *source_pad_ = nullptr;
  std::shared_ptr<SourceState> source_;
  std::unique_ptr<Sink> sink_;
};

// The complete output of a start.
[[nodiscard]] Buffer result(const Source &source, const std::string &properties);

} // namespace seektest

// No output, and exactly this error.
#define assert_fails(seek, in_domain, with_code, words)                                            \
  do {                                                                                             \
    (seek).run();                                                                                  \
    assert_problem(seek, true, in_domain, with_code, words);                                       \
    assert_equals_uint64((seek).size(), 0);                                                        \
    assert_equals_uint64((seek).count_starts(), 0);                                                \
  } while (0)
