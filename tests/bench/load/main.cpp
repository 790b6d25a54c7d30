// SPDX-License-Identifier: LGPL-2.1-or-later
// load: many clients of an FLV stream. See --help.
#include <netdb.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "summary.h"

namespace {

using namespace load;

struct Free {
  void operator()(addrinfo *list) const { freeaddrinfo(list); }
};

bool resolve(const Plan &plan, Address &address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo *list = nullptr;
  const int found = getaddrinfo(plan.host.c_str(), plan.port.c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, Free> owned(list);
  if (found != 0) {
    std::fprintf(stderr, "load: looking up \"%s\": %s\n", plan.host.c_str(), gai_strerror(found));
    return false;
  }
  address.size = list->ai_addrlen;
  std::memcpy(&address.storage, list->ai_addr, list->ai_addrlen);
  return true;
}

// Every client needs a descriptor.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void announce(const Crowd &crowd) {
  std::printf("{\"connected\": %zu}\n", crowd.connected());
  std::fflush(stdout);
}

int run(const Plan &plan) {
  Address address;
  if (!resolve(plan, address))
    return EXIT_FAILURE;
  Crowd crowd(plan, address);
  if (!crowd.run(announce))
    return EXIT_FAILURE;
  std::fputs(summary(crowd).c_str(), stdout);
  const auto &clients = crowd.clients();
  const auto refused = std::find_if(clients.begin(), clients.end(), [](const Client &client) {
    return client.state() == Client::State::Refused;
  });
  if (refused != clients.end())
    std::fprintf(stderr, "load: the first that was refused: %s\n", refused->why().c_str());
  return crowd.connected() > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argc, char **argv) {
  Plan plan;
  if (const auto status = parse(argc, argv, plan))
    return *status;
  raise_descriptor_limit();
  return run(plan);
}
