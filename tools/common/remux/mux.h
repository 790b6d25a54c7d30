// SPDX-License-Identifier: LGPL-2.1-or-later
// Takes elementary streams on its sink pads, and sends the bytes of a container.
#pragma once

#include <condition_variable>
#include <mutex>
#include <variant>
#include <vector>

#include "base/gst_ptr.h"
#include "host.h"
#include "interleaver.h"
#include "remux.h"
#include "start_gate.h"
#include "states/transition.h"
#include "track_input.h"
#include "writer.h"

namespace remux {

//                 +-------------(the seek flushed, or failed)------------+
//                 v                                                       |
//    Collecting --+--(tracks are known, and the start is not reached)--> Seeking
//        |
//        +--(tracks are known)--> Flowing --(all tracks ended)--> Ended
//
// A flushing seek leads from each state to Collecting.
class Mux final : public Body {
public:
  // The packets wait until the tracks are known.
  struct Collecting {
    static constexpr const char *kName = "Collecting";
    // The start is looked for by a seek first. If the demuxer lands behind it, the source is read
    // from its beginning.
    enum class Position { Unknown, Start, Beginning };
    Position position = Position::Unknown;
  };
  // Another thread sends the seek.
  struct Seeking {
    static constexpr const char *kName = "Seeking";
  };
  struct Flowing {
    static constexpr const char *kName = "Flowing";
    std::unique_ptr<Writer> writer;
    StartGate gate;
    std::optional<std::int64_t> base;               // ns of running time: 0 in the output
    std::int64_t last = 0;                          // ns: the time of the last bytes
    std::vector<std::optional<std::size_t>> tracks; // of each input: the writer's track
  };
  struct Ended {
    static constexpr const char *kName = "Ended";
  };
  using State = std::variant<Collecting, Seeking, Flowing, Ended>;
  using Transitions = states::TransitionTable<
      states::Transition<Collecting, Seeking>, states::Transition<Collecting, Flowing>,
      states::Transition<Collecting, Ended>, states::Transition<Seeking, Collecting>,
      states::Transition<Flowing, Ended>, states::Transition<Flowing, Collecting>,
      states::Transition<Ended, Collecting>, states::Transition<Collecting, Collecting>>;

  // `element` is borrowed. Adds its src pad. `fail` posts an error.
  Mux(GstElement *element, const Options &options, Complaint fail);

  void stop() override;

  // A new sink pad, borrowed. The demuxer's thread calls this.
  [[nodiscard]] GstPad *add_input(TrackInput::Times times, std::int64_t shift);
  // ns; for queries. Called before the first input.
  void set_duration(std::int64_t duration) { duration_ = duration; }
  // The demuxer does not find positions. Called before the first input.
  void disable_seeks() { can_seek_ = false; }
  // The demuxer has added its pads. The demuxer's thread calls this.
  void set_complete();
  [[nodiscard]] bool has_inputs() const { return !inputs_.empty(); }

private:
  struct Input {
    GstPad *pad; // borrowed from the element
    TrackInput track;
    bool ended = false;
  };

  static GstFlowReturn on_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer) noexcept;
  static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event) noexcept;
  static gboolean on_query(GstPad *pad, GstObject *parent, GstQuery *query) noexcept;
  static gboolean on_source_event(GstPad *pad, GstObject *parent, GstEvent *event) noexcept;
  static gboolean on_source_query(GstPad *pad, GstObject *parent, GstQuery *query) noexcept;
  static void send_seek(GstElement *element, gpointer self);

  void set_state(State next);
  [[nodiscard]] std::size_t index_of(GstPad *pad) const;
  [[nodiscard]] GstFlowReturn take(std::size_t index, gstflv::BufferPtr buffer);
  [[nodiscard]] bool take_caps(std::size_t index, GstCaps *caps);
  void take_gap(std::size_t index, GstEvent *gap);
  void take_end(std::size_t index);
  void begin_flush(GstEvent *event);
  void end_flush(GstEvent *event);
  // Whether what comes before the end of the flush is dropped.
  [[nodiscard]] bool is_flushing();
  void push_packets(std::vector<Packet> packets);
  [[nodiscard]] bool is_ready() const;
  [[nodiscard]] GstFlowReturn process();
  [[nodiscard]] bool is_at_start(Collecting collecting);
  [[nodiscard]] bool seek(std::int64_t target, Collecting::Position position);
  // The track that decides about the start: video, or else audio.
  [[nodiscard]] const TrackInput *leading_track() const;
  [[nodiscard]] GstFlowReturn begin();
  [[nodiscard]] GstFlowReturn send(Flowing &flowing);
  [[nodiscard]] GstFlowReturn write(Flowing &flowing, const Packet &packet, bool is_last = false);
  [[nodiscard]] std::optional<std::size_t> writer_track(Flowing &flowing, std::size_t index,
                                                        Output &out);
  [[nodiscard]] GstFlowReturn end();
  [[nodiscard]] GstFlowReturn push(const Output &bytes, std::int64_t time, guint flags);
  void send_start(const std::vector<Track> &tracks, const Output &header);
  void post_start(const Packet &first, bool is_last);
  [[nodiscard]] std::optional<std::int64_t> rest_duration() const;

  GstElement *element_;
  GstPad *source_;
  Options options_;
  Complaint fail_;

  std::mutex streaming_;                       // held by the streaming thread, also while it pushes
  std::vector<std::unique_ptr<Input>> inputs_; // guarded by streaming_, as all below
  bool complete_ = false;
  bool can_seek_ = true;
  std::optional<std::int64_t> duration_; // ns; nullopt: the demuxer knows it
  State state_ = Collecting{};
  Interleaver interleaver_;
  // ns: the position of the first picture, or without video of the first sound.
  std::optional<std::int64_t> origin_;
  Collecting::Position after_flush_ = Collecting::Position::Beginning;
  std::int64_t seek_target_ = 0; // ns; read by the thread that seeks
  guint32 flush_seqnum_ = GST_SEQNUM_INVALID;

  // What ends the wait for a seek.
  enum class Wait { None, Seeking, Failed, Flushing, Stopped };
  std::mutex wait_mutex_;
  std::condition_variable wait_changed_;
  Wait wait_ = Wait::None; // guarded by wait_mutex_
  unsigned seeks_ = 0;     // guarded by wait_mutex_: the number of the last seek
};

} // namespace remux
