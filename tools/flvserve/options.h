// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of flvserve.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "configuration.h"

namespace flvserve {

struct Options {
  std::string config;                                // a file; empty: `source` is set
  std::string source;                                // FILE, URL, - or DIRECTORY
  std::optional<std::vector<tools::Address>> listen; // replaces `listen` of the configuration
  bool loop = false;
};

// The result of parsing a command line.
struct Parsed {
  enum class Outcome : std::uint8_t {
    Serve,
    Check, // --check-config
    Print, // --print-config
    Done,  // the version was printed
    Wrong, // `complaint` has the error
  };
  Outcome outcome = Outcome::Serve;
  Options options;
  std::string complaint;
};

[[nodiscard]] Parsed parse(int argc, char **argv);

// The configuration that the options amount to. Needs gst_init().
[[nodiscard]] Loaded configuration_of(const Options &options);

// "/movie.mkv" for "films/movie.mkv", escaped as in a URL. Extensions without a container that can
// be streamed become ".flv". "/live.flv" for a source without a name.
[[nodiscard]] std::string default_path(const std::string &source);

} // namespace flvserve
