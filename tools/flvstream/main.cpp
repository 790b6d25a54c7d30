// SPDX-License-Identifier: LGPL-2.1-or-later
// flvstream: streams FLV without a pipeline to write.
#include <clocale>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "player.h"

namespace {

constexpr int kWrongUsage = 2;

int complain(const std::string &why, int status) {
  g_printerr("flvstream: %s\n", why.c_str());
  return status;
}

// In place of those that are closed: what is opened next would take their number, and the stream.
void fill_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) == -1)
      open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

} // namespace

int main(int argc, char **argv) {
  using namespace flvstream;
  fill_standard_descriptors();
  std::setlocale(LC_ALL, "");
  const Parsed parsed = parse(argc, argv);
  if (parsed.outcome == Parsed::Outcome::Done)
    return EXIT_SUCCESS;
  if (parsed.outcome == Parsed::Outcome::Wrong)
    return complain(parsed.complaint + "; see flvstream --help", kWrongUsage);

  // Whoever reads what it writes may leave; that is an error like others.
  std::signal(SIGPIPE, SIG_IGN);
  gst_init(nullptr, nullptr);
  const Options &options = parsed.options;
  Pipeline pipeline = build(options);
  if (!pipeline.complaint.empty())
    return complain(pipeline.complaint, EXIT_FAILURE);
  const Summary summary = Player(options, std::move(pipeline)).play();
  const bool on_stdout = options.host.empty() && options.output.empty();
  if (options.json)
    (on_stdout ? g_printerr : g_print)("%s", json_of(summary).c_str());
  return summary.error.empty() ? EXIT_SUCCESS : complain(summary.error, EXIT_FAILURE);
}
