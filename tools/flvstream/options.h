// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of flvstream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace flvstream {

struct Options {
  std::string input;  // a file, "-" for standard input, or an http URL
  std::string output; // a file; empty: standard output
  std::string host;   // empty: no network
  std::uint16_t port = 0;
  std::string path; // that HTTP clients ask for; empty: no HTTP
  bool udp = false;
  bool listen = false;
  std::uint32_t burst = 0;             // ms
  std::optional<std::uint64_t> offset; // bytes
  std::optional<std::uint64_t> start;  // ms
  std::string snap;                    // as flvseek has it; empty: what is usual
  std::string index = "metadata";
  double speed = 1.0;
  std::uint32_t mtu = 0; // bytes; 0: 1316 over UDP, else whole tags
  bool loop = false;
  bool quiet = false;
  bool json = false;
};

// What becomes of a command line.
struct Parsed {
  enum class Outcome {
    Run,
    Done,  // help or version: said all there is to say
    Wrong, // and `complaint` says what
  };
  Outcome outcome = Outcome::Run;
  Options options;
  std::string complaint;
};

// Clients come to it.
[[nodiscard]] bool is_server(const Options &options);
[[nodiscard]] bool is_url(const std::string &input);

[[nodiscard]] Parsed parse(int argc, char **argv);

// Seconds, m:ss or h:mm:ss, each with a fraction; in ms.
[[nodiscard]] std::optional<std::uint64_t> parse_time(const std::string &text);

} // namespace flvstream
