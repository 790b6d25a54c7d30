// SPDX-License-Identifier: LGPL-2.1-or-later
#include "options.h"

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <gst/gst.h>

#include "common/values.h"
#include "config.h"
#include "operands.h"

namespace flvstream {

namespace {

constexpr const char *kSummary =
    R"(Streams FLV at the speed it plays, from any byte offset or time.

INPUT is a file, - for standard input, or an http URL: FLV, MP4, QuickTime,
Matroska, WebM, MPEG-TS, Ogg, MP3 or AAC. OUTPUT is a file or a device, or - for
standard output, as is no OUTPUT.)";

constexpr const char *kExamples = R"(Examples:
  flvstream movie.flv | ffplay -
  flvstream -b 2s -h 127.0.0.1:5000 movie.flv
  flvstream -b 2s -l -h :5000 --loop movie.flv
  flvstream -b 2s --http=8080 --loop movie.flv
  flvstream -s 10:00 -h 127.0.0.1:5000 movie.mp4
  flvstream --no-pace -s 1:30 movie.flv part.flv)";

constexpr std::uint32_t kMaxDatagram = 65507; // bytes: the maximum of UDP over IPv4

struct FreeText {
  void operator()(gchar *text) const { g_free(text); }
  void operator()(gchar **texts) const { g_strfreev(texts); }
  void operator()(GOptionContext *context) const { g_option_context_free(context); }
  void operator()(GError *error) const { g_error_free(error); }
};

template <typename T> using Owned = std::unique_ptr<T, FreeText>;

// Set by GOption.
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
  gboolean no_pace = FALSE;
  gchar *speed = nullptr;
  gchar *max_gap = nullptr;
  gchar *mtu = nullptr;
  gboolean loop = FALSE;
  gboolean quiet = FALSE;
  gboolean json = FALSE;
  gboolean version = FALSE;
  gchar **rest = nullptr;
};

using Text = std::optional<std::string>;

// The texts of Raw, owned. nullopt: the option is not present. An empty value is an error.
struct Values {
  Text host, http, burst, offset, start, snap, index, speed, max_gap, mtu;
  std::vector<std::string> operands;
};

Text text_of(gchar *text) {
  const Owned<gchar> owned(text);
  return owned ? Text(owned.get()) : std::nullopt;
}

Values values_of(Raw &raw) {
  Values values{text_of(raw.host),
                text_of(raw.http),
                text_of(raw.burst),
                text_of(raw.offset),
                text_of(raw.start),
                text_of(raw.snap),
                text_of(raw.index),
                text_of(raw.speed),
                text_of(raw.max_gap),
                text_of(raw.mtu),
                {}};
  const Owned<gchar *> rest(raw.rest);
  for (gchar **operand = rest.get(); operand && *operand; ++operand)
    values.operands.emplace_back(*operand);
  return values;
}

Destination destination_of(const Raw &raw, const Values &values) {
  if (values.http)
    return Destination::HttpServer;
  if (raw.listen)
    return Destination::TcpServer;
  if (raw.udp)
    return Destination::Udp;
  return values.host || raw.tcp ? Destination::Tcp : Destination::Output;
}

std::string exclusion_of(const Raw &raw, const Values &values) {
  if (values.http && (values.host || raw.udp || raw.tcp || raw.listen))
    return "--http excludes --host, --udp, --tcp and --listen";
  if (raw.udp && raw.tcp)
    return "--udp and --tcp exclude each other";
  if (raw.udp && raw.listen)
    return "--listen is for TCP";
  if (values.offset && values.start)
    return "--offset and --start exclude each other";
  if (raw.no_pace && values.burst)
    return "--no-pace and --burst exclude each other";
  if (raw.no_pace && values.speed)
    return "--no-pace and --speed exclude each other";
  return {};
}

