// SPDX-License-Identifier: LGPL-2.1-or-later
// What any server of a shared stream has to do and no more: a sendmsg a client a turn.
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
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

#include "flv/tag.h"

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
};

// --- The stream ---

// Tags one behind the other. The file header goes with the first.
struct Stream {
  struct Tag {
    std::size_t end = 0; // behind its PreviousTagSize
    double due_ms = 0;
  };
  std::vector<std::uint8_t> bytes;
  std::vector<Tag> tags;

  [[nodiscard]] std::size_t begin_of(std::size_t tag) const {
    return tag == 0 ? 0 : tags[tag - 1].end;
  }
};

constexpr double kFrameMs = 1000.0 / 30;
constexpr double kSamplesMs = 1024 * 1000.0 / 44100; // of an AAC frame
constexpr std::size_t kGop = 60;
constexpr double kKeyFrameWeight = 6; // times another frame
constexpr double kAudioMbit = 0.128;

std::size_t bytes_of(double mbit, double ms) {
  return static_cast<std::size_t>(mbit * ms * 125);
}

void append_tag(Stream &stream, flv::TagType type, double time, std::size_t size, bool key) {
  std::vector<std::uint8_t> data(std::max<std::size_t>(size, 16) - 15, 0x55); // headers take 15
  const bool video = type == flv::TagType::Video;
  data[0] = video ? key ? 0x17 : 0x27 : 0xAF;
  if (data.size() > 1)
    data[1] = 1;
  flv::append_tag(stream.bytes, type, static_cast<std::uint32_t>(time), data);
  stream.tags.push_back({stream.bytes.size(), time});
}

// As live: 30 frames a second and AAC. Nothing in it repeats, so the cache holds no more of it
// than of a real one.
Stream make_stream(double mbit, double ms) {
  Stream stream;
  const auto header = flv::write_file_header({.has_audio = true, .has_video = true});
  stream.bytes.assign(header.begin(), header.end());
  const double video = std::max(mbit - kAudioMbit, 0.0);
  const double weight = kGop / (kGop - 1 + kKeyFrameWeight);
  const auto inter =
      static_cast<std::size_t>(static_cast<double>(bytes_of(video, kFrameMs)) * weight);
  const auto key = static_cast<std::size_t>(static_cast<double>(inter) * kKeyFrameWeight);
  const std::size_t audio = bytes_of(std::min(mbit, kAudioMbit), kSamplesMs);
  for (std::size_t frame = 0, samples = 0;;) {
    const double video_time = static_cast<double>(frame) * kFrameMs;
    const double audio_time = static_cast<double>(samples) * kSamplesMs;
    if (std::min(video_time, audio_time) > ms)
      return stream;
    if (video_time <= audio_time) {
      const bool is_key = frame++ % kGop == 0;
      append_tag(stream, flv::TagType::Video, video_time, is_key ? key : inter, is_key);
    } else {
      ++samples;
      append_tag(stream, flv::TagType::Audio, audio_time, audio, false);
    }
  }
}

// --- The writing ---

struct Client {
  int fd = -1;
  std::size_t position = 0; // in the stream's bytes
};

struct Total {
  std::uint64_t bytes = 0;
  std::uint64_t writes = 0;
  std::uint64_t short_writes = 0;
};

using Vectors = std::vector<iovec>;

constexpr std::size_t kMostVectors = 512;

// From `position` to the end of the tag before `end`. What a client missed comes in larger pieces.
void gather(Stream &stream, std::size_t position, std::size_t end, Vectors &vectors) {
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

// False: the client is gone.
bool write_to(Client &client, Vectors &vectors, std::size_t length, Total &total) {
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = vectors.size();
  const ssize_t sent = sendmsg(client.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR)
    return false;
  const auto count = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
  client.position += count;
  ++total.writes;
  total.bytes += count;
  total.short_writes += count < length ? 1 : 0;
  return true;
}

// Everybody gets what is there up to `end`. Almost all are at `before`, and share the vectors.
void write_all(Stream &stream, std::vector<Client> &clients, std::size_t before, std::size_t end,
               Total &total) {
  static Vectors vectors;
  static Vectors own;
  gather(stream, before, end, vectors);
  const std::size_t length = length_of(vectors);
  for (Client &client : clients) {
    bool there = true;
    if (client.position == before) {
      there = write_to(client, vectors, length, total);
    } else {
      gather(stream, client.position, end, own);
      there = write_to(client, own, length_of(own), total);
    }
    if (!there) {
      close(client.fd);
      client.fd = -1;
    }
  }
  std::erase_if(clients, [](const Client &client) { return client.fd < 0; });
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

void serve(const Settings &settings, Stream &stream, std::vector<Client> &clients) {
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
    // A turn that was missed is not made up for: the next one writes more.
    turn = std::floor(elapsed / settings.interval_ms) + 1;
    const std::size_t before = stream.begin_of(tag);
    while (tag < stream.tags.size() && stream.tags[tag].due_ms <= elapsed)
      ++tag;
    write_all(stream, clients, before, stream.begin_of(tag), total);
  }
  elapsed = std::max(now_ms() - begin, 1.0);
  std::printf("{\"clients\": %zu, \"interval_ms\": %g, \"seconds\": %.2f, \"cpu_percent\": %.2f, "
              "\"bytes\": %llu, \"writes\": %llu, \"short_writes\": %llu}\n",
              count, settings.interval_ms, elapsed / 1e3, (cpu_seconds() - cpu) * 1e5 / elapsed,
              static_cast<unsigned long long>(total.bytes),
              static_cast<unsigned long long>(total.writes),
              static_cast<unsigned long long>(total.short_writes));
}

bool fail(const char *what) {
  std::fprintf(stderr, "sendmsg-loop: %s: %s\n", what, std::strerror(errno));
  return false;
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
      clients.push_back({fd, 0});
  }
  close(listener);
  return true;
}

// --- The command line ---

enum Key { Port = 1, Clients, Interval, Mbit, Seconds, Help };

constexpr std::array<option, 7> kOptions = {{
    {"port", required_argument, nullptr, Port},
    {"clients", required_argument, nullptr, Clients},
    {"interval", required_argument, nullptr, Interval},
    {"mbit", required_argument, nullptr, Mbit},
    {"seconds", required_argument, nullptr, Seconds},
    {"help", no_argument, nullptr, Help},
    {nullptr, 0, nullptr, 0},
}};

bool take(int key, const char *value, Settings &settings) {
  switch (key) {
  case Port:
    settings.port = std::atol(value);
    return settings.port > 0 && settings.port <= 65535;
  case Clients:
    settings.clients = std::atol(value);
    return settings.clients > 0;
  case Interval:
    settings.interval_ms = std::atof(value);
    return settings.interval_ms > 0;
  case Mbit:
    settings.mbit = std::atof(value);
    return settings.mbit > 0;
  case Seconds:
    settings.seconds = std::atof(value);
    return settings.seconds > 0 && settings.seconds <= 3600;
  default:
    return false;
  }
}

// Every client has a descriptor.
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
  Stream stream = make_stream(settings.mbit, settings.seconds * 1e3);
  std::vector<Client> clients;
  if (!accept_all(settings, clients))
    return EXIT_FAILURE;
  serve(settings, stream, clients);
  return EXIT_SUCCESS;
}
