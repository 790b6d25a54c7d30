// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of flvstream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/address.h"

namespace flvstream {

enum class Destination { Output, Udp, Tcp, TcpServer, HttpServer };

inline constexpr const char *kStandard = "-"; // standard input or output

struct Options {
  std::string input;              // a file, kStandard, or an http URL
  std::string output = kStandard; // a file or a device
  bool output_named = false;
  Destination destination = Destination::Output;
  tools::Address address;              // of all destinations except Output
  std::string path;                    // of the HTTP server's stream, escaped as in a URL
  std::uint32_t burst = 0;             // ms
  std::optional<std::uint64_t> offset; // bytes
  std::optional<std::uint64_t> start;  // ms
  std::string snap = "next";           // as in flvseek
  bool snap_named = false;             // --snap is present, so no other value is tried
  std::string index = "auto";
  bool index_named = false; // --index is present
  bool pace = true;
  double speed = 1.0;
  std::optional<std::uint32_t> max_gap; // ms; nullopt: the default of flvpace
  std::uint32_t mtu = 0;                // bytes; 0: 1316 over UDP, else whole tags
  bool loop = false;
  bool quiet = false;
  bool json = false;
};

// The result of parsing a command line.
struct Parsed {
  enum class Outcome {
    Run,
    Done,  // the version was printed
    Wrong, // `complaint` has the error
  };
  Outcome outcome = Outcome::Run;
  Options options;
  std::string complaint;
};

// Whether flvstream waits for clients that connect.
[[nodiscard]] bool is_server(const Options &options);
[[nodiscard]] bool is_standard_output(const Options &options);

[[nodiscard]] Parsed parse(int argc, char **argv);

} // namespace flvstream
