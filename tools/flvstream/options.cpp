// SPDX-License-Identifier: LGPL-2.1-or-later
#include "options.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

#include <gst/gst.h>

#include "config.h"

namespace flvstream {

namespace {

constexpr const char *kSummary =
    R"(Streams FLV at the speed it plays, from any byte offset or time.

INPUT is a file, - for standard input, or an http URL. OUTPUT is a file or a
device; without, standard output.)";

constexpr const char *kExamples = R"(Examples:
  flvstream movie.flv | ffplay -
  flvstream -b 2000 -h 192.0.2.7:5000 movie.flv
  flvstream -b 2000 -l -h 0.0.0.0:5000 --loop movie.flv
  flvstream -b 2000 --http=0.0.0.0:8080/live.flv --loop movie.flv
  flvstream -o 1000000 http://example.org/movie.flv part.flv)";

constexpr std::uint32_t kMaxDatagram = 65507; // bytes, of UDP over IPv4

struct FreeText {
  void operator()(gchar *text) const { g_free(text); }
  void operator()(gchar **texts) const { g_strfreev(texts); }
  void operator()(GOptionContext *context) const { g_option_context_free(context); }
  void operator()(GError *error) const { g_error_free(error); }
};

template <typename T> using Owned = std::unique_ptr<T, FreeText>;

// What GOption fills in.
struct Raw {
  gchar *host = nullptr;
  gboolean udp = FALSE;
  gboolean tcp = FALSE;
  gboolean listen = FALSE;
  gchar *http = nullptr;
  gchar *burst = nullptr;
  gchar *offset = nullptr;
  gchar *start = nullptr;
  gchar *snap = nullptr;
  gchar *index = nullptr;
  gchar *speed = nullptr;
  gchar *mtu = nullptr;
  gboolean loop = FALSE;
  gboolean quiet = FALSE;
  gboolean json = FALSE;
  gboolean version = FALSE;
  gchar **rest = nullptr;
};

// Nothing where the option is not there: an empty value is wrong.
std::optional<std::string> text_of(gchar *text) {
  const Owned<gchar> owned(text);
  return owned ? std::optional<std::string>(owned.get()) : std::nullopt;
}

std::optional<std::uint64_t> number_of(const std::string &text, std::uint64_t maximum) {
  guint64 number = 0;
  if (!g_ascii_string_to_unsigned(text.c_str(), 10, 0, maximum, &number, nullptr))
    return std::nullopt;
  return number;
}

// Digits with or without a fraction; g_ascii_strtod() takes much more for a number.
std::optional<double> decimal(const std::string &text) {
  if (text.empty() || !g_ascii_isdigit(text.front()) ||
      text.find_first_not_of("0123456789.") != std::string::npos)
    return std::nullopt;
  char *end = nullptr;
  const double number = g_ascii_strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(number) : std::nullopt;
}

// "HOST:PORT", "[::1]:PORT".
bool split_address(const std::string &text, Options &options) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return false;
  std::string host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    return false;
  const auto port = number_of(text.substr(colon + 1), G_MAXUINT16);
  if (host.empty() || !port || *port == 0)
    return false;
  options.host = host;
  options.port = static_cast<std::uint16_t>(*port);
  return true;
}

// "HOST:PORT", "HOST:PORT/PATH".
bool split_place(const std::string &text, Options &options) {
  const std::size_t slash = text.find('/');
  options.path = slash == std::string::npos ? "/" : text.substr(slash);
  return split_address(text.substr(0, slash), options);
}

bool is_one_of(const std::string &text, std::initializer_list<const char *> allowed) {
  for (const char *one : allowed) {
    if (text == one)
      return true;
  }
  return false;
}

