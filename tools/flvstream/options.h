// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of flvstream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "address.h"

namespace flvstream {

enum class Destination { Output, Udp, Tcp, TcpServer, HttpServer };

inline constexpr const char *kStandard = "-"; // standard input or output

struct Options {
  std::string input;              // a file, kStandard, or an http URL
  std::string output = kStandard; // a file or a device
  bool output_named = false;
  Destination destination = Destination::Output;
  Address address;                     // of every other destination
  std::string path;                    // that HTTP clients ask for, escaped as in a URL
  std::uint32_t burst = 0;             // ms
  std::optional<std::uint64_t> offset; // bytes
  std::optional<std::uint64_t> start;  // ms
  std::string snap = "next";           // as flvseek has it
  bool snap_named = false;             // and no other one will do
  std::string index = "auto";
  bool pace = true;
  double speed = 1.0;
  std::optional<std::uint32_t> max_gap; // ms; none: the default of flvpace
  std::uint32_t mtu = 0;                // bytes; 0: 1316 over UDP, else whole tags
  bool loop = false;
  bool quiet = false;
  bool json = false;
};

// The result of a command line.
struct Parsed {
  enum class Outcome {
    Run,
    Done,  // the version was printed
    Wrong, // `complaint` says what
  };
  Outcome outcome = Outcome::Run;
  Options options;
  std::string complaint;
};

// Clients connect to it.
[[nodiscard]] bool is_server(const Options &options);
[[nodiscard]] bool is_standard_output(const Options &options);

[[nodiscard]] Parsed parse(int argc, char **argv);

} // namespace flvstream