// Parses the value of --http: "HOST:PORT/PATH".
std::string take_place(const std::string &text, Options &options) {
  const std::size_t slash = text.find('/');
  const auto address = tools::parse_address(text.substr(0, slash), tools::HostPart::Optional);
  if (!address)
    return "--http=" + text + " is not [[HOST]:]PORT[/PATH]";
  options.address = *address;
  options.path = slash == std::string::npos ? "" : text.substr(slash);
  return {};
}

std::string take_address(const Values &values, Options &options) {
  if (values.http)
    return take_place(*values.http, options);
  if (options.destination == Destination::Output)
    return {};
  const bool listens = options.destination == Destination::TcpServer;
  const std::string form = listens ? "[HOST]:PORT" : "HOST:PORT";
  if (!values.host)
    return "--host=" + form + " is missing";
  const std::string input = values.operands.empty() ? "movie.flv" : values.operands.front();
  if (std::string hint = hint_for_host(*values.host, input); !hint.empty())
    return hint;
  const auto address = tools::parse_address(*values.host, listens ? tools::HostPart::Optional
                                                                  : tools::HostPart::Required);
  if (!address)
    return "--host=" + *values.host + " is no " + form;
  options.address = *address;
  return {};
}

bool is_one_of(const std::string &text, std::initializer_list<const char *> allowed) {
  for (const char *one : allowed) {
    if (text == one)
      return true;
  }
  return false;
}

std::string take_start(const Values &values, Options &options) {
  if (values.offset && !(options.offset = tools::parse_size(*values.offset)))
    return "--offset=" + *values.offset + " is not a number of bytes, such as 300000 or 10M";
  if (values.start && !(options.start = tools::parse_time(*values.start)))
    return "--start=" + *values.start + " is not a time: seconds, m:ss or h:mm:ss";
  if (values.snap && !is_one_of(*values.snap, {"next", "previous", "exact"}))
    return "--snap=" + *values.snap + " is not one of next, previous, exact";
  if (values.index && !is_one_of(*values.index, {"metadata", "scan", "auto"}))
    return "--index=" + *values.index + " is not one of metadata, scan, auto";
  options.snap = values.snap.value_or(options.start ? "previous" : "next");
  options.snap_named = values.snap.has_value();
  options.index = values.index.value_or(options.index);
  options.index_named = values.index.has_value();
  return {};
}

std::string take_span(const char *name, const std::string &text, std::uint32_t &target) {
  const auto span = tools::parse_span(text);
  if (!span || *span > G_MAXUINT32)
    return std::string(name) + "=" + text + " is not a time: milliseconds, 500ms or 2s";
  target = static_cast<std::uint32_t>(*span);
  return {};
}

std::string take_pace(const Values &values, Options &options) {
  if (values.burst) {
    if (std::string wrong = take_span("--burst", *values.burst, options.burst); !wrong.empty())
      return wrong;
  }
  if (values.speed) {
    const auto number = tools::parse_decimal(*values.speed);
    if (!number || *number < 0.01 || *number > 1000)
      return "--speed=" + *values.speed + " is not a number from 0.01 to 1000";
    options.speed = *number;
  }
  if (values.max_gap)
    return take_span("--max-gap", *values.max_gap, options.max_gap.emplace());
  return {};
}

std::string take_mtu(const Values &values, Options &options) {
  if (!values.mtu)
    return {};
  const auto number = tools::parse_number(*values.mtu, G_MAXUINT32);
  if (!number)
    return "--mtu=" + *values.mtu + " is not a number of bytes";
  if (options.destination == Destination::Udp && *number > kMaxDatagram)
    return "--mtu=" + *values.mtu + " is more than the " + std::to_string(kMaxDatagram) +
           " bytes of a datagram";
  options.mtu = static_cast<std::uint32_t>(*number);
  return {};
}