// Gives the first thing that is wrong.
std::string convert(Raw &raw, Options &options) {
  const auto host = text_of(raw.host);
  const auto http = text_of(raw.http);
  const auto burst = text_of(raw.burst);
  const auto offset = text_of(raw.offset);
  const auto start = text_of(raw.start);
  const auto snap = text_of(raw.snap);
  const auto index = text_of(raw.index);
  const auto speed = text_of(raw.speed);
  const auto mtu = text_of(raw.mtu);
  options.snap = snap.value_or(options.snap);
  options.index = index.value_or(options.index);
  options.udp = raw.udp;
  options.listen = raw.listen;
  options.loop = raw.loop;
  options.quiet = raw.quiet;
  options.json = raw.json;

  if (host && !split_address(*host, options))
    return "--host=" + *host + " is no HOST:PORT";
  if (http && (host || raw.udp || raw.tcp || raw.listen))
    return "--http excludes --host, --udp, --tcp and --listen";
  if (http && !split_place(*http, options))
    return "--http=" + *http + " is no HOST:PORT/PATH";
  if (burst) {
    const auto number = number_of(*burst, G_MAXUINT32);
    if (!number)
      return "--burst=" + *burst + " is no number of milliseconds";
    options.burst = static_cast<std::uint32_t>(*number);
  }
  if (offset && !(options.offset = number_of(*offset, G_MAXINT64)))
    return "--offset=" + *offset + " is no number of bytes";
  if (start && !(options.start = parse_time(*start)))
    return "--start=" + *start + " is no time: seconds, m:ss or h:mm:ss";
  if (speed) {
    const auto number = decimal(*speed);
    if (!number || *number < 0.01 || *number > 1000)
      return "--speed=" + *speed + " is no number from 0.01 to 1000";
    options.speed = *number;
  }
  if (mtu) {
    const auto number = number_of(*mtu, G_MAXUINT32);
    if (!number)
      return "--mtu=" + *mtu + " is no number of bytes";
    options.mtu = static_cast<std::uint32_t>(*number);
  }
  if (snap && !is_one_of(*snap, {"next", "previous", "exact"}))
    return "--snap=" + *snap + " is none of next, previous, exact";
  if (index && !is_one_of(*index, {"metadata", "scan", "auto"}))
    return "--index=" + *index + " is none of metadata, scan, auto";
  if (raw.udp && raw.tcp)
    return "--udp and --tcp exclude each other";
  if (options.offset && options.start)
    return "--offset and --start exclude each other";
  if (options.udp && options.mtu > kMaxDatagram)
    return "--mtu=" + *mtu + " is more than the " + std::to_string(kMaxDatagram) +
           " bytes of a datagram";
  if (options.udp && options.listen)
    return "--listen is for TCP";
  if ((raw.udp || raw.tcp || options.listen) && options.host.empty())
    return "--host=HOST:PORT is missing";
  return {};
}

// "http" of "HTTP://host/file".
std::string scheme_of(const std::string &name) {
  const std::size_t end = name.find("://");
  if (end == std::string::npos || name.find('/') < end)
    return {};
  const Owned<gchar> scheme(g_ascii_strdown(name.c_str(), static_cast<gssize>(end)));
  return scheme.get();
}

bool has_host(const std::string &url) {
  gchar *text = nullptr;
  const auto flags = static_cast<GUriFlags>(G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED);
  const bool understood = g_uri_split_network(url.c_str(), flags, nullptr, &text, nullptr, nullptr);
  const Owned<gchar> host(text);
  return understood && host && *host != '\0';
}

std::string take_files(gchar **rest, Options &options) {
  const Owned<gchar *> owned(rest);
  const guint count = rest ? g_strv_length(rest) : 0;
  if (count == 0)
    return "INPUT is missing";
  if (count > 2)
    return std::string("one INPUT and one OUTPUT, but there is also ") + rest[2];
  options.input = rest[0];
  if (count == 2)
    options.output = rest[1];
  if (options.input.empty())
    return "INPUT is empty";
  if (count == 2 && options.output.empty())
    return "OUTPUT is empty";
  if (count == 2 && !options.path.empty())
    return "--http and OUTPUT exclude each other";
  if (const std::string scheme = scheme_of(options.input); !scheme.empty()) {
    if (!is_url(options.input))
      return "INPUT may be an http URL, but no " + scheme + " URL";
    if (!has_host(options.input))
      return options.input + " is no URL of a file";
  }
  if (options.loop && options.input == "-")
    return "--loop needs an INPUT that can be read again";
  return {};
}

} // namespace

bool is_server(const Options &options) {
  return options.listen || !options.path.empty();
}

bool is_url(const std::string &input) {
  const std::string scheme = scheme_of(input);
  return scheme == "http" || scheme == "https";
}

