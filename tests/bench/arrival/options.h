// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

namespace bench {

struct Options {
  enum class Source { Stdin, Tcp, Udp };
  Source source = Source::Stdin;
  std::string host;
  std::string port;
  double connect_seconds = 10;
  std::optional<double> duration_seconds; // from the first byte
  std::optional<double> idle_seconds;

  bool json = false;
  std::string json_file; // empty: to stdout
  std::string svg_file;
  std::string output_file;
  bool plot = false;
  bool quiet = false;
};

// Reads the command line. If it returns a value, that is the exit status, and all messages are
// printed.
[[nodiscard]] std::optional<int> parse(int argc, char **argv, Options &options);

} // namespace bench
