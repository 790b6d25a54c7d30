// SPDX-License-Identifier: LGPL-2.1-or-later
// flvstream: streams FLV from the command line, without a pipeline description.
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "common/signals.h"
#include "pipeline.h"
#include "player.h"

namespace {

constexpr int kWrongUsage = 2;

constexpr const char *kTerminal =
    "standard output is a terminal; name an OUTPUT, pipe it (flvstream movie.flv | ffplay -), "
    "or name - to write to the terminal all the same";

int complain(const std::string &why, int status) {
  flvstream::complain(why);
  return status;
}

bool put(const std::string &text, std::FILE *file) {
  return std::fputs(text.c_str(), file) >= 0 && std::fflush(file) == 0;
}

// Names --help, unless the complaint has a remedy, which follows a semicolon.
std::string reference_of(const std::string &complaint) {
  return complaint.find("; ") == std::string::npos ? "; see flvstream --help" : "";
}

// As in curl: the bytes of a stream can change the state of a terminal.
bool is_refused_terminal(const flvstream::Options &options) {
  return flvstream::is_standard_output(options) && !options.output_named &&
         isatty(STDOUT_FILENO) != 0;
}

// Opens /dev/null for each standard descriptor that is closed. Otherwise the next file that is
// opened would get its number, and with it the stream.
void fill_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) == -1)
      open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// Returns the exit status.
int conclude(const flvstream::Options &options, const flvstream::Summary &summary) {
  std::FILE *file = is_standard_output(options) ? stderr : stdout;
  std::string error = summary.error;
  if (options.json && !put(json_of(summary), file) && error.empty())
    error = std::string("cannot write standard output: ") + g_strerror(errno);
  return error.empty() ? EXIT_SUCCESS : complain(error, EXIT_FAILURE);
}

flvstream::Summary run(const flvstream::Options &options) {
  flvstream::Pipeline pipeline = flvstream::build(options);
  flvstream::Summary summary;
  if (!pipeline.complaint.empty()) {
    summary.input = options.input;
    summary.result = "failed";
    summary.error = pipeline.complaint;
    return summary;
  }
  flvstream::Player player(options, std::move(pipeline));
  summary = player.play();
  // The destructor would wait for a thread that does not end.
  if (!player.close(summary))
    std::_Exit(conclude(options, summary));
  return summary;
}

// A start at a time uses the key frame at or before this time. If there is none, it uses the next
// one.
flvstream::Summary run_from_key_frame(flvstream::Options options) {
  flvstream::Summary summary = run(options);
  if (!summary.before_key_frames || !flvstream::can_read_again(options))
    return summary;
  options.snap = "next";
  flvstream::Summary next = run(options);
  return next.error.empty() ? next : summary;
}

} // namespace

int main(int argc, char **argv) {
  using namespace flvstream;
  fill_standard_descriptors();
  tools::hold_signals();
  std::setlocale(LC_ALL, "");
  const Parsed parsed = parse(argc, argv);
  if (parsed.outcome == Parsed::Outcome::Done)
    return EXIT_SUCCESS;
  if (parsed.outcome == Parsed::Outcome::Wrong)
    return complain(parsed.complaint + reference_of(parsed.complaint), kWrongUsage);
  if (is_refused_terminal(parsed.options))
    return complain(kTerminal, kWrongUsage);

  // If these signals are ignored, write() reports a closed pipe and the file size limit as errors.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  gst_init(nullptr, nullptr);
  return conclude(parsed.options, run_from_key_frame(parsed.options));
}
