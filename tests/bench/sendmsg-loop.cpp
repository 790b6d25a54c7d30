// SPDX-License-Identifier: LGPL-2.1-or-later
// The minimum work of any server of a shared stream: one sendmsg per client and turn.
#include <getopt.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <vector>

#include "stream.h"
#include "uring.h"

namespace {

constexpr const char *kHelp =
    R"(Usage: sendmsg-loop [OPTION…]

Listens on 127.0.0.1, accepts clients, and once all are there writes them an FLV-like stream from
shared memory: every so often one sendmsg a client, with an iovec a tag. No protocol, nobody joins
late, nobody is dropped. It is what the fan-out of a stream takes at least.

  --port=PORT      (4953)
  --clients=N      (1)
  --interval=MS    between two writes to a client (40)
  --mbit=RATE      of the stream, Mbit/s (0.88)
  --seconds=S      how long it writes; it ends before when nobody is left (10)
  --engine=HOW     sendmsg, or the same requests in batches through io_uring: io-uring,
                   io-uring-sqpoll (a thread of the kernel's takes them), io-uring-async (threads
                   of the kernel's carry them out) (sendmsg)
  --help           this

Prints JSON: CPU time while it wrote, as % of a core, the bytes, and the writes that took less than
there was; what they left goes with the next one.
)";

struct Settings {
  long port = 4953;
  long clients = 1;
  double interval_ms = 40;
  double mbit = 0.88;
  double seconds = 10;
  std::optional<RingKind> ring; // nullopt: sendmsg
};

// --- The writing ---

struct Client {
  int fd = -1;
  unsigned place = 0;       // index among the accepted clients
  std::size_t position = 0; // in the bytes of the stream
};

struct Total {
  std::uint64_t bytes = 0;
  std::uint64_t writes = 0;
  std::uint64_t short_writes = 0;
};

using Vectors = std::vector<iovec>;

constexpr std::size_t kMostVectors = 512;

// The bytes from `position` to `end`, one vector per tag, at most kMostVectors. A client that lacks
// earlier turns gets them in the same write.
void collect(Stream &stream, std::size_t position, std::size_t end, Vectors &vectors) {
  vectors.clear();
  const auto after = [](std::size_t at, const Stream::Tag &each) { return at < each.end; };
  auto tag = std::upper_bound(stream.tags.begin(), stream.tags.end(), position, after);
  for (; position < end; ++tag) {
    vectors.push_back({&stream.bytes[position], tag->end - position});
    position = tag->end;
  }
  if (vectors.size() > kMostVectors)
    vectors.resize(kMostVectors);
}

std::size_t length_of(const Vectors &vectors) {
  std::size_t length = 0;
  for (const iovec &each : vectors)
    length += each.iov_len;
  return length;
}

// Records the result of a write: bytes, or -errno.
void account(Client &client, ssize_t sent, std::size_t length, Total &total) {
  if (sent < 0 && sent != -EAGAIN && sent != -EINTR) {
    close(client.fd);
    client.fd = -1;
    return;
  }
  const auto count = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  client.position += count;
  ++total.writes;
  total.bytes += count;
  total.short_writes += count < length ? 1 : 0;
}

msghdr message_of(Vectors &vectors) {
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  return message;
}

void write_to(Client &client, Vectors &vectors, std::size_t length, Total &total) {
  const msghdr message = message_of(vectors);
  const ssize_t sent = sendmsg(client.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  account(client, sent < 0 ? -errno : sent, length, total);
}

// Writes the bytes up to `end` to every client. Almost all clients are at `before`, and share the
// vectors.
void write_all(Stream &stream, std::vector<Client> &clients, std::size_t before, std::size_t end,
               Total &total) {
  static Vectors vectors;
  static Vectors own;
  collect(stream, before, end, vectors);
  const std::size_t length = length_of(vectors);
  for (Client &client : clients) {
    if (client.position == before) {
      write_to(client, vectors, length, total);
    } else {
      collect(stream, client.position, end, own);
      write_to(client, own, length_of(own), total);
    }
  }
}

// The same in batches. false: io_uring has failed.
bool write_batches(Stream &stream, std::vector<Client> &clients, std::size_t before,
                   std::size_t end, Ring &ring, Total &total) {
  static Vectors vectors;
  static std::array<Vectors, Ring::kBatch> own;
  static std::array<Ring::Write, Ring::kBatch> writes;
  collect(stream, before, end, vectors);
  const std::size_t length = length_of(vectors);
  for (std::size_t first = 0; first < clients.size(); first += Ring::kBatch) {
    const std::size_t count = std::min(clients.size() - first, Ring::kBatch);
    for (std::size_t i = 0; i < count; ++i) {
      const Client &client = clients[first + i];
      if (client.position != before)
        collect(stream, client.position, end, own[i]);
      writes[i] = {client.place, message_of(client.position == before ? vectors : own[i]), 0};
    }
    if (!ring.submit({writes.data(), count}))
      return false;
    for (std::size_t i = 0; i < count; ++i) {
      Client &client = clients[first + i];
      account(client, writes[i].sent, client.position == before ? length : length_of(own[i]),
              total);
      if (client.fd < 0)
        ring.forget(client.place);
    }
  }
  return true;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void sleep_until(double ms) {
  timespec when{};
  when.tv_sec = static_cast<time_t>(ms / 1e3);
  when.tv_nsec = static_cast<long>(std::fmod(ms, 1e3) * 1e6);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

volatile std::sig_atomic_t stopped = 0;

void on_signal(int /*number*/) {
  stopped = 1;
}

bool fail(const char *what) {
  std::fprintf(stderr, "sendmsg-loop: %s: %s\n", what, std::strerror(errno));
  return false;
}

bool serve(const Settings &settings, Stream &stream, std::vector<Client> &clients, Ring &ring) {
  Total total;
  const auto count = clients.size();
  const double cpu = cpu_seconds();
  const double begin = now_ms();
  std::size_t tag = 0;
  double elapsed = 0;
  double turn = 0;
  while (elapsed < settings.seconds * 1e3 && !clients.empty() && !stopped) {
    sleep_until(begin + turn * settings.interval_ms);
    elapsed = now_ms() - begin;
    // A missed turn is not repeated: the next turn writes more.
    turn = std::floor(elapsed / settings.interval_ms) + 1;
    const std::size_t before = stream.begin_of(tag);
    while (tag < stream.tags.size() && stream.tags[tag].due_ms <= elapsed)
      ++tag;
    if (!settings.ring)
      write_all(stream, clients, before, stream.begin_of(tag), total);
    else if (!write_batches(stream, clients, before, stream.begin_of(tag), ring, total))
      return fail("io_uring");
    std::erase_if(clients, [](const Client &client) { return client.fd < 0; });
  }
  elapsed = std::max(now_ms() - begin, 1.0);
  std::printf("{\"clients\": %zu, \"interval_ms\": %g, \"seconds\": %.2f, \"cpu_percent\": %.2f, "
              "\"bytes\": %llu, \"writes\": %llu, \"short_writes\": %llu}\n",
              count, settings.interval_ms, elapsed / 1e3, (cpu_seconds() - cpu) * 1e5 / elapsed,
              static_cast<unsigned long long>(total.bytes),
              static_cast<unsigned long long>(total.writes),
              static_cast<unsigned long long>(total.short_writes));
  return true;
}

bool accept_all(const Settings &settings, std::vector<Client> &clients) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<in_port_t>(settings.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, reinterpret_cast<const sockaddr *>(&address), sizeof address) != 0 ||
      listen(listener, SOMAXCONN) != 0)
    return fail("listening");
  while (clients.size() < static_cast<std::size_t>(settings.clients) && !stopped) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
      return fail("accepting");
    if (fd >= 0)
      clients.push_back({fd, static_cast<unsigned>(clients.size()), 0});
  }
  close(listener);
  return true;
}

bool adopt_all(const std::vector<Client> &clients, Ring &ring) {
  std::vector<int> sockets(clients.size());
  std::transform(clients.begin(), clients.end(), sockets.begin(),
                 [](const Client &client) { return client.fd; });
  return ring.adopt(sockets) || fail("registering with io_uring");
}

// --- The command line ---

enum Key { Port = 1, Clients, Interval, Mbit, Seconds, Engine, Help };

constexpr std::array<option, 8> kOptions = {{
    {"port", required_argument, nullptr, Port},
    {"clients", required_argument, nullptr, Clients},
    {"interval", required_argument, nullptr, Interval},
    {"mbit", required_argument, nullptr, Mbit},
    {"seconds", required_argument, nullptr, Seconds},
    {"engine", required_argument, nullptr, Engine},
    {"help", no_argument, nullptr, Help},
    {nullptr, 0, nullptr, 0},
}};

bool read_engine(const char *value, std::optional<RingKind> &ring) {
  constexpr std::array kNames = {"io-uring", "io-uring-sqpoll", "io-uring-async"}; // as RingKind
  ring.reset();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (std::strcmp(value, kNames[i]) == 0)
      ring = static_cast<RingKind>(i);
  }
  return ring || std::strcmp(value, "sendmsg") == 0;
}

