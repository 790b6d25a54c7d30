// SPDX-License-Identifier: LGPL-2.1-or-later
// A mount: one live stream at one path. It runs in a thread of its own, because opening and closing
// sources may block.
//
//   Opening -> Running -> Waiting -> Opening   the source is opened again after a failure
//                      -> Ended                the source has ended, and is not opened again
//   any -> Stopped
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <variant>

#include "base/gst_ptr.h"
#include "chain.h"
#include "httpserver/listener.h"
#include "mount_settings.h"
#include "states/transition.h"
#include "tap.h"

namespace flvserve {

class Mount {
public:
  struct Opening {
    static constexpr const char *kName = "Opening";
  };
  struct Running {
    static constexpr const char *kName = "Running";
  };
  struct Waiting {
    static constexpr const char *kName = "Waiting";
    GSource *timer = nullptr; // borrowed from the context
  };
  struct Ended {
    static constexpr const char *kName = "Ended";
  };
  struct Stopped {
    static constexpr const char *kName = "Stopped";
  };
  using State = std::variant<Opening, Running, Waiting, Ended, Stopped>;
  using Transitions = states::TransitionTable<
      states::Transition<Opening, Running>, states::Transition<Opening, Waiting>,
      states::Transition<Opening, Ended>, states::Transition<Running, Waiting>,
      states::Transition<Running, Ended>, states::Transition<Waiting, Opening>,
      states::Transition<Opening, Stopped>, states::Transition<Running, Stopped>,
      states::Transition<Waiting, Stopped>, states::Transition<Ended, Stopped>>;

  struct Event {
    enum class Kind : std::uint8_t {
      Served,  // the path answers, or cannot; the first event
      Running, // the first data has come
      Failed,  // `text` has the reason; the source is opened again
      Ended,
      Stopped, // the last event
    };
    Kind kind = Kind::Served;
    std::string text;
  };
  // Called in the main thread.
  using Watch = std::function<void(const Event &event)>;

  // `tap`: passes the stream on. `from`: the tap of the mount in `from`; nullptr: a source of its
  // own.
  Mount(MountSettings settings, std::shared_ptr<flvhttp::Listener> listener,
        std::shared_ptr<Tap> tap, std::shared_ptr<Tap> from, Watch watch);
  // Call only after the event Stopped: waits for the thread.
  ~Mount();
  Mount(const Mount &) = delete;
  Mount &operator=(const Mount &) = delete;

  [[nodiscard]] const MountSettings &settings() const { return settings_; }
  // Changes settings of the sink. The stream's settings are equal to the current ones.
  void change(const MountSettings &settings);
  // Ends the stream: clients receive the remaining data, for at most the sink's drain-timeout.
  void stop();

private:
  static gboolean on_message(GstBus *bus, GstMessage *message, gpointer self);
  static GstPadProbeReturn on_data(GstPad *pad, GstPadProbeInfo *info, gpointer self);

  void run();
  void invoke(std::function<void()> work);
  void emit(Event event);
  void set_state(State state);
  [[nodiscard]] bool make_sink();
  void apply(const std::map<std::string, std::string> &sink);
  void open();
  void handle(GstMessage *message);
  void handle_stream();
  void handle_end();
  void fail(const std::string &text);
  void wait(unsigned delay);
  [[nodiscard]] bool is_playing() const;
  void end_stream();
  void finish();

  MountSettings settings_; // used by the main thread
  MountSettings stream_;   // used by the mount's thread, as are the following members
  std::shared_ptr<flvhttp::Listener> listener_;
  std::shared_ptr<Tap> tap_;
  std::shared_ptr<Tap> from_;
  Watch watch_;
  GMainContext *context_;
  GMainLoop *loop_;
  gstflv::ElementPtr pipeline_;
  GstElement *sink_ = nullptr; // borrowed from the pipeline
  std::unique_ptr<Chain> chain_;
  State state_ = Opening{};
  std::atomic<bool> awaits_data_ = false; // set until the stream's first data
  unsigned delay_;                        // ms: before the next attempt to open the source
  std::thread thread_;
};

} // namespace flvserve
