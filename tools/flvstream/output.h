// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens OUTPUT when the first bytes are sent, so that a start that fails changes no file.
#pragma once

#include <atomic>
#include <string>

#include "base/gst_ptr.h"

namespace flvstream {

// Why it cannot be written, as far as that is known without opening it for good. Empty: nothing
// is known against it. Neither the file nor its times change.
[[nodiscard]] std::string output_complaint(const std::string &name);

// A file descriptor that is closed with its owner.
class Descriptor {
public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { static_cast<void>(close()); }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  [[nodiscard]] int number() const { return number_; }
  void reset(int number);
  // The errno of the last write-back; 0: none.
  [[nodiscard]] int close();

private:
  int number_;
};

//   Waiting -> Opening -> Open
//                      -> Failed
class Output {
public:
  enum class State { Waiting, FileProbe, Open, Failed };

  // `sink` is an fdsink, borrowed, and must be gone before the Output.
  Output(GstElement *sink, std::string name);
  Output(const Output &) = delete;
  Output &operator=(const Output &) = delete;
  ~Output() = default;

  [[nodiscard]] State state() const { return state_; }
  // Afterwards, when nothing is written any more. Returns the reason of a failure.
  [[nodiscard]] std::string close();

private:
  static GstPadProbeReturn on_bytes(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  void set_state(State state);
  void open();

  GstElement *sink_;
  std::string name_;
  Descriptor placeholder_; // that the sink has until the first bytes come
  Descriptor file_;
  std::atomic<State> state_ = State::Waiting;
};

} // namespace flvstream
