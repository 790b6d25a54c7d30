// SPDX-License-Identifier: LGPL-2.1-or-later
// One client's way through the history: where it is, and the few bytes that are its own.
#pragma once

#include <array>
#include <limits>
#include <optional>
#include <span>

#include <sys/uio.h>

#include "backlog.h"
#include "flv/format/tag.h"
#include "websocket.h"

namespace fanout {

enum class Join : std::uint8_t {
  LatestKeyFrame, // the latest key frame already sent
  Burst,          // as many back as it takes for so many ms
  NextKeyFrame,
};

enum class Framing : std::uint8_t {
  Plain,
  WebSocket, // binary messages of whole tags
};

struct CursorSettings {
  Join join = Join::LatestKeyFrame;
  std::int64_t burst = 0;             // ms
  bool rebase = true;                 // FLV: the viewer's timeline starts at 0; as it joins
  std::int64_t max_lag = 0;           // ms; 0: any
  std::uint64_t max_lag_bytes = 0;    // 0: any
  std::size_t max_message = 32 << 10; // bytes: a WebSocket message gets no further tag behind that
};

// What is to be written next, in one go. It points into the history, into the viewer and into
// itself, so it is good until one of them changes.
class WriteBatch {
public:
  static constexpr std::size_t kMaxTags = 256;

  void clear();
  void add(Bytes bytes);
  // An FLV tag with another timestamp.
  void add_tag(Bytes tag, std::uint32_t timestamp);
  // Leaves out the first `count` bytes.
  void skip(std::size_t count);

  [[nodiscard]] std::span<iovec> parts() { return {parts_.data() + first_, count_ - first_}; }
  [[nodiscard]] std::size_t size() const { return size_; }

private:
  std::array<iovec, 2 * kMaxTags + 2> parts_{};
  std::array<std::array<std::uint8_t, flv::kTagHeaderSize>, kMaxTags> headers_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t tags_ = 0;
  std::size_t size_ = 0;
};

struct Lag {
  std::int64_t now = 0; // ms, as are the others
  std::int64_t least = 0;
  std::int64_t most = 0;
  double average = 0;
};

class ClientCursor {
public:
  // `history` is what there is at its arrival.
  ClientCursor(Framing framing, const Backlog &backlog)
      : framing_(framing), early_(!backlog.last_join()), arrival_(backlog.end()) {}

  // Puts bytes in front of what comes next, such as an HTTP response's head, or a control frame.
  void queue_bytes(Bytes bytes);

  // What to write next; nothing is left out and nothing comes twice, as long as sent() is told of
  // all that was. Empty: there is nothing yet.
  void prepare_write(const Backlog &backlog, const CursorSettings &settings, WriteBatch &out);
  // The same for one who leaves: what was begun is ended, and what was said is told.
  void prepare_close(const Backlog &backlog, WriteBatch &out);
  // So many bytes of what was gathered last were written.
  void on_written(const Backlog &backlog, std::size_t size);

  [[nodiscard]] bool has_joined() const { return joined_; }
  // Where no key frame is left, it starts at the next frame of any kind.
  void accept_any_frame(const Backlog &backlog);
  // What it started at, or went on at, last; nullopt: it has not started.
  [[nodiscard]] std::optional<StartPoint> start_point() const { return start_; }
  // Whether all of the history was sent.
  [[nodiscard]] bool has_all(const Backlog &backlog) const;
  // Whether all that was said is told, and nothing is half sent.
  [[nodiscard]] bool is_flushed() const { return !has_piece_ && queued_.empty(); }
  // Bytes that were said and wait.
  [[nodiscard]] std::size_t queued_size() const { return queued_.size(); }
  // Whether it is so far behind that it has to leave something out.
  [[nodiscard]] bool is_lagging(const Backlog &backlog, const CursorSettings &settings) const;
  // The first entry that it still wants from the history, once it has joined.
  [[nodiscard]] Backlog::Number position() const { return held_.empty() ? position_ : piece_end_; }

  void note_lag(const Backlog &backlog);
  [[nodiscard]] const Lag &lag() const { return lag_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t skips() const { return skips_; }

private:
  // ms: so far behind the last tag of before, a timeline that skips goes on.
  static constexpr std::int64_t kStep = 1;

  void join(const Backlog &backlog, const CursorSettings &settings);
  [[nodiscard]] std::optional<Backlog::Number> place_to_join(const Backlog &backlog,
                                                             const CursorSettings &settings) const;
  void resume_at(const Backlog &backlog, Backlog::Number number, const CursorSettings &settings);
  [[nodiscard]] bool choose_head(const Backlog &backlog, Backlog::Number number);
  void resync(const Backlog &backlog, const CursorSettings &settings);
  void begin_piece(const Backlog &backlog, const CursorSettings &settings);
  void take_entries(const Backlog &backlog, const CursorSettings &settings);
  void gather_piece(const Backlog &backlog, WriteBatch &out);
  void end_piece(const Backlog &backlog);
  void discard_unstarted();
  void retain_entries(const Backlog &backlog);
  void consume_written(const Backlog &backlog);
  void pass(const Entry &entry);
  template <typename Visit> void each_entry(const Backlog &backlog, Visit visit) const;
  [[nodiscard]] bool is_wanted(const Entry &entry) const;
  [[nodiscard]] std::int64_t time_for(const Entry &entry) const;
  [[nodiscard]] std::uint32_t timestamp_for(const Entry &entry) const;
  void add(const Entry &entry, WriteBatch &out) const;

  Framing framing_;
  bool early_; // it waits for the stream's first key frame
  bool joined_ = false;
  bool lost_ = false;    // it goes on at the next key frame
  bool changed_ = false; // it was sent other configurations than its head's
  bool rebase_ = false;
  bool has_piece_ = false;
  std::optional<StartPoint> start_;
  std::optional<Backlog::Number> any_frame_from_;
  // By kind: frames of earlier appearances are left out; 0: it was told of the kind.
  std::array<std::uint32_t, 3> told_from_{};
  Backlog::Number arrival_;
  Backlog::Number position_ = 0;
  JoinHeaderPtr head_; // what it has

  // Its timeline.
  std::int64_t base_ = 0;                                         // the time at its 0
  std::int64_t floor_ = std::numeric_limits<std::int64_t>::min(); // earlier media is left out
  std::int64_t last_ = -kStep;                                    // the highest that it was sent
  std::int64_t shown_ = -kStep;                                   // when the last picture is

  std::vector<std::uint8_t> queued_; // for the next piece

  // A piece is written to its end once it was begun: bytes of its own, a WebSocket message's
  // header, and the entries up to `piece_end_`.
  std::vector<std::uint8_t> front_;
  std::vector<std::uint8_t> message_;
  Backlog::Number piece_end_ = 0;
  std::vector<Entry> held_; // its entries once it was begun, for the history may forget them
  std::size_t piece_size_ = 0;
  std::size_t sent_ = 0; // bytes of it

  std::uint64_t bytes_ = 0;
  std::uint64_t skips_ = 0;
  std::int64_t next_time_ = 0; // of what it wants next, which the history may forget
  Lag lag_;
  std::uint64_t lag_count_ = 0;
};

} // namespace fanout
