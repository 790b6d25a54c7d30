// SPDX-License-Identifier: LGPL-2.1-or-later
// flvdemux after flvseek accepts the same seeks as after filesrc.
#include <map>
#include <mutex>
#include <utility>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

constexpr int kFlush = GST_SEEK_FLAG_FLUSH;
constexpr int kSegment = GST_SEEK_FLAG_SEGMENT;

constexpr gint64 ms(gint64 time) {
  return time * static_cast<gint64>(GST_MSECOND);
}

// GStreamer's own plugins may be missing.
bool has_flvdemux() {
  GstElementFactory *factory = gst_element_factory_find("flvdemux");
  if (!factory)
    return false;
  gst_object_unref(factory);
  return true;
}

// Plays with flvdemux. Records the segments of each pad, and for each segment the number of buffers
// and the first and last time.
class Player {
public:
  Player(const std::string &path, const std::string &between) {
    const std::string line = "filesrc location=" + path + between +
                             " ! flvdemux name=demux fakesink name=video sync=false async=false "
                             "fakesink name=audio sync=false async=false";
    pipeline_ = gst_parse_launch(line.c_str(), nullptr);
    fail_unless(pipeline_ != nullptr);
    GstElement *demux = gst_bin_get_by_name(GST_BIN(pipeline_), "demux");
    g_signal_connect(demux, "pad-added", G_CALLBACK(link), pipeline_);
    gst_object_unref(demux);
    for (const char *name : {"video", "audio"})
      watch(name);
    bus_ = gst_element_get_bus(pipeline_);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
  }
  ~Player() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(bus_);
    gst_object_unref(pipeline_);
  }
  Player(const Player &) = delete;
  Player &operator=(const Player &) = delete;

  // Sends the seek to one sink only: in pull mode, flvdemux would execute it twice.
  [[nodiscard]] bool seek(double rate, int flags, gint64 start, gint64 stop) {
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline_), "video");
    const bool taken = gst_element_send_event(
        sink, gst_event_new_seek(rate, GST_FORMAT_TIME, static_cast<GstSeekFlags>(flags),
                                 GST_SEEK_TYPE_SET, start, GST_SEEK_TYPE_SET, stop));
    gst_object_unref(sink);
    return taken;
  }

  GstStateChangeReturn set_state(GstState state) {
    const GstStateChangeReturn result = gst_element_set_state(pipeline_, state);
    if (state <= GST_STATE_READY) {
      const std::lock_guard lock(mutex_);
      tracks_.clear();
    }
    return result;
  }
  void set(const char *element, const char *property, guint64 value) {
    GstElement *object = gst_bin_get_by_name(GST_BIN(pipeline_), element);
    g_object_set(object, property, value, nullptr);
    gst_object_unref(object);
  }
  // The times (ms) in flvseek's messages until the end of the last run().
  [[nodiscard]] std::string starts() { return std::exchange(starts_, {}); }
  [[nodiscard]] std::string error() {
    GstMessage *message = gst_bus_pop_filtered(bus_, GST_MESSAGE_ERROR);
    fail_unless(message != nullptr, "no error");
    GError *error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    std::string text = error->message;
    g_clear_error(&error);
    gst_message_unref(message);
    return text;
  }

  // Waits for the end of the stream or of the segment. Returns the output since the last call.
  [[nodiscard]] std::string run() {
    constexpr auto kEnds =
        static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_SEGMENT_DONE);
    GstMessage *message = nullptr;
    while (!message) {
      message = gst_bus_timed_pop_filtered(
          bus_, 20 * GST_SECOND, static_cast<GstMessageType>(kEnds | GST_MESSAGE_ELEMENT));
      fail_unless(message != nullptr, "nothing moves");
      if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT) {
        guint64 time = 0;
        if (gst_structure_get_uint64(gst_message_get_structure(message), "actual-time", &time))
          starts_ += (starts_.empty() ? "" : " ") + std::to_string(time);
        gst_clear_message(&message);
      }
    }
    std::string text = GST_MESSAGE_TYPE_NAME(message);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_SEGMENT_DONE) {
      GstFormat format = GST_FORMAT_UNDEFINED;
      gint64 position = 0;
      gst_message_parse_segment_done(message, &format, &position);
      text += std::string(" ") + gst_format_get_name(format) + std::to_string(position);
    }
    gst_message_unref(message);
    // The message may arrive before the last pad's event.
    Seek::wait_for([this] {
      const std::lock_guard lock(mutex_);
      return tracks_["video"].ended && tracks_["audio"].ended;
    });
    const std::lock_guard lock(mutex_);
    for (auto &[name, track] : tracks_) {
      text += "\n" + name + track.text + track.buffers();
      track = {};
    }
    return text;
  }

