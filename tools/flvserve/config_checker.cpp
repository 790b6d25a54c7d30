// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks a configuration, and makes settings of it.
#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <optional>

#include <unistd.h>

#include <glib.h>

#include "base/gst_ptr.h"
#include "common/values.h"
#include "configuration.h"
#include "httpserver/url_path.h"
#include "source_check.h"

namespace flvserve {

namespace {

std::string quoted(const std::string &value) {
  return '"' + value + '"';
}

std::string joined(const std::vector<std::string> &names) {
  std::string text;
  for (const std::string &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The items of a list, whose separator is ";". A separator at the end is allowed.
std::vector<std::string> items_of(const std::string &value) {
  std::vector<std::string> items;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t end = std::min(value.find(';', at), value.size());
    items.push_back(value.substr(at, end - at));
    at = end + 1;
  }
  return items;
}

std::string trimmed(const std::string &text) {
  const gstflv::StringPtr copy(g_strdup(text.c_str()));
  return g_strstrip(copy.get());
}

std::string set_flag(const std::string &value, bool &member) {
  if (value != "true" && value != "false")
    return quoted(value) + " is neither true nor false";
  member = value == "true";
  return {};
}

std::string set_number(const std::string &value, std::uint32_t &member) {
  const auto number = tools::parse_number(value, G_MAXUINT32);
  if (!number)
    return quoted(value) + " is not a number from 0 to " + std::to_string(G_MAXUINT32);
  member = static_cast<std::uint32_t>(*number);
  return {};
}

// Checks a configuration section by section. Faults have the line of their key.
class Checker {
public:
  explicit Checker(std::string folder) : folder_(std::move(folder)) {}

  Checked check(std::string_view text) {
    ConfigFile file = read_config_file(text);
    result_.faults = std::move(file.faults);
    for (const Section &section : file.sections)
      take_section(section);
    check_from();
    if (result_.faults.empty() && result_.configuration.mounts.empty() &&
        result_.configuration.folders.empty())
      fault(0, "there is neither a [mount /PATH] nor a [files /PATH]");
    std::ranges::stable_sort(result_.faults, {}, &Fault::line);
    if (result_.faults.empty())
      sort_mounts();
    return std::move(result_);
  }

private:
  using Take = std::function<std::string(const std::string &key, const std::string &value)>;

  void fault(unsigned line, std::string text) { result_.faults.push_back({line, std::move(text)}); }

  void take_section(const Section &section) {
    if (section.kind == "server")
      take_server(section);
    else if (section.kind == "mount")
      take_mount(section);
    else if (section.kind == "files")
      take_files(section);
    else
      fault(section.line, "unknown section " + title_of(section) +
                              "; the sections are [server], [mount /PATH] and [files /PATH]");
  }

  void take_entries(const Section &section, const std::vector<std::string> &keys,
                    const Take &take) {
    for (const Entry &entry : section.entries) {
      if (std::ranges::find(keys, entry.key) == keys.end()) {
        fault(entry.line, "unknown key \"" + entry.key + "\" in [" + section.kind +
                              "]; the keys are " + joined(keys));
        continue;
      }
      if (const std::string wrong = take(entry.key, entry.value); !wrong.empty())
        fault(entry.line, entry.key + ": " + wrong);
    }
  }

  [[nodiscard]] std::string absolute(const std::string &name) const {
    const gstflv::StringPtr path(g_canonicalize_filename(name.c_str(), folder_.c_str()));
    return path.get();
  }

  // The server.

  void take_server(const Section &section) {
    if (!section.name.empty())
      fault(section.line, "[server] has no name, but this is " + title_of(section));
    ServerSettings &server = result_.configuration.server;
    take_entries(section, server_keys(), [&](const std::string &key, const std::string &value) {
      if (key == "listen")
        return set_listen(value, server.listen);
      if (key == "tls-certificate")
        return set_readable(value, server.tls_certificate);
      if (key == "tls-key")
        return set_readable(value, server.tls_key);
      if (key == "access-log")
        return set_log(value, server.access_log);
      if (key == "access-log-format")
        return set_log_format(value, server.access_log_format);
      return set_number(value, key == "max-clients" ? server.max_clients : server.drain_timeout);
    });
    if (const Entry *key = section.find("tls-key"); key && !section.find("tls-certificate"))
      fault(key->line, "tls-key: there is no tls-certificate");
    if (const Entry *key = section.find("access-log-format"); key && !section.find("access-log"))
      fault(key->line, "access-log-format: there is no access-log");
  }

  static std::string set_listen(const std::string &value, std::vector<tools::Address> &member) {
    for (const std::string &each : items_of(value)) {
      const std::string item = trimmed(each);
      const auto address = parse_listen(item);
      if (!address)
        return quoted(item) + " is not [HOST:]PORT";
      const std::string text = listen_text(*address);
      if (std::ranges::any_of(member,
                              [&](const auto &other) { return listen_text(other) == text; }))
        return quoted(item) + " is there twice";
      member.push_back(*address);
    }
    return member.empty() ? "there is no address" : "";
  }

  std::string set_readable(const std::string &value, std::string &member) const {
    if (value.empty())
      return "the name of the file is missing";
    member = absolute(value);
    return access(member.c_str(), R_OK) == 0 ? ""
                                             : "cannot read " + member + ": " + g_strerror(errno);
  }

  std::string set_log(const std::string &value, std::string &member) const {
    if (value.empty())
      return "the name of the file is missing";
    member = value == "-" ? value : absolute(value);
    if (value == "-")
      return {};
    const gstflv::StringPtr folder(g_path_get_dirname(member.c_str()));
    if (g_file_test(member.c_str(), G_FILE_TEST_IS_DIR))
      return member + " is a folder";
    return g_file_test(folder.get(), G_FILE_TEST_IS_DIR)
               ? ""
               : std::string("there is no folder ") + folder.get();
  }

  static std::string set_log_format(const std::string &value, LogFormat &member) {
    for (const LogFormat format : {LogFormat::Common, LogFormat::Combined, LogFormat::Json}) {
      if (value == name_of(format)) {
        member = format;
        return {};
      }
    }
    return quoted(value) + " is not one of common, combined, json";
  }

  // Mounts.

  void take_mount(const Section &section) {
    MountSettings mount;
    mount.path = section.name;
    if (check_path(section) && !streamed_format(section.name))
      fault(section.line, title_of(section) + ": the extension of the path selects the container: "
                                              ".flv, .ts, .mkv, .webm, .mp3 or .ogg");
    take_entries(section, mount_keys(), [&](const std::string &key, const std::string &value) {
      return set_mount_key(mount, key, value);
    });
    check_source(section, mount);
    check_reports(section);
    sections_.push_back(section);
    result_.configuration.mounts.push_back(std::move(mount));
  }

  bool check_path(const Section &section) {
    const std::string &path = section.name;
    const std::string wrong =
        path.empty() ? "is missing, as in [" + section.kind + " /PATH]" : flvhttp::path_fault(path);
    if (wrong.empty())
      claim(path, section.line);
    else
      fault(section.line, title_of(section) + ": the path " + wrong);
    return wrong.empty();
  }

  // A path in another notation is the same path. A folder's path may end with a slash.
  void claim(const std::string &path, unsigned line) {
    std::string normal = flvhttp::normalized_path(path).value_or(path);
    if (normal.size() > 1 && normal.ends_with('/'))
      normal.pop_back();
    const auto [place, is_new] = claimed_.emplace(normal, line);
    if (!is_new)
      fault(line, "the path " + path + " is already in line " + std::to_string(place->second));
  }

  std::string set_mount_key(MountSettings &mount, const std::string &key,
                            const std::string &value) const {
    if (key == "uris")
      return set_uri(value, mount.uri);
    if (key == "launch") {
      mount.launch = value;
      return launch_fault(value);
    }
    if (key == "from") {
      mount.from = value;
      return {};
    }
    if (key == "loop")
      return set_flag(value, mount.loop);
    if (key == "live")
      return set_live(value, mount.live);
    mount.sink[key] = value;
    return sink_value_fault(key, value);
  }

  std::string set_uri(const std::string &value, std::string &member) const {
    const auto items = items_of(value);
    if (items.size() != 1)
      return "one URI is needed, and there are " + std::to_string(items.size());
    member = is_uri(items.front()) ? items.front() : absolute(items.front());
    return uri_fault(member);
  }

  static std::string set_live(const std::string &value, Live &member) {
    if (value != "auto" && value != "yes" && value != "no")
      return quoted(value) + " is not one of auto, yes, no";
    member = value == "yes" ? Live::Yes : value == "no" ? Live::No : Live::Auto;
    return {};
  }

  void check_source(const Section &section, const MountSettings &mount) {
    const Entry *first = nullptr;
    for (const char *key : {"uris", "launch", "from"}) {
      const Entry *entry = section.find(key);
      if (entry && first)
        fault(entry->line, std::string(key) + ": the mount already has \"" + first->key +
                               "\" in line " + std::to_string(first->line));
      first = first ? first : entry;
    }
    if (!first)
      return fault(section.line, title_of(section) + " has no uris, launch or from");
    const Entry *loop = section.find("loop");
    if (loop && mount.loop && (mount.uri.empty() || !is_file(mount.uri)))
      fault(loop->line, "loop: only a file can be repeated");
  }

  void check_reports(const Section &section) {
    for (const char *key : {"stats-path", "metrics-path"}) {
      const Entry *entry = section.find(key);
      if (entry && flvhttp::path_fault(entry->value).empty())
        claim(entry->value, entry->line);
    }
  }

  // `from` names a mount, and leads to one with a source of its own.
  void check_from() {
    auto &mounts = result_.configuration.mounts;
    for (std::size_t at = 0; at < mounts.size(); ++at) {
      if (mounts[at].from.empty())
        continue;
      const unsigned line = sections_[at].find("from")->line;
      const MountSettings *other = find_mount(mounts[at].from);
      if (!other) {
        fault(line, "from: there is no [mount " + mounts[at].from + "]");
        continue;
      }
      mounts[at].from = other->path;
      for (std::size_t steps = 0; other && !other->from.empty(); ++steps) {
        if (steps > mounts.size()) {
          fault(line, "from: the mounts take their streams from each other");
          break;
        }
        other = find_mount(other->from);
      }
    }
  }

  [[nodiscard]] const MountSettings *find_mount(const std::string &path) const {
    const auto normal = flvhttp::normalized_path(path);
    for (const MountSettings &mount : result_.configuration.mounts) {
      if (normal && flvhttp::normalized_path(mount.path) == normal)
        return &mount;
    }
    return nullptr;
  }

  void sort_mounts() {
    auto &mounts = result_.configuration.mounts;
    std::ranges::stable_sort(mounts, {},
                             [this](const MountSettings &mount) { return depth(mount); });
  }

  [[nodiscard]] std::size_t depth(const MountSettings &mount) const {
    std::size_t steps = 0;
    for (std::string from = mount.from; !from.empty(); ++steps) {
      const MountSettings *other = nullptr;
      for (const MountSettings &each : result_.configuration.mounts) {
        if (each.path == from)
          other = &each;
      }
      from = other ? other->from : "";
    }
    return steps;
  }

  // Folders.

  void take_files(const Section &section) {
    FilesFolder folder;
    static_cast<void>(check_path(section));
    folder.prefix = section.name;
    while (folder.prefix.ends_with('/'))
      folder.prefix.pop_back();
    take_entries(section, files_keys(), [&](const std::string &key, const std::string &value) {
      std::string wrong = set_files_key(folder.settings, key, value).value_or("");
      if (key == "root" && wrong.empty())
        wrong = set_root(folder.settings);
      return wrong;
    });
    if (!section.find("root"))
      fault(section.line, title_of(section) + " has no root");
    result_.configuration.folders.push_back(std::move(folder));
  }

  std::string set_root(FilesSettings &settings) const {
    settings.root = absolute(settings.root);
    return g_file_test(settings.root.c_str(), G_FILE_TEST_IS_DIR)
               ? ""
               : "there is no folder " + settings.root;
  }

  std::string folder_;
  Checked result_;
  std::vector<Section> sections_;           // of the mounts
  std::map<std::string, unsigned> claimed_; // normalized paths, and the lines of the first use
};

} // namespace

Checked check_configuration(std::string_view text, const std::string &folder) {
  return Checker(folder).check(text);
}

} // namespace flvserve
