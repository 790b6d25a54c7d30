// SPDX-License-Identifier: LGPL-2.1-or-later
#include "options.h"

#include <getopt.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace bench {

namespace {

constexpr const char *kHelp =
    R"(Usage: arrival [OPTION…] <STREAM

Measures how an FLV stream arrives: every tag is stamped with the monotonic clock when its last byte
is here, and held against its own timestamp.

Where from (default: stdin)
  --tcp=HOST:PORT         connect, and try again until somebody listens
  --udp=PORT              bind; the datagrams hold consecutive bytes of the stream
  --connect-timeout=S     give up connecting after this long (10)

When to stop (else at the end of the stream, or with Ctrl-C)
  --duration=S            this long after the first byte
  --idle-timeout=S        when nothing comes for this long; UDP has no other end

What to show
  --json[=FILE]           the figures as JSON, on stdout or in a file
  --plot                  media time over wall time, in the terminal
  --svg=FILE              the same as a picture
  --output=FILE           the bytes as they came
  --quiet                 no figures for people
  --help                  this

Figures
  lead      media received less wall time since the first tag, as tags arrive. At the start: the
            media received within 50 ms. Minimum and median: after that.
  burst     the lead when those 50 ms are over.
  lateness  of the tags after the burst against the line "wall = media - lead" that 1 % of them
            undercut, which is the schedule as seen from here. A tag that steps back in time is due
            with the highest one before it. Script tags and configurations are not timed.
  drift     slope of lateness over media (Theil-Sen); positive: slower than real time.

Exit status: 0 tags came, 1 none or a failure, 2 wrong usage.
)";

enum Key { Tcp = 1, Udp, Connect, Duration, Idle, Json, Svg, Output, Plot, Quiet, Help };

constexpr std::array<option, 12> kOptions = {{
    {"tcp", required_argument, nullptr, Tcp},
    {"udp", required_argument, nullptr, Udp},
    {"connect-timeout", required_argument, nullptr, Connect},
    {"duration", required_argument, nullptr, Duration},
    {"idle-timeout", required_argument, nullptr, Idle},
    {"json", optional_argument, nullptr, Json},
    {"svg", required_argument, nullptr, Svg},
    {"output", required_argument, nullptr, Output},
    {"plot", no_argument, nullptr, Plot},
    {"quiet", no_argument, nullptr, Quiet},
    {"help", no_argument, nullptr, Help},
    {nullptr, 0, nullptr, 0},
}};

bool read_seconds(const char *text, double &seconds) {
  char *end = nullptr;
  seconds = std::strtod(text, &end);
  return end != text && *end == '\0' && std::isfinite(seconds) && seconds >= 0;
}

bool read_seconds(const char *text, std::optional<double> &seconds) {
  return read_seconds(text, seconds.emplace());
}

bool is_port(const std::string &text) {
  char *end = nullptr;
  const long port = std::strtol(text.c_str(), &end, 10);
  return !text.empty() && *end == '\0' && port > 0 && port <= 65535;
}

// "host:port", "[::1]:port", or ":port" for the local machine.
bool read_address(const std::string &text, Options &options) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos)
    return false;
  options.host = text.substr(0, colon);
  options.port = text.substr(colon + 1);
  if (options.host.size() > 2 && options.host.front() == '[' && options.host.back() == ']')
    options.host = options.host.substr(1, options.host.size() - 2);
  return is_port(options.port);
}

bool take(int key, const char *value, Options &options) {
  switch (key) {
  case Tcp:
    options.source = Options::Source::Tcp;
    return read_address(value, options);
  case Udp:
    options.source = Options::Source::Udp;
    options.port = value;
    return is_port(options.port);
  case Connect:
    return read_seconds(value, options.connect_seconds);
  case Duration:
    return read_seconds(value, options.duration_seconds);
  case Idle:
    return read_seconds(value, options.idle_seconds);
  case Json:
    options.json = true;
    options.json_file = value ? value : "";
    return true;
  case Svg:
    options.svg_file = value;
    return true;
  case Output:
    options.output_file = value;
    return true;
  case Plot:
    options.plot = true;
    return true;
  case Quiet:
    options.quiet = true;
    return true;
  default:
    return false;
  }
}

} // namespace

std::optional<int> parse(int argc, char **argv, Options &options) {
  constexpr int kWrongUsage = 2;
  int index = 0;
  for (int key = 0; (key = getopt_long(argc, argv, "", kOptions.data(), &index)) != -1;) {
    if (key == Help) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (key == '?') // getopt has printed the error
      return kWrongUsage;
    if (!take(key, optarg, options)) {
      std::fprintf(stderr, "arrival: --%s: \"%s\" is not what it takes; see --help\n",
                   kOptions[static_cast<std::size_t>(index)].name, optarg);
      return kWrongUsage;
    }
  }
  if (optind < argc) {
    std::fprintf(stderr, "arrival: \"%s\": no argument was expected; see --help\n", argv[optind]);
    return kWrongUsage;
  }
  return std::nullopt;
}

} // namespace bench