bool take(int key, const char *value, Settings &settings) {
  switch (key) {
  case Port:
    settings.port = std::atol(value);
    return settings.port > 0 && settings.port <= 65535;
  case Clients:
    settings.clients = std::atol(value);
    return settings.clients >= 0 && *value != '\0';
  case Interval:
    settings.interval_ms = std::atof(value);
    return settings.interval_ms > 0;
  case Mbit:
    settings.mbit = std::atof(value);
    return settings.mbit > 0;
  case Seconds:
    settings.seconds = std::atof(value);
    return settings.seconds > 0 && settings.seconds <= 3600;
  case Engine:
    return read_engine(value, settings.ring);
  default:
    return false;
  }
}

// Every client needs a descriptor.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

} // namespace

int main(int argc, char **argv) {
  Settings settings;
  for (int key = 0; (key = getopt_long(argc, argv, "", kOptions.data(), nullptr)) != -1;) {
    if (key == Help) {
      std::fputs(kHelp, stdout);
      return EXIT_SUCCESS;
    }
    if (!take(key, optarg, settings)) {
      std::fputs(kHelp, stderr);
      return 2;
    }
  }
  raise_descriptor_limit();
  stop_on_signals();
  Ring ring;
  if (settings.ring && !ring.open(*settings.ring)) {
    fail(Ring::kBuilt ? "io_uring" : "built without liburing");
    return EXIT_FAILURE;
  }
  Stream stream = make_stream(settings.mbit, settings.seconds * 1e3);
  std::vector<Client> clients;
  const bool served = accept_all(settings, clients) &&
                      (!settings.ring || adopt_all(clients, ring)) &&
                      serve(settings, stream, clients, ring);
  return served ? EXIT_SUCCESS : EXIT_FAILURE;
}
