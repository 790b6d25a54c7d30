// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plan.h"

#include <getopt.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace load {

namespace {

constexpr const char *kHelp =
    R"(Usage: load [OPTION…] HOST:PORT

Many clients of an FLV stream in one process. What they read goes to one buffer; of the stream they
follow the tag headers.

  --transport=tcp|http|ws  raw bytes, the body of a GET, or the messages of a WebSocket (http)
  --path=/PATH             that is asked for (/)
  --paths=FILE             has one path a line; each client takes the next one, and after the last
                           one the first one again
  --clients=N              (1)
  --stalled=K              of them that take nothing behind the response head; their receive
                           buffers are small (0)
  --ramp=MS                the connects are spread over this time (0)
  --settle=MS              from the last connect to the measured time (1000)
  --seconds=S              that are measured (10)
  --help                   this

Prints two lines of JSON: how many are connected when the measured time begins, and at its end the
figures, from the first connect on. Stalled clients count only where they are named.

Figures
  clients, connected  that were asked for; whose request was accepted
  refused             who got another status than 200 or 101, none, or no connection
  closed              by the server, before the end
  stalled_closed      of the stalled ones
  without_byte        connected, but not a byte of the stream came
  bytes, tags         of the stream
  mbit_per_client     in the measured time
  gap_ms              the longest time a client was without bytes after its first one
  first_byte_ms       from the request (tcp: from the connect) to the stream's first byte
  key_frame_ms        … to the first key frame's first bytes; without_key_frame: who saw none
  errors              tags that are no tags, or that the size behind them contradicts; frames that
                      are none, or are masked; messages that begin inside a tag
  least_lead_ms       the least time by which the media that a client had was longer than the time
                      since its first byte, in the measured time: how near its player came to a
                      pause (null: no client got a byte of a stream of tags then)
  first_timestamp     of the first frame, in ms: how many start at 0, the lowest, the highest
  cpu_percent         of a core, that this program took in the measured time
  round_ms            the longest time that it was busy between two looks at its clients

Exit status: 0 somebody connected, 1 nobody or a failure, 2 wrong usage.
)";

enum Key { TransportKey = 1, Path, Paths, Clients, Stalled, Ramp, Settle, Seconds, Help };

constexpr std::array<option, 10> kOptions = {{
    {"transport", required_argument, nullptr, TransportKey},
    {"path", required_argument, nullptr, Path},
    {"paths", required_argument, nullptr, Paths},
    {"clients", required_argument, nullptr, Clients},
    {"stalled", required_argument, nullptr, Stalled},
    {"ramp", required_argument, nullptr, Ramp},
    {"settle", required_argument, nullptr, Settle},
    {"seconds", required_argument, nullptr, Seconds},
    {"help", no_argument, nullptr, Help},
    {nullptr, 0, nullptr, 0},
}};

bool read(const char *text, double &value) {
  char *end = nullptr;
  value = std::strtod(text, &end);
  return end != text && *end == '\0' && std::isfinite(value) && value >= 0;
}

bool read(const char *text, std::size_t &value) {
  constexpr unsigned long kMost = 1'000'000;
  char *end = nullptr;
  value = std::strtoul(text, &end, 10);
  return end != text && *end == '\0' && *text != '-' && value <= kMost;
}

bool read(const char *text, Transport &transport) {
  constexpr std::array kNames = {"tcp", "http", "ws"}; // in the order of the enumeration
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (std::strcmp(text, kNames[i]) == 0) {
      transport = static_cast<Transport>(i);
      return true;
    }
  }
  return false;
}

bool take(int key, const char *value, Plan &plan) {
  switch (key) {
  case TransportKey:
    return read(value, plan.transport);
  case Path:
    plan.paths = {value};
    return plan.paths.front().starts_with('/');
  case Paths:
    return read_paths(value, plan.paths);
  case Clients:
    return read(value, plan.clients) && plan.clients > 0;
  case Stalled:
    return read(value, plan.stalled);
  case Ramp:
    return read(value, plan.ramp_ms);
  case Settle:
    return read(value, plan.settle_ms);
  case Seconds:
    return read(value, plan.seconds) && plan.seconds > 0;
  default:
    return false;
  }
}

bool read_address(const std::string &text, Plan &plan) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return false;
  plan.host = text.substr(0, colon);
  plan.port = text.substr(colon + 1);
  if (plan.host.size() > 2 && plan.host.front() == '[' && plan.host.back() == ']')
    plan.host = plan.host.substr(1, plan.host.size() - 2);
  return !plan.port.empty();
}

} // namespace

bool read_paths(const char *name, std::vector<std::string> &paths) {
  std::ifstream file(name);
  paths.clear();
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('/'))
      return false;
    paths.push_back(line);
  }
  return !paths.empty();
}

std::optional<int> parse(int argc, char **argv, Plan &plan) {
  constexpr int kWrongUsage = 2;
  int index = 0;
  for (int key = 0; (key = getopt_long(argc, argv, "", kOptions.data(), &index)) != -1;) {
    if (key == Help) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    if (key == '?') // getopt has printed the error
      return kWrongUsage;
    if (!take(key, optarg, plan)) {
      std::fprintf(stderr, "load: --%s: \"%s\" is not what it takes; see --help\n",
                   kOptions[static_cast<std::size_t>(index)].name, optarg);
      return kWrongUsage;
    }
  }
  if (optind + 1 != argc || !read_address(argv[optind], plan)) {
    std::fputs("load: one HOST:PORT is wanted; see --help\n", stderr);
    return kWrongUsage;
  }
  if (plan.stalled > plan.clients) {
    std::fputs("load: more are to stall than there are clients\n", stderr);
    return kWrongUsage;
  }
  return std::nullopt;
}

} // namespace load