private:
  struct Track {
    std::string text;
    std::size_t count = 0;
    GstClockTime first = 0;
    GstClockTime last = 0;
    bool ended = false;

    [[nodiscard]] std::string buffers() const {
      return " " + std::to_string(count) + " from " + std::to_string(first / GST_MSECOND) + " to " +
             std::to_string(last / GST_MSECOND);
    }
  };
  struct Watch {
    Player *player;
    std::string name;
  };

  static void link(GstElement *demux, GstPad *pad, GstElement *pipeline) {
    const gstflv::StringPtr name(gst_pad_get_name(pad));
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), name.get());
    fail_unless(gst_element_link_pads(demux, name.get(), sink, "sink"));
    gst_object_unref(sink);
  }

  void watch(const char *name) {
    GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline_), name);
    GstPad *pad = gst_element_get_static_pad(sink, "sink");
    constexpr auto kSeen = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER |
                                                        GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
                                                        GST_PAD_PROBE_TYPE_EVENT_FLUSH);
    const auto see = [](GstPad *, GstPadProbeInfo *info, gpointer data) {
      const auto &watch = *static_cast<Watch *>(data);
      watch.player->see(watch.name, info);
      return GST_PAD_PROBE_OK;
    };
    gst_pad_add_probe(pad, kSeen, see, new Watch{this, name},
                      [](gpointer data) { delete static_cast<Watch *>(data); });
    gst_object_unref(pad);
    gst_object_unref(sink);
  }

  void see(const std::string &name, GstPadProbeInfo *info) {
    const std::lock_guard lock(mutex_);
    Track &track = tracks_[name];
    if ((info->type & GST_PAD_PROBE_TYPE_BUFFER) != 0) {
      track.last = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));
      track.first = track.count++ == 0 ? track.last : track.first;
      return;
    }
    GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
    const GstEventType type = GST_EVENT_TYPE(event);
    if (type == GST_EVENT_FLUSH_STOP)
      track = {};
    track.ended = type == GST_EVENT_EOS || type == GST_EVENT_SEGMENT_DONE;
    if (type != GST_EVENT_SEGMENT)
      return;
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    std::string numbers;
    for (const guint64 time : {segment->base, segment->start, segment->stop, segment->time})
      numbers += " " + std::to_string(time == GST_CLOCK_TIME_NONE
                                          ? -1
                                          : static_cast<gint64>(time / GST_MSECOND));
    track.text += " (rate " + std::to_string(segment->rate) + " flags " +
                  std::to_string(segment->flags) + numbers + ")";
  }

  GstElement *pipeline_ = nullptr;
  GstBus *bus_ = nullptr;
  std::string starts_;
  std::mutex mutex_;
  std::map<std::string, Track> tracks_;
};

struct Wish {
  double rate = 1;
  int flags = kFlush;
  gint64 start = 0;
  gint64 stop = -1;
};

// The complete output for these seeks, one after another.
std::string played(const std::string &path, const std::string &between,
                   std::initializer_list<Wish> wishes) {
  Player player(path, between);
  std::string text = player.run();
  for (const Wish &wish : wishes) {
    fail_unless(player.seek(wish.rate, wish.flags, wish.start, wish.stop), "%s: to %d",
                between.c_str(), static_cast<int>(wish.start / ms(1)));
    text += "\n" + player.run();
  }
  return text;
}

// Twelve seconds, with a keyframe each second.
Stream movie() {
  return indexed(
      [](Stream &stream) {
        stream.configs(0);
        for (std::uint32_t time = 0; time < 12'000; time += 40) {
          if (time % 1000 == 0)
            stream.key(time, 400);
          else
            stream.inter(time, 100);
          stream.aac(time, 50);
        }
      },
      key_frames_of, {{"duration", {12.0}}});
}

} // namespace

// flvdemux pulls data from flvseek.
GST_START_TEST(same_as_behind_filesrc) {
  if (!has_flvdemux())
    return;
  const TemporaryFile file(movie().bytes);
  const auto run = [&](const char *between) {
    return played(file.path(), between,
                  {{.start = ms(4500)},
                   {.flags = kFlush | GST_SEEK_FLAG_KEY_UNIT, .start = ms(4500)},
                   {.flags = kFlush | GST_SEEK_FLAG_ACCURATE, .start = ms(9800)},
                   {.rate = 2, .start = ms(2000), .stop = ms(5000)},
                   {.flags = kFlush | kSegment, .start = ms(1000), .stop = ms(6000)},
                   {.flags = kSegment, .start = ms(1000), .stop = ms(6000)},
                   {.rate = 4, .flags = kSegment, .start = ms(0)},
                   {.flags = kSegment, .start = ms(7000), .stop = ms(8000)},
                   {.flags = kFlush, .start = ms(11000)},
                   {.rate = -1, .start = ms(1000), .stop = ms(4000)}});
  };
  assert_text(run(" ! flvseek"), run(""));
}
GST_END_TEST

