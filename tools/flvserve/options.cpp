// SPDX-License-Identifier: LGPL-2.1-or-later
#include "options.h"

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include <unistd.h>

#include <gst/gst.h>

#include "base/gst_ptr.h"
#include "config.h"
#include "source_check.h"

namespace flvserve {

namespace {

constexpr const char *kSummary =
    R"(Serves files and live streams to browsers and players over HTTP and WebSocket.

The operand is a file, a URL, - for standard input, or a folder. A file or a
stream is sent live to all clients. The files of a folder are sent on demand,
from any byte or time.)";

constexpr const char *kExamples = R"(Examples:
  flvserve movie.mkv
  ffmpeg -re -i movie.mp4 -c copy -f flv - | flvserve -
  flvserve --listen=:8080 http://127.0.0.1/live.flv
  flvserve /srv/videos
  flvserve --config=/etc/flvserve.conf)";

constexpr const char *kStandard = "-";
constexpr const char *kDefaultPath = "/live.flv";

struct Free {
  void operator()(gchar *text) const { g_free(text); }
  void operator()(gchar **texts) const { g_strfreev(texts); }
  void operator()(GOptionContext *context) const { g_option_context_free(context); }
  void operator()(GError *error) const { g_error_free(error); }
};

template <typename T> using Owned = std::unique_ptr<T, Free>;

// Set by GOption.
struct Raw {
  gchar *config = nullptr;
  gchar **listen = nullptr;
  gboolean loop = FALSE;
  gboolean check = FALSE;
  gboolean print = FALSE;
  gboolean version = FALSE;
  gchar **rest = nullptr;
};

std::vector<std::string> texts_of(gchar **texts) {
  const Owned<gchar *> owned(texts);
  std::vector<std::string> all;
  for (gchar **text = owned.get(); text && *text; ++text)
    all.emplace_back(*text);
  return all;
}

std::string take_listen(const std::vector<std::string> &texts, Options &options) {
  for (const std::string &text : texts) {
    const auto address = parse_listen(text);
    if (!address)
      return "--listen=" + text + " is not [HOST:]PORT";
    if (!options.listen)
      options.listen.emplace();
    options.listen->push_back(*address);
  }
  return {};
}

std::string take_source(const std::vector<std::string> &operands, Options &options) {
  if (operands.size() > 1)
    return "one FILE, URL, - or DIRECTORY, but there is also " + operands[1] +
           "; several need --config";
  if (operands.empty())
    return options.config.empty() ? "FILE, URL, -, DIRECTORY or --config=FILE is missing" : "";
  if (!options.config.empty())
    return "--config excludes " + operands.front();
  options.source = operands.front();
  if (options.source.empty())
    return "the name of the file is empty";
  return {};
}

// Returns the first error; empty: there is no error.
std::string convert(const Raw &raw, const std::vector<std::string> &listen,
                    const std::vector<std::string> &operands, Options &options) {
  options.loop = raw.loop;
  if (raw.check && raw.print)
    return "--check-config and --print-config exclude each other";
  if (std::string wrong = take_listen(listen, options); !wrong.empty())
    return wrong;
  if (std::string wrong = take_source(operands, options); !wrong.empty())
    return wrong;
  if (raw.loop && !options.config.empty())
    return "--config excludes --loop; a mount has the key loop";
  return {};
}

std::string absolute(const std::string &name) {
  const gstflv::StringPtr path(g_canonicalize_filename(name.c_str(), nullptr));
  return path.get();
}

// The part of a URL after its host, without the query.
std::string url_path(const std::string &url) {
  const std::string plain = url.substr(0, url.find_first_of("?#"));
  const std::size_t host = plain.find("://") + 3;
  return plain.substr(std::min(plain.find('/', host), plain.size()));
}

std::string escaped(const std::string &name) {
  const gstflv::StringPtr text(g_uri_escape_bytes(reinterpret_cast<const guint8 *>(name.data()),
                                                  name.size(), "!$&'()*+,;=:@"));
  return text.get();
}

std::string read_fault(const std::string &name) {
  return access(name.c_str(), R_OK) == 0 ? "" : "cannot read " + name + ": " + g_strerror(errno);
}

