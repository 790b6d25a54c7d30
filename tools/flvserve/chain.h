// SPDX-License-Identifier: LGPL-2.1-or-later
// The elements of a mount before its sink: the source, and what makes the stream of the mount's
// container out of it. They can be replaced while the sink keeps its clients' path.
//
//   Closed -> Identifying -> Linked -> Closed
//                        \-> Failed -> Closed
#pragma once

#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "source.h"
#include "states/transition.h"
#include "tap.h"

namespace flvserve {

// Messages that a chain posts on the bus of its pipeline.
inline constexpr const char *kFailed = "flvserve-failed"; // with the string `text`
inline constexpr const char *kRound = "flvserve-round";   // a file that is repeated has ended

class Chain {
public:
  struct Closed {
    static constexpr const char *kName = "Closed";
  };
  // The first bytes of the stream are collected until they identify its container.
  struct Identifying {
    static constexpr const char *kName = "Identifying";
    gstflv::BufferPtr start;
  };
  struct Linked {
    static constexpr const char *kName = "Linked";
  };
  struct Failed {
    static constexpr const char *kName = "Failed";
  };
  using State = std::variant<Closed, Identifying, Linked, Failed>;
  using Transitions = states::TransitionTable<
      states::Transition<Closed, Identifying>, states::Transition<Closed, Linked>,
      states::Transition<Closed, Failed>, states::Transition<Identifying, Linked>,
      states::Transition<Identifying, Failed>, states::Transition<Identifying, Closed>,
      states::Transition<Linked, Closed>, states::Transition<Linked, Failed>,
      states::Transition<Failed, Closed>>;

  // `pipeline` and `sink` are borrowed. `tap`: the stream of the mount in `from`.
  Chain(GstElement *pipeline, GstElement *sink, MountSettings mount, std::shared_ptr<Tap> tap);
  ~Chain();
  Chain(const Chain &) = delete;
  Chain &operator=(const Chain &) = delete;

  // Creates and links the elements. A failure is posted as kFailed.
  void open();
  // Stops the elements and removes them. Waits for their threads.
  void close();
  // Reads the file again, after kRound.
  void begin_round();
  // A larger burst leaves at once.
  void set_burst(guint burst);

  [[nodiscard]] Source::Kind kind() const { return source_.kind; }
  // Whether the source has no end that is known from the start. Valid when the stream flows.
  [[nodiscard]] bool is_live() const;

private:
  // What the source delivers.
  struct Input {
    std::optional<remux::Format> format;
    bool is_live = false;
    bool is_muxed = false; // from a muxer or another mount, with start points
  };

  static GstPadProbeReturn on_start(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  static GstPadProbeReturn on_file_end(GstPad *pad, GstPadProbeInfo *info, gpointer self);

  void set_state(State state);
  void post(const char *name, const std::string &text = {}) const;
  void fail(const std::string &text);
  void open_file();
  void open_stream();
  [[nodiscard]] GstPadProbeReturn take_start(GstPad *pad, GstPadProbeInfo *info);
  [[nodiscard]] GstPadProbeReturn take_buffer(GstPad *pad, GstPadProbeInfo *info);
  [[nodiscard]] bool take_content(GstPad *pad, const Content &content, bool is_muxed);
  [[nodiscard]] bool is_live_source(GstPad *pad) const;

  // Each adds elements, and returns false after a failure, which is posted.
  [[nodiscard]] bool add_source();
  [[nodiscard]] bool add_tap_reader();
  [[nodiscard]] bool convert(const Input &input);
  [[nodiscard]] bool convert_by_pace(const Input &input);
  [[nodiscard]] bool add(const char *factory);
  [[nodiscard]] bool add(GstElement *element);
  [[nodiscard]] bool add_remux(remux::Format format, bool live);
  [[nodiscard]] bool add_pace(bool live);
  [[nodiscard]] bool link_sink(bool is_synchronized);
  void watch_file_end();
  void start_elements(std::size_t first);

  GstElement *pipeline_;
  GstElement *sink_;
  const MountSettings mount_;
  std::shared_ptr<Tap> tap_;
  Source source_; // `element` is empty from open() on
  // A streaming thread continues the chain when it has identified the stream.
  mutable std::mutex mutex_;
  State state_ = Closed{};             // guarded by mutex_, as are the following members
  std::vector<GstElement *> elements_; // borrowed from the pipeline, from the source on
  std::size_t round_ = 0;              // the first of elements_, which each round replaces
  GstElement *pace_ = nullptr;         // flvpace
  GstElement *seek_ = nullptr;         // flvseek
  gstflv::PadPtr tapped_;              // the pad that reads from the tap
  bool live_ = false;
};

} // namespace flvserve
