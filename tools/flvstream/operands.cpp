// SPDX-License-Identifier: LGPL-2.1-or-later
#include "operands.h"

#include <cstring>

#include <glib.h>

#include "base/gst_ptr.h"

namespace flvstream {

namespace {

// "http" for "HTTP://host/file".
std::string scheme_of(const std::string &name) {
  const std::size_t end = name.find("://");
  if (end == std::string::npos || name.find('/') < end)
    return {};
  const gstflv::StringPtr scheme(g_ascii_strdown(name.c_str(), static_cast<gssize>(end)));
  return scheme.get();
}

std::string after_scheme(const std::string &url) {
  return url.substr(url.find("://") + 3);
}

bool is_rtmp(const std::string &scheme) {
  return scheme.starts_with("rtmp");
}

bool has_host(const std::string &url) {
  gchar *text = nullptr;
  const auto flags = static_cast<GUriFlags>(G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED);
  const bool understood = g_uri_split_network(url.c_str(), flags, nullptr, &text, nullptr, nullptr);
  const gstflv::StringPtr host(text);
  return understood && host && *host != '\0';
}

std::string source_for(const std::string &input) {
  if (input == kStandard)
    return "fdsrc";
  return (is_url(input) ? "souphttpsrc location=" : "filesrc location=") + shell_word(input);
}

// The remedy if OUTPUT or --host is a URL.
std::string destination_hint(const std::string &url, const std::string &input) {
  const std::string scheme = scheme_of(url);
  if (is_rtmp(scheme))
    return "; RTMP: gst-launch-1.0 " + source_for(input) +
           " ! flvpace ! rtmp2sink location=" + shell_word(url);
  if (scheme == "tcp")
    return "; TCP: --host=" + after_scheme(url);
  if (scheme == "udp")
    return "; UDP: --udp --host=" + after_scheme(url);
  if (scheme == "http" || scheme == "https")
    return "; to serve over HTTP: --http=PORT";
  if (scheme == "file")
    return "; the file: " + after_scheme(url);
  return {};
}

std::string complaint_about_input(const std::string &input) {
  const std::string scheme = scheme_of(input);
  if (scheme.empty())
    return {};
  if (is_url(input))
    return has_host(input) ? "" : input + " is not the URL of a file";
  std::string refusal = "INPUT may be an http URL, but no " + scheme + " URL";
  if (is_rtmp(scheme))
    return refusal + "; RTMP: gst-launch-1.0 -q rtmp2src location=" + shell_word(input) +
           " ! fdsink | flvstream --no-pace -";
  if (scheme == "file")
    return refusal + "; the file: " + after_scheme(input);
  return refusal;
}

std::string complaint_about_output(const Options &options) {
  const std::string scheme = scheme_of(options.output);
  if (scheme.empty())
    return {};
  return "OUTPUT is a file, but " + options.output + " is a URL" +
         destination_hint(options.output, options.input);
}

// If standard output is a file, opening such a name would truncate it. If it is a socket, opening
// would fail.
bool names_standard_output(const std::string &name) {
  for (const char *alias : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    if (name == alias)
      return true;
  }
  return false;
}

} // namespace

bool is_url(const std::string &input) {
  const std::string scheme = scheme_of(input);
  return scheme == "http" || scheme == "https";
}

std::string take_operands(const std::vector<std::string> &operands, Options &options) {
  constexpr std::size_t kMost = 2;
  if (operands.empty())
    return "INPUT is missing";
  if (operands.size() > kMost)
    return "one INPUT and one OUTPUT, but there is also " + operands[kMost];
  options.input = operands[0];
  options.output_named = operands.size() == kMost;
  if (options.output_named)
    options.output = operands[1];
  if (options.input.empty())
    return "INPUT is empty";
  if (options.output.empty())
    return "OUTPUT is empty";
  if (options.output_named && options.destination == Destination::HttpServer)
    return "--http and OUTPUT exclude each other";
  if (std::string complaint = complaint_about_input(options.input); !complaint.empty())
    return complaint;
  if (std::string complaint = complaint_about_output(options); !complaint.empty())
    return complaint;
  if (names_standard_output(options.output))
    options.output = kStandard;
  if (options.loop && options.input == kStandard)
    return "--loop needs an INPUT that can be read again";
  return {};
}

std::string hint_for_host(const std::string &host, const std::string &input) {
  if (scheme_of(host).empty())
    return {};
  return "--host=" + host + " is a URL, and not HOST:PORT" + destination_hint(host, input);
}

namespace {

// Converted input is served as FLV, so the name ends with .flv.
std::string with_flv(std::string path) {
  for (const char *extension : {".mp4", ".m4v", ".m4a", ".mov", ".mkv", ".mka", ".webm", ".ts",
                                ".m2ts", ".mts", ".ogg", ".oga", ".opus", ".mp3", ".aac"}) {
    const std::size_t size = std::strlen(extension);
    if (path.size() > size + 1 &&
        g_ascii_strcasecmp(path.c_str() + path.size() - size, extension) == 0)
      return path.replace(path.size() - size, size, ".flv");
  }
  return path;
}

} // namespace

std::string default_path(const std::string &input) {
  std::string name = is_url(input) ? input.substr(0, input.find_first_of("?#")) : input;
  if (is_url(input)) {
    const std::string tail = after_scheme(name);
    const std::size_t slash = tail.rfind('/');
    return slash == std::string::npos || slash + 1 == tail.size() ? "/live.flv"
                                                                  : with_flv(tail.substr(slash));
  }
  if (name == kStandard)
    return "/live.flv";
  name = name.substr(name.rfind('/') + 1);
  const gstflv::StringPtr escaped(g_uri_escape_bytes(reinterpret_cast<const guint8 *>(name.data()),
                                                     name.size(), "!$&'()*+,;=:@"));
  return with_flv(std::string("/") + escaped.get());
}

std::string shell_word(const std::string &text) {
  constexpr const char *kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "_-+=./:,@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos)
    return text;
  const gstflv::StringPtr quoted(g_shell_quote(text.c_str()));
  return quoted.get();
}

} // namespace flvstream