std::optional<std::uint64_t> parse_time(const std::string &text) {
  constexpr double kMaxParts = 3;
  constexpr double kSixty = 60;
  const Owned<gchar *> parts(g_strsplit(text.c_str(), ":", -1));
  const guint count = g_strv_length(parts.get());
  if (count == 0 || count > kMaxParts)
    return std::nullopt;
  double seconds = 0;
  for (guint i = 0; i < count; ++i) {
    const auto number = decimal(parts.get()[i]);
    const bool last = i + 1 == count;
    if (!number || (i > 0 && *number >= kSixty) || (!last && *number != std::floor(*number)))
      return std::nullopt;
    seconds = seconds * kSixty + *number;
  }
  constexpr double kLongest = 4e9;
  if (seconds > kLongest)
    return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(seconds * 1000));
}

Parsed parse(int argc, char **argv) {
  Raw raw;
  // As file names, because other texts would have to be in the locale's encoding.
  const std::array entries{
      GOptionEntry{"host", 'h', 0, G_OPTION_ARG_FILENAME, &raw.host,
                   "Send to this address, or with --listen serve on it", "HOST:PORT"},
      GOptionEntry{"udp", 'u', 0, G_OPTION_ARG_NONE, &raw.udp, "Over UDP", nullptr},
      GOptionEntry{"tcp", 't', 0, G_OPTION_ARG_NONE, &raw.tcp, "Over TCP (default with --host)",
                   nullptr},
      GOptionEntry{"listen", 'l', 0, G_OPTION_ARG_NONE, &raw.listen,
                   "TCP: wait for clients instead of connecting", nullptr},
      GOptionEntry{"http", 0, 0, G_OPTION_ARG_FILENAME, &raw.http,
                   "Serve browsers and players on it", "HOST:PORT/PATH"},
      GOptionEntry{"burst", 'b', 0, G_OPTION_ARG_FILENAME, &raw.burst,
                   "Send the first MS milliseconds at once", "MS"},
      GOptionEntry{"offset", 'o', 0, G_OPTION_ARG_FILENAME, &raw.offset,
                   "Start at this offset, at the next key frame", "BYTES"},
      GOptionEntry{"start", 's', 0, G_OPTION_ARG_FILENAME, &raw.start,
                   "Start at this time, at the key frame before", "[[H:]M:]S"},
      GOptionEntry{"snap", 0, 0, G_OPTION_ARG_FILENAME, &raw.snap,
                   "Which key frame: next, previous, exact", "WHICH"},
      GOptionEntry{"index", 0, 0, G_OPTION_ARG_FILENAME, &raw.index,
                   "Find key frames by: metadata, scan, auto", "HOW"},
      GOptionEntry{"speed", 0, 0, G_OPTION_ARG_FILENAME, &raw.speed, "Times as fast as it plays",
                   "N"},
      GOptionEntry{"loop", 0, 0, G_OPTION_ARG_NONE, &raw.loop, "Begin again at the end", nullptr},
      GOptionEntry{"mtu", 0, 0, G_OPTION_ARG_FILENAME, &raw.mtu,
                   "Cut tags to this size (UDP default: 1316)", "BYTES"},
      GOptionEntry{"quiet", 'q', 0, G_OPTION_ARG_NONE, &raw.quiet, "Say nothing but errors",
                   nullptr},
      GOptionEntry{"json", 0, 0, G_OPTION_ARG_NONE, &raw.json, "At the end, what was sent",
                   nullptr},
      GOptionEntry{"version", 0, 0, G_OPTION_ARG_NONE, &raw.version, "Which version this is",
                   nullptr},
      GOptionEntry{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, nullptr,
                   nullptr},
      GOptionEntry{},
  };
  const Owned<GOptionContext> context(g_option_context_new("INPUT [OUTPUT]"));
  g_option_context_set_summary(context.get(), kSummary);
  g_option_context_set_description(context.get(), kExamples);
  g_option_context_add_main_entries(context.get(), entries.data(), nullptr);

  // Its own --help ends the program by itself.
  Parsed parsed;
  GError *failure = nullptr;
  const bool understood = g_option_context_parse(context.get(), &argc, &argv, &failure);
  const Owned<GError> error(failure);
  if (understood && raw.version) {
    g_print("flvstream %s\n", VERSION);
    parsed.outcome = Parsed::Outcome::Done;
    return parsed;
  }
  parsed.complaint = understood ? convert(raw, parsed.options) : error->message;
  const std::string files = take_files(raw.rest, parsed.options);
  if (parsed.complaint.empty())
    parsed.complaint = files;
  if (!parsed.complaint.empty())
    parsed.outcome = Parsed::Outcome::Wrong;
  return parsed;
}

} // namespace flvstream
