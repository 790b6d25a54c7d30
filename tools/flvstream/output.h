// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens OUTPUT when the first bytes are sent, so that a failed start does not change the file.
#pragma once

#include <atomic>
#include <string>

#include "base/gst_ptr.h"

namespace flvstream {

// The reason why OUTPUT cannot be written; empty: none was found. The check does not open OUTPUT,
// and changes neither the file nor its times.
[[nodiscard]] std::string output_complaint(const std::string &name);

// Owns a file descriptor, and closes it in the destructor.
class Descriptor {
public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { static_cast<void>(close()); }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  [[nodiscard]] int number() const { return number_; }
  void reset(int number);
  // Returns the errno of the last write-back; 0: no error.
  [[nodiscard]] int close();

private:
  int number_;
};

//   Waiting -> Opening -> Open
//                        -> Failed
class Output {
public:
  enum class State { Waiting, Opening, Open, Failed };

  // `sink` is an fdsink. It is borrowed, and must be destroyed before the Output.
  Output(GstElement *sink, std::string name);
  Output(const Output &) = delete;
  Output &operator=(const Output &) = delete;
  ~Output() = default;

  [[nodiscard]] State state() const { return state_; }
  // Called after the last write. Returns the reason of a failure; empty: there is no failure.
  [[nodiscard]] std::string close();

private:
  static GstPadProbeReturn on_bytes(GstPad *pad, GstPadProbeInfo *info, gpointer self);
  void set_state(State state);
  void open();

  GstElement *sink_;
  std::string name_;
  Descriptor placeholder_; // used by the sink before the first bytes
  Descriptor file_;
  std::atomic<State> state_ = State::Waiting;
};

} // namespace flvstream
