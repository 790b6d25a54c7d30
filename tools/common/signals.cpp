// SPDX-License-Identifier: LGPL-2.1-or-later
#include "signals.h"

#include <csignal>

namespace tools {

namespace {

void change_mask(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(how, &signals, nullptr);
}

} // namespace

void hold_signals() {
  change_mask(SIG_BLOCK);
}

void listen_to_signals() {
  change_mask(SIG_UNBLOCK);
}

} // namespace tools