// Returns the first error; empty: there is no error.
std::string convert(const Raw &raw, const Values &values, Options &options) {
  options.destination = destination_of(raw, values);
  options.pace = !raw.no_pace;
  options.loop = raw.loop;
  options.quiet = raw.quiet;
  options.json = raw.json;
  if (std::string wrong = exclusion_of(raw, values); !wrong.empty())
    return wrong;
  for (const auto take : {take_address, take_start, take_pace, take_mtu}) {
    if (std::string wrong = take(values, options); !wrong.empty())
      return wrong;
  }
  if (std::string wrong = take_operands(values.operands, options); !wrong.empty())
    return wrong;
  if (options.destination == Destination::HttpServer && options.path.empty())
    options.path = default_path(options.input);
  return {};
}

} // namespace

bool is_server(const Options &options) {
  return options.destination == Destination::TcpServer ||
         options.destination == Destination::HttpServer;
}

bool is_standard_output(const Options &options) {
  return options.destination == Destination::Output && options.output == kStandard;
}

Parsed parse(int argc, char **argv) {
  Raw raw;
  const auto flag = [](const char *name, gchar letter, gboolean &target, const char *text) {
    return GOptionEntry{name, letter, 0, G_OPTION_ARG_NONE, &target, text, nullptr};
  };
  // Values are parsed as file names, because GOption requires other texts to be in the locale's
  // encoding.
  const auto value = [](const char *name, gchar letter, gchar *&target, const char *text,
                        const char *form) {
    return GOptionEntry{name, letter, 0, G_OPTION_ARG_FILENAME, &target, text, form};
  };
  const std::array entries{
      value("host", 'h', raw.host, "Send to this address, or with --listen serve", "HOST:PORT"),
      flag("udp", 'u', raw.udp, "Over UDP"),
      flag("tcp", 't', raw.tcp, "Over TCP (default with --host)"),
      flag("listen", 'l', raw.listen, "TCP: wait for clients; -h is [HOST]:PORT"),
      value("http", 0, raw.http, "Serve browsers and players", "[[HOST]:]PORT[/PATH]"),
      value("burst", 'b', raw.burst, "Send the first 2000, 500ms or 2s at once", "TIME"),
      value("offset", 'o', raw.offset, "Start at the next key frame; 10M, 1.5G", "BYTES"),
      value("start", 's', raw.start, "Start there: 90, 90s, 1:30, h:mm:ss.mmm", "TIME"),
      value("snap", 0, raw.snap, "Key frame: next, previous, exact", "WHICH"),
      value("index", 0, raw.index, "How to find it: auto, metadata, scan", "HOW"),
      flag("no-pace", 0, raw.no_pace, "As fast as it goes"),
      value("speed", 0, raw.speed, "Times as fast as it plays", "N"),
      flag("loop", 0, raw.loop, "Restart at the end"),
      value("max-gap", 0, raw.max_gap, "Close longer gaps in time (default: 10s)", "TIME"),
      value("mtu", 0, raw.mtu, "Cut tags to this size (UDP default: 1316)", "BYTES"),
      flag("quiet", 'q', raw.quiet, "Print only errors"),
      flag("json", 0, raw.json, "Print statistics at the end"),
      flag("version", 0, raw.version, "Print the version"),
      GOptionEntry{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, nullptr,
                   nullptr},
      GOptionEntry{},
  };
  const Owned<GOptionContext> context(g_option_context_new("INPUT [OUTPUT]"));
  g_option_context_set_summary(context.get(), kSummary);
  g_option_context_set_description(context.get(), kExamples);
  g_option_context_add_main_entries(context.get(), entries.data(), nullptr);

  // For --help, GOption exits the program.
  Parsed parsed;
  GError *failure = nullptr;
  const bool understood = g_option_context_parse(context.get(), &argc, &argv, &failure);
  const Owned<GError> error(failure);
  const Values values = values_of(raw);
  if (understood && raw.version) {
    g_print("flvstream %s\n", VERSION);
    parsed.outcome = Parsed::Outcome::Done;
    return parsed;
  }
  parsed.complaint = understood ? convert(raw, values, parsed.options) : error->message;
  if (!parsed.complaint.empty())
    parsed.outcome = Parsed::Outcome::Wrong;
  return parsed;
}

} // namespace flvstream