// Returns the error; empty: there is no error.
std::string add_source(const Options &options, Configuration &configuration) {
  const std::string &source = options.source;
  const std::string name = file_name(source);
  if (source != kStandard && !name.empty()) {
    if (std::string wrong = read_fault(name); !wrong.empty())
      return wrong;
    if (g_file_test(name.c_str(), G_FILE_TEST_IS_DIR)) {
      FilesFolder folder;
      folder.settings.root = absolute(name);
      configuration.folders.push_back(folder);
      return options.loop ? "--loop is for one file, and " + name + " is a folder" : "";
    }
  }
  MountSettings mount;
  mount.path = default_path(source);
  if (source == kStandard)
    mount.uri = "fd://0";
  else
    mount.uri = name.empty() ? source : absolute(name);
  mount.loop = options.loop;
  if (options.loop && !is_file(mount.uri))
    return "--loop needs a file, which can be read again";
  const std::string wrong = uri_fault(mount.uri);
  configuration.mounts.push_back(std::move(mount));
  return wrong.empty() ? "" : "cannot read " + source + ": " + wrong;
}

} // namespace

Parsed parse(int argc, char **argv) {
  Raw raw;
  const auto flag = [](const char *name, gboolean &target, const char *text) {
    return GOptionEntry{name, 0, 0, G_OPTION_ARG_NONE, &target, text, nullptr};
  };
  // Values are parsed as file names, because GOption requires other texts to be in the locale's
  // encoding.
  const std::array entries{
      GOptionEntry{"config", 'c', 0, G_OPTION_ARG_FILENAME, &raw.config,
                   "Serve what this file describes", "FILE"},
      GOptionEntry{"listen", 'l', 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.listen,
                   "Address (default: localhost:8080)", "[HOST:]PORT"},
      flag("loop", raw.loop, "Repeat the file"),
      flag("check-config", raw.check, "Check the configuration and exit"),
      flag("print-config", raw.print, "Print the configuration and exit"),
      flag("version", raw.version, "Print the version"),
      GOptionEntry{G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, nullptr,
                   nullptr},
      GOptionEntry{},
  };
  const Owned<GOptionContext> context(g_option_context_new("FILE|URL|-|DIRECTORY"));
  g_option_context_set_summary(context.get(), kSummary);
  g_option_context_set_description(context.get(), kExamples);
  g_option_context_add_main_entries(context.get(), entries.data(), nullptr);

  // For --help, GOption exits the program.
  Parsed parsed;
  GError *failure = nullptr;
  const bool understood = g_option_context_parse(context.get(), &argc, &argv, &failure);
  const Owned<GError> error(failure);
  const Owned<gchar> config(raw.config);
  const std::vector<std::string> listen = texts_of(raw.listen);
  const std::vector<std::string> operands = texts_of(raw.rest);
  if (understood && raw.version) {
    g_print("flvserve %s\n", VERSION);
    parsed.outcome = Parsed::Outcome::Done;
    return parsed;
  }
  if (config)
    parsed.options.config = config.get();
  parsed.complaint =
      understood ? convert(raw, listen, operands, parsed.options) : std::string(error->message);
  if (!parsed.complaint.empty())
    parsed.outcome = Parsed::Outcome::Wrong;
  else if (raw.check || raw.print)
    parsed.outcome = raw.check ? Parsed::Outcome::Check : Parsed::Outcome::Print;
  return parsed;
}

Loaded configuration_of(const Options &options) {
  Loaded loaded;
  if (!options.config.empty())
    loaded = load_configuration(options.config);
  else if (std::string wrong = add_source(options, loaded.configuration); !wrong.empty())
    loaded.complaints.push_back(std::move(wrong));
  if (options.listen)
    loaded.configuration.server.listen = *options.listen;
  return loaded;
}

std::string default_path(const std::string &source) {
  std::string path;
  if (source == kStandard || source.starts_with("fd://"))
    return kDefaultPath;
  if (const std::string file = file_name(source); !file.empty())
    path = '/' + escaped(file.substr(file.rfind('/') + 1));
  else
    path = url_path(source);
  path.erase(0, std::min(path.rfind('/'), path.size()));
  if (path.size() < 2)
    return kDefaultPath;
  if (!streamed_format(path)) {
    const std::size_t point = path.rfind('.');
    path = (point == std::string::npos || point < 2 ? path : path.substr(0, point)) + ".flv";
  }
  return path;
}

} // namespace flvserve
