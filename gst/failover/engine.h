// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the sources of one element while it is PLAYING. Three kinds of threads meet here, and one
// mutex guards everything: each source's own threads bring bytes, the streaming thread of the
// element takes buffers, and the engine's thread waits for deadlines and reports to the
// application. None of them waits for a source that hangs.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/gst_ptr.h"
#include "failover/file_pace.h"
#include "failover/source_reader.h"
#include "failover/supervisor.h"
#include "output_queue.h"
#include "source_run.h"

namespace gstfailover {

class Engine;

// Passes what a source does to the engine. Keeps the engine for a source that hangs.
class Feed final : public SourceListener {
public:
  Feed(std::shared_ptr<Engine> engine, failover::Index index)
      : engine_(std::move(engine)), index_(index) {}

  void set_up(GstElement *source) override;
  [[nodiscard]] GstFlowReturn take(gstflv::BufferPtr buffer, bool is_finite) override;
  void end(bool is_finite) override;
  void fail(failover::Loss loss, const std::string &text) override;

  [[nodiscard]] failover::Index index() const { return index_; }
  // Guarded by the engine's mutex.
  failover::SourceReader &reader() { return reader_; }
  failover::FilePace &pace() { return pace_; }

private:
  const std::shared_ptr<Engine> engine_;
  const failover::Index index_;
  failover::SourceReader reader_;
  failover::FilePace pace_;
};

class Engine : public std::enable_shared_from_this<Engine> {
public:
  //    Ready ---> Running ---> Stopped
  struct Ready {
    static constexpr const char *kName = "Ready";
  };
  struct Running {
    static constexpr const char *kName = "Running";
  };
  struct Stopped {
    static constexpr const char *kName = "Stopped";
  };
  using State = std::variant<Ready, Running, Stopped>;
  using Transitions = states::TransitionTable<states::Transition<Ready, Running>,
                                              states::Transition<Running, Stopped>,
                                              states::Transition<Ready, Stopped>>;

  // A source whose earlier attempts hang is not started again while there are this many of them.
  static constexpr std::size_t kMaxHanging = 4;

  // `element` (borrowed) must live until stop() returns. `accepted`: what downstream can take.
  Engine(GstElement *element, const std::vector<std::string> &uris,
         const failover::Settings &settings, failover::ContainerSet accepted);

  void start();
  // Ends all sources. Waits for sources that end soon, and leaves the others to their threads.
  void stop();

  // --- The streaming thread of the element ---
  // FLUSHING: set_flushing(true) was called, or the engine is stopped.
  [[nodiscard]] GstFlowReturn pop(Packet &packet);
  void set_flushing(bool is_flushing);
  [[nodiscard]] bool is_stopped();

  // --- Any thread ---
  void set_settings(const failover::Settings &settings);
  void set_demand(bool is_wanted);
  [[nodiscard]] bool request(guint index);
  // "": no source is in use.
  [[nodiscard]] std::string current_uri();
  [[nodiscard]] gstflv::StructurePtr stats();

private:
  friend class Feed;

  struct Slot {
    std::string uri;
    std::shared_ptr<Feed> feed; // nullptr: not running
    std::shared_ptr<SourceRun> run;
    std::vector<std::shared_ptr<SourceRun>> ending; // earlier attempts
    guint64 bytes = 0;                              // received
  };
  using Lock = std::unique_lock<std::mutex>;

  void set_state(State next);
  [[nodiscard]] failover::Time now() const;
  [[nodiscard]] bool is_running() const { return std::holds_alternative<Running>(state_); }
  [[nodiscard]] bool is_current(const Feed &feed) const {
    return slots_[feed.index()].feed.get() == &feed;
  }

  // The engine's thread.
  void run();
  void wait_for_deadline(Lock &lock);
  [[nodiscard]] std::optional<failover::Time> next_deadline() const;
  void wake();
  void report(Lock &lock);
  void post(const failover::Action &action);

  // Performs the supervisor's actions. Reports are left to the engine's thread.
  void act();
  void start_source(failover::Index index);
  void stop_source(failover::Index index);
  [[nodiscard]] bool hangs_too_often(Slot &slot);

  // A source's thread.
  void set_up(const Feed &feed, GstElement *source);
  [[nodiscard]] GstFlowReturn take(Feed &feed, gstflv::BufferPtr buffer, bool is_finite);
  void end(Feed &feed, bool is_finite);
  void fail(const Feed &feed, failover::Loss loss, const std::string &text);
  struct Batch; // bytes of one chunk that leave in one buffer
  void take_pieces(Lock &lock, Feed &feed, bool is_finite);
  void take_piece(Lock &lock, Feed &feed, failover::Piece piece, bool is_finite, Batch &batch);
  [[nodiscard]] bool is_wrong_type(Feed &feed) const;
  void begin_output(Feed &feed);
  void send(Lock &lock, const Feed &feed, Batch &batch);
  void pace(Lock &lock, Feed &feed, std::int64_t media, Batch &batch);
  template <typename Condition> void block(Lock &lock, const Feed &feed, Condition condition);

  GstElement *const element_; // not used after stop()
  const gstflv::ClockPtr clock_;

  std::mutex mutex_;
  std::condition_variable wake_;  // the engine's thread, while it has no deadline
  std::condition_variable data_;  // the streaming thread
  std::condition_variable space_; // sources that are blocked
  State state_ = Ready{};
  failover::Supervisor supervisor_;
  std::vector<Slot> slots_;
  failover::ContainerSet accepted_;
  OutputQueue output_;
  const Feed *output_feed_ = nullptr; // sends now; compared only
  bool is_flushing_ = false;
  std::vector<failover::Action> reports_;
  std::optional<failover::Time> due_;   // of the file in use, which waits
  std::optional<failover::Time> armed_; // the deadline for which the engine's thread waits
  GstClockID wait_ = nullptr;           // borrowed from the engine's thread
  std::thread thread_;
};

} // namespace gstfailover
