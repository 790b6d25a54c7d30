// SPDX-License-Identifier: LGPL-2.1-or-later
// flvstream: streams FLV without a pipeline to write.
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "player.h"
#include "signals.h"

namespace {

constexpr int kWrongUsage = 2;

int complain(const std::string &why, int status) {
  flvstream::complain(why);
  return status;
}

bool put(const std::string &text, std::FILE *file) {
  return std::fputs(text.c_str(), file) >= 0 && std::fflush(file) == 0;
}

// In place of those that are closed: what is opened next would take their number, and the stream.
void fill_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) == -1)
      open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// The exit status.
int conclude(const flvstream::Options &options, const flvstream::Summary &summary) {
  const bool on_stdout = options.host.empty() && options.output.empty();
  std::string error = summary.error;
  if (options.json && !put(json_of(summary), on_stdout ? stderr : stdout) && error.empty())
    error = std::string("cannot write standard output: ") + g_strerror(errno);
  return error.empty() ? EXIT_SUCCESS : complain(error, EXIT_FAILURE);
}

} // namespace

int main(int argc, char **argv) {
  using namespace flvstream;
  fill_standard_descriptors();
  hold_signals();
  std::setlocale(LC_ALL, "");
  const Parsed parsed = parse(argc, argv);
  if (parsed.outcome == Parsed::Outcome::Done)
    return EXIT_SUCCESS;
  if (parsed.outcome == Parsed::Outcome::Wrong)
    return complain(parsed.complaint + "; see flvstream --help", kWrongUsage);

  // Whoever reads what it writes may leave, and a file have its limits: errors like others.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  gst_init(nullptr, nullptr);
  const Options &options = parsed.options;
  Pipeline pipeline = build(options);
  if (!pipeline.complaint.empty()) {
    Summary summary;
    summary.input = options.input;
    summary.result = "failed";
    summary.error = pipeline.complaint;
    return conclude(options, summary);
  }
  Player player(options, std::move(pipeline));
  const int status = conclude(options, player.play());
  if (!player.close())
    std::_Exit(status);
  return status;
}
