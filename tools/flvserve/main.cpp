// SPDX-License-Identifier: LGPL-2.1-or-later
// flvserve: serves files and live streams over HTTP and WebSocket.
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <memory>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gst/gst.h>

#include "categories.h"
#include "common/plugins.h"
#include "common/signals.h"
#include "httpserver/gsthttpserversink.h"
#include "options.h"
#include "report.h"
#include "server.h"

namespace {

using flvserve::Level;
using flvserve::Parsed;
using flvserve::report;

constexpr int kWrongUsage = 2;

// Opens /dev/null for each standard descriptor that is closed. Otherwise the next file that is
// opened would get its number, and with it messages.
void fill_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) == -1)
      open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY);
  }
}

// Each client needs a descriptor, and the usual limit is 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The server's own element is linked to this program. It replaces the one of the plugin.
void init_gstreamer() {
  gst_init(nullptr, nullptr);
  flvserve::init_categories();
  GST_ELEMENT_REGISTER(httpserversink, nullptr);
  tools::find_own_plugins({"flvpace", "flvseek"});
}

int print(const std::string &text) {
  g_print("%s", text.c_str());
  return EXIT_SUCCESS;
}

int serve(const Parsed &parsed, flvserve::Configuration configuration) {
  auto server = std::make_unique<flvserve::Server>(parsed.options);
  const int status = server->run(std::move(configuration));
  // The destructor would wait for threads that may not end.
  if (!server->is_stopped()) {
    server->close_log();
    std::_Exit(status);
  }
  return status;
}

} // namespace

int main(int argc, char **argv) {
  fill_standard_descriptors();
  tools::hold_signals();
  std::setlocale(LC_ALL, "");
  const Parsed parsed = flvserve::parse(argc, argv);
  if (parsed.outcome == Parsed::Outcome::Done)
    return EXIT_SUCCESS;
  if (parsed.outcome == Parsed::Outcome::Wrong) {
    report(Level::Error, parsed.complaint + "; see flvserve --help");
    return kWrongUsage;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  raise_descriptor_limit();
  init_gstreamer();
  flvserve::Loaded loaded = flvserve::configuration_of(parsed.options);
  for (const std::string &complaint : loaded.complaints)
    report(Level::Error, complaint);
  if (!loaded.complaints.empty())
    return EXIT_FAILURE;
  if (parsed.outcome == Parsed::Outcome::Check)
    return EXIT_SUCCESS;
  if (parsed.outcome == Parsed::Outcome::Print)
    return print(flvserve::text_of(loaded.configuration));
  return serve(parsed, std::move(loaded.configuration));
}
