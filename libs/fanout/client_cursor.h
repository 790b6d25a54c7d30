// SPDX-License-Identifier: LGPL-2.1-or-later
// One client's position in the backlog, and the bytes that only this client receives.
#pragma once

#include <array>
#include <optional>
#include <variant>

#include "backlog.h"
#include "pending_write.h"
#include "rebaser.h"
#include "states/transition.h"
#include "websocket.h"
#include "write_batch.h"

namespace fanout {

enum class Join : std::uint8_t {
  LatestKeyFrame, // the latest keyframe of the backlog
  Burst,        // the latest keyframe that is at least CursorSettings::burst old, or the first one
  NextKeyFrame, // the first keyframe after the client's arrival
};

enum class Framing : std::uint8_t {
  Plain,
  WebSocket, // binary messages of whole tags
};

struct CursorSettings {
  Join join = Join::LatestKeyFrame;
  std::int64_t burst = 0;             // ms
  bool rebase = true;                 // FLV: the timeline starts at 0; fixed when the client joins
  std::int64_t max_lag = 0;           // ms; 0 disables the limit
  std::uint64_t max_lag_bytes = 0;    // 0 disables the limit
  std::size_t max_message = 32 << 10; // bytes: a WebSocket message of this size gets no more tags
};

struct Lag {
  std::int64_t now = 0; // ms, as are the others
  std::int64_t min = 0;
  std::int64_t max = 0;
  double average = 0;
};

//                     joins
//    AwaitKeyframe -----------> Following
//          ^                        |
//          |  the next entry is     |
//          |  evicted, and the      |
//          |  backlog has no later  |
//          |  keyframe              |
//          +------------------------+
class ClientCursor {
public:
  using Number = Backlog::Number;

  struct AwaitKeyframe {
    static constexpr const char *kName = "AwaitKeyframe";

    Number from = 0; // the end of the backlog at the client's arrival, or at the eviction
    // Only keyframes at or after `from` count, whatever the settings are.
    bool is_from_only = false;
    std::optional<Number> any_frame_from; // set by accept_any_frame()
  };
  struct Following {
    static constexpr const char *kName = "Following";

    Number next = 0;
    std::int64_t next_time = 0; // ms: the time of that entry, also after its eviction
  };
  using State = std::variant<AwaitKeyframe, Following>;
  using Transitions = states::TransitionTable<states::Transition<AwaitKeyframe, Following>,
                                              states::Transition<Following, AwaitKeyframe>>;

  // `backlog`: the backlog at the client's arrival.
  ClientCursor(Framing framing, const Backlog &backlog)
      : framing_(framing), state_(AwaitKeyframe{backlog.end(), !backlog.last_join(), {}}) {}

  // Queues bytes before the next write, for example an HTTP response head or a control frame.
  void queue_bytes(Bytes bytes);

  // Sets `out` to the bytes to write next. An empty batch means that there is nothing to write.
  // The caller must report each write to on_written().
  void prepare_write(const Backlog &backlog, const CursorSettings &settings, WriteBatch &out);
  // The same for a client that is closed: the rest of a partial write, and queued bytes.
  void prepare_close(const Backlog &backlog, WriteBatch &out);
  // `size` bytes of the last batch were written. Aborts if that is more than 0 and the batch was
  // empty.
  void on_written(const Backlog &backlog, std::size_t size);

  [[nodiscard]] bool has_joined() const { return std::holds_alternative<Following>(state_); }
  // If the backlog has no keyframe, lets the client start at the next frame of any kind.
  void accept_any_frame(const Backlog &backlog);
  // Where the client started, or resumed after its last skip; nullopt: it has not started.
  [[nodiscard]] std::optional<StartPoint> start_point() const { return start_; }
  // Whether the client has received all of the backlog.
  [[nodiscard]] bool has_all(const Backlog &backlog) const;
  // Whether all queued bytes are written, and no entry is partly written.
  [[nodiscard]] bool is_flushed() const { return pending_.is_idle() && queued_.empty(); }
  [[nodiscard]] std::size_t queued_size() const { return queued_.size(); }
  // Whether the lag exceeds a limit, or the backlog has evicted the next entry.
  [[nodiscard]] bool is_lagging(const Backlog &backlog, const CursorSettings &settings) const;
  // The first entry that the cursor needs from the backlog.
  [[nodiscard]] Number position() const;

  void note_lag(const Backlog &backlog);
  [[nodiscard]] const Lag &lag() const { return lag_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t skips() const { return skips_; }

private:
  void set_state(State next) { states::change_state<Transitions>("ClientCursor", state_, next); }

  void join(const Backlog &backlog, const CursorSettings &settings);
  void resync(const Backlog &backlog, const CursorSettings &settings);
  void start_at(const Backlog &backlog, Number number, const CursorSettings &settings);
  [[nodiscard]] bool choose_header(const Backlog &backlog, Number number);
  void queue_header(const Entry &entry, const JoinHeaderPtr &before, bool announces_new_kind);
  void begin_write(const Backlog &backlog, const CursorSettings &settings);
  void select_entries(const Backlog &backlog, const CursorSettings &settings,
                      PendingWrite::Prepared &write) const;
  void fill_batch(const Backlog &backlog, WriteBatch &out);
  void finish_write(const Backlog &backlog);
  void retain_message(const Backlog &backlog, std::size_t written);
  void retain_tag(const Backlog &backlog, std::size_t written);
  void advance_to(Number number);
  void note_sent(const Entry &entry);
  [[nodiscard]] bool is_wanted(const Entry &entry) const;

  Framing framing_;
  State state_;
  PendingWrite pending_;
  std::size_t batch_size_ = 0; // bytes of the whole pending write
  std::vector<std::uint8_t> queued_;

  Rebaser rebaser_;
  JoinHeaderPtr header_;        // the last header that was sent, or whose start point was sent
  bool config_changed_ = false; // the client has received decoder configurations after `header_`
  std::optional<StartPoint> start_;
  // By kind: the client receives entries from this appearance on; 0: its header announces the kind.
  std::array<std::uint32_t, 3> first_appearance_{};

  std::uint64_t bytes_ = 0;
  std::uint64_t skips_ = 0;
  Lag lag_;
  std::uint64_t lag_count_ = 0;
};

} // namespace fanout
