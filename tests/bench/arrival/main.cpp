// SPDX-License-Identifier: LGPL-2.1-or-later
// arrival: measures how an FLV stream arrives. See --help.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "input.h"
#include "plot.h"
#include "report.h"

namespace {

using namespace bench;

struct Close {
  void operator()(std::FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

bool complain(const std::string &what, const char *why) {
  std::fprintf(stderr, "arrival: %s: %s\n", what.c_str(), why);
  return false;
}

bool write_file(const std::string &name, const std::string &text) {
  const File file(std::fopen(name.c_str(), "w"));
  if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0)
    return complain(name, std::strerror(errno));
  return true;
}

Nanoseconds after(Nanoseconds begin, double seconds) {
  return begin + static_cast<Nanoseconds>(seconds * 1e9);
}

std::optional<Nanoseconds> earlier(std::optional<Nanoseconds> a, std::optional<Nanoseconds> b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

// Reads until the end of the stream, the end of the duration, or an interrupt.
bool receive(const Options &options, Input &input, Meter &meter, std::FILE *copy) {
  std::optional<Nanoseconds> end;
  for (;;) {
    std::optional<Nanoseconds> idle;
    if (options.idle_seconds)
      idle = after(monotonic_now(), *options.idle_seconds);
    const Input::Event event = input.next(earlier(end, idle));
    if (event == Input::Event::Failed)
      return false;
    if (event != Input::Event::Bytes || (end && input.arrived() > *end))
      return true;
    if (!end && options.duration_seconds)
      end = after(input.arrived(), *options.duration_seconds);
    meter.feed(input.bytes(), input.arrived());
    if (copy)
      std::fwrite(input.bytes().data(), 1, input.bytes().size(), copy);
  }
}

bool show(const Options &options, const Report &report) {
  const bool json_on_stdout = options.json && options.json_file.empty();
  std::FILE *people = json_on_stdout ? stderr : stdout;
  const auto &points = report.meter.points();
  if (options.plot) {
    const bool colours = isatty(fileno(people)) && !std::getenv("NO_COLOR");
    std::fputs(plot_terminal(points, report.figures, colours).c_str(), people);
  }
  if (!options.quiet)
    std::fputs(to_text(report).c_str(), people);
  bool ok = true;
  if (json_on_stdout)
    std::fputs(to_json(report).c_str(), stdout);
  else if (options.json)
    ok = write_file(options.json_file, to_json(report));
  if (!options.svg_file.empty())
    ok = write_file(options.svg_file, plot_svg(points, report.figures)) && ok;
  return ok;
}

bool run(const Options &options) {
  File copy;
  if (!options.output_file.empty()) {
    copy.reset(std::fopen(options.output_file.c_str(), "wb"));
    if (!copy)
      return complain(options.output_file, std::strerror(errno));
  }
  Input input;
  Meter meter;
  bool ok = input.open(options) == Input::Event::Bytes;
  if (ok) {
    ok = receive(options, input, meter, copy.get());
    meter.finish();
  }
  if (!ok && !input.error().empty())
    std::fprintf(stderr, "arrival: %s\n", input.error().c_str());
  if (copy && (std::fflush(copy.get()) != 0 || std::ferror(copy.get())))
    ok = complain(options.output_file, "could not be written whole");
  if (meter.counts().tags() > 0)
    return show(options, {meter, measure(meter.points()), input.lost_datagrams()}) && ok;
  const flv::Fault &fault = meter.first_fault();
  std::fprintf(stderr, "arrival: no FLV tag in %" PRIu64 " bytes%s%s\n", meter.counts().bytes,
               fault.kind == flv::Fault::Kind::None ? "" : ": ",
               fault.kind == flv::Fault::Kind::None ? "" : describe(fault).c_str());
  return false;
}

} // namespace

int main(int argc, char **argv) {
  bench::Options options;
  if (const auto status = bench::parse(argc, argv, options))
    return *status;
  return run(options) ? EXIT_SUCCESS : EXIT_FAILURE;
}
