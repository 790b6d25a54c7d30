// SPDX-License-Identifier: LGPL-2.1-or-later
#include "folder_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>

#include "file_path.h"
#include "media_type.h"

namespace flvserve {

namespace {

struct CloseFolder {
  void operator()(DIR *folder) const { closedir(folder); }
};

std::string escaped_text(std::string_view text) {
  std::string out;
  for (const char each : text) {
    switch (each) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      out += each;
    }
  }
  return out;
}

std::string size_text(std::uint64_t size) {
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB"};
  if (size < 1000)
    return std::to_string(size) + " B";
  auto number = static_cast<double>(size) / 1000;
  std::size_t unit = 0;
  while (number >= 1000 && unit + 1 < kUnits.size()) {
    number /= 1000;
    unit++;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", number, kUnits[unit]);
  return text;
}

std::string date_text(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  if (!gmtime_r(&time, &parts))
    return "";
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts)};
}

std::string link(const std::string &target, std::string_view text) {
  return "<a href=\"" + escaped_text(target) + "\">" + escaped_text(text) + "</a>";
}

// "./" in front: a name can look like a scheme ("a:b").
std::string row(const FolderEntry &entry) {
  const std::string target = "./" + escaped_segment(entry.name) + (entry.is_folder ? "/" : "");
  const std::string_view type = media_type(entry.name);
  std::string play;
  if (!entry.is_folder && is_playable(type))
    play = link(plays_in_browsers(type) ? target : target + "?play", "play");
  return "<tr><td>" + link(target, entry.name + (entry.is_folder ? "/" : "")) + "<td>" + play +
         "<td>" + (entry.is_folder ? "" : size_text(entry.size)) + "<td>" +
         date_text(entry.modified) + "\n";
}

} // namespace

std::vector<FolderEntry> read_folder(int descriptor) {
  std::vector<FolderEntry> entries;
  // Its own position: other threads may list the same folder.
  const int own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseFolder> folder(own >= 0 ? fdopendir(own) : nullptr);
  if (!folder) {
    if (own >= 0)
      close(own);
    return entries;
  }
  while (const dirent *found = readdir(folder.get())) {
    struct stat info {};
    if (found->d_name[0] == '.' || fstatat(own, found->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode))
      entries.push_back({found->d_name, S_ISDIR(info.st_mode),
                         static_cast<std::uint64_t>(info.st_size), info.st_mtim.tv_sec});
    if (entries.size() >= kMaxEntries)
      break;
  }
  std::ranges::sort(entries, [](const FolderEntry &a, const FolderEntry &b) {
    return a.is_folder != b.is_folder ? a.is_folder : a.name < b.name;
  });
  return entries;
}

std::string folder_page(std::string_view path, bool has_parent,
                        const std::vector<FolderEntry> &entries) {
  const std::string title = escaped_text(path);
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n"
                     "<title>" +
                     title +
                     "</title>\n<style>body{font-family:sans-serif;margin:2em}"
                     "td{padding:.2em 1em .2em 0}td:nth-child(3){text-align:right}</style>\n<h1>" +
                     title + "</h1>\n<table>\n";
  if (has_parent)
    page += "<tr><td>" + link("../", "../") + "<td><td><td>\n";
  for (const FolderEntry &entry : entries)
    page += row(entry);
  page += "</table>\n";
  if (entries.size() >= kMaxEntries)
    page += "<p>Only the first " + std::to_string(kMaxEntries) + " entries are listed.\n";
  return page;
}

std::string playlist(std::string_view base, std::string_view path, std::string_view name) {
  std::string title(name);
  std::ranges::replace_if(
      title, [](char each) { return each == '\n' || each == '\r'; }, ' ');
  return "#EXTM3U\n#EXTINF:-1," + title + "\n" + std::string(base) + std::string(path) + "\n";
}

} // namespace flvserve
