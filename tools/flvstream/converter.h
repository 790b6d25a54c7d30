// SPDX-License-Identifier: LGPL-2.1-or-later
// Puts a converter to FLV behind the source, if the input is another container.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "common/container.h"
#include "options.h"

namespace flvstream {

// A file is identified before the pipeline starts. Other input is identified by its first bytes,
// which are held:
//
//   Undecided --+--> Flv
//               +--> Converting
//               +--> Refused
class Converter {
public:
  // All elements are borrowed; `source` is linked to `next`.
  Converter(const Options &options, GstElement *pipeline, GstElement *source, GstElement *next);
  Converter(const Converter &) = delete;
  Converter &operator=(const Converter &) = delete;
  ~Converter() = default;

  // Returns the reason if the options do not fit the input; empty: they do.
  [[nodiscard]] std::string decide(const tools::Container &container);
  // Decides at the first bytes.
  void watch();

  // What the first bytes look like. Valid after an error of another element.
  [[nodiscard]] const tools::Container &container() const { return container_; }
  // nullptr: nothing is converted.
  [[nodiscard]] GstElement *remuxer() const { return remuxer_; }
  // Whether `object` is the converter, or a part of it.
  [[nodiscard]] bool owns(GstObject *object) const;

private:
  enum class State { Undecided, Flv, Converting, Refused };

  static GstPadProbeReturn on_data(GstPad *pad, GstPadProbeInfo *info, gpointer self);

  void set_state(State state);
  [[nodiscard]] GstPadProbeReturn take(GstPadProbeInfo *info);
  // A new buffer.
  [[nodiscard]] GstBuffer *held_bytes() const;
  void decide_by_start();
  void send_short_input(GstPad *source);
  [[nodiscard]] std::string insert();

  const Options &options_;
  GstElement *pipeline_;
  GstElement *source_;
  GstElement *next_;
  std::atomic<GstElement *> remuxer_ = nullptr; // borrowed from the pipeline
  State state_ = State::Undecided;              // after watch(): used by the streaming thread
  std::vector<std::uint8_t> start_;             // the held bytes
  tools::Container container_;
};

// Whether the remux bin reads the container.
[[nodiscard]] bool is_converted(const tools::Container &container);

} // namespace flvstream