// In push mode, flvseek answers flvdemux's TIME seeks with TIME segments. The reference is flvdemux
// in pull mode after filesrc, because flvdemux's seeks in push mode have bugs.
// Without KEY_UNIT, versions of flvdemux differ in whether the segment starts at the keyframe
// before the position. So the other seeks go to keyframes.
GST_START_TEST(same_where_it_pushes) {
  if (!has_flvdemux())
    return;
  const TemporaryFile file(movie().bytes);
  const char *const rows[] = {" ! queue ! flvseek", " ! flvseek start-time=2000",
                              " ! flvseek ! queue", " ! flvseek offset=1000 ! queue"};
  for (const char *between : rows) {
    for (const Wish &wish : std::initializer_list<Wish>{
             {.flags = kFlush | GST_SEEK_FLAG_KEY_UNIT, .start = ms(4500)},
             {.rate = 2, .start = ms(1000)},
             {.flags = kFlush | kSegment, .start = ms(8000), .stop = ms(12'000)},
             {.rate = 0.5, .flags = kFlush | kSegment, .start = ms(10000), .stop = ms(20000)}}) {
      const auto after_start = [&](const char *way) {
        Player player(file.path(), way);
        (void)player.run();
        fail_unless(player.seek(wish.rate, wish.flags, wish.start, wish.stop));
        return player.run();
      };
      assert_text(after_start(between), after_start(""));
    }
  }
}
GST_END_TEST

// A loop without flush: the running time continues.
GST_START_TEST(loop_where_it_pushes) {
  if (!has_flvdemux())
    return;
  const TemporaryFile file(movie().bytes);
  Player player(file.path(), " ! flvseek start-time=2000");
  (void)player.run();
  fail_unless(player.seek(1, kFlush | kSegment, ms(8000), ms(9000)));
  (void)player.run();
  for (int turn = 1; turn < 4; ++turn) {
    fail_unless(player.seek(1, kSegment, ms(8000), ms(9000)));
    const std::string segment = " (rate 1.000000 flags 8 " + std::to_string(turn * 1000) +
                                " 8000 9000 8000) 25 from 8000 "
                                "to 8960";
    assert_text(player.run(), "segment-done time9000000000\naudio" + segment + "\nvideo" + segment);
  }
}
GST_END_TEST

// Restarts with properties that cause the other scheduling mode.
GST_START_TEST(starts_again_in_the_other_mode) {
  if (!has_flvdemux())
    return;
  const TemporaryFile file(movie().bytes);
  Player player(file.path(), " ! flvseek name=seek");
  std::string text = player.run();
  assert_text(player.starts(), "0");
  fail_unless(text.find("300 from 0 to 11960") != std::string::npos, "%s", text.c_str());
  for (const guint64 start : {5000U, 0U, 8000U}) {
    for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
      player.set_state(state);
      player.set("seek", "start-time", start);
      player.set_state(GST_STATE_PLAYING);
      const std::string should =
          std::to_string((12'000 - start) / 40) + " from " + std::to_string(start) + " to 11960";
      text = player.run();
      fail_unless(text.find(should) != std::string::npos, "\"%s\" without \"%s\"", text.c_str(),
                  should.c_str());
      assert_text(player.starts(), std::to_string(start));
    }
  }
}
GST_END_TEST

GST_START_TEST(refuses_another_format) {
  if (!has_flvdemux())
    return;
  const TemporaryFile file(Buffer(5000, 0x47));
  Player player(file.path(), " ! flvseek");
  fail_unless(player.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
  const std::string text = player.error();
  fail_unless(text.find("Not an FLV file") != std::string::npos, "%s", text.c_str());
}
GST_END_TEST

static Suite *flvseek_flvdemux_suite() {
  Suite *suite = suite_create("flvseek_flvdemux");
  TCase *tcase = tcase_create("flvdemux");
  suite_add_tcase(suite, tcase);
  tcase_add_test(tcase, same_as_behind_filesrc);
  tcase_add_test(tcase, same_where_it_pushes);
  tcase_add_test(tcase, loop_where_it_pushes);
  tcase_add_test(tcase, starts_again_in_the_other_mode);
  tcase_add_test(tcase, refuses_another_format);
  return suite;
}

GST_CHECK_MAIN(flvseek_flvdemux);
