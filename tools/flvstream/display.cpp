// SPDX-License-Identifier: LGPL-2.1-or-later
#include "display.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <string_view>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/gst_ptr.h"

namespace flvstream {

namespace {

template <typename... Numbers> std::string print(const char *pattern, Numbers... numbers) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), pattern, numbers...);
  return text.data();
}

std::string clock_of(std::int64_t ms, bool tenths) {
  constexpr std::int64_t kMinute = 60'000;
  const std::int64_t minutes = ms / kMinute;
  const std::string text = print("%" PRId64 ":%02" PRId64 ":%02" PRId64, minutes / 60, minutes % 60,
                                 ms % kMinute / 1000);
  return tenths ? text + print(".%" PRId64, ms % 1000 / 100) : text;
}

std::string quoted(const std::string &text) {
  const gstflv::StringPtr valid(g_utf8_make_valid(text.c_str(), -1));
  std::string out = "\"";
  for (const char c : std::string_view(valid.get())) {
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (static_cast<unsigned char>(c) < ' ')
      out += print("\\u%04x", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + '"';
}

class Object {
public:
  void add(const char *name, const std::string &text) { put(name, quoted(text)); }
  void add(const char *name, std::uint64_t number) { put(name, print("%" PRIu64, number)); }
  void add(const char *name, std::int64_t number) { put(name, print("%" PRId64, number)); }
  void add(const char *name, double number) {
    // The decimal separator is a point in every locale.
    std::array<char, G_ASCII_DTOSTR_BUF_SIZE> text{};
    put(name, g_ascii_formatd(text.data(), static_cast<int>(text.size()), "%.3f", number));
  }
  [[nodiscard]] std::string text() const { return "{" + text_ + "}\n"; }

private:
  void put(const char *name, const std::string &value) {
    text_ += (text_.empty() ? "" : ", ") + quoted(name) + ": " + value;
  }
  std::string text_;
};

// A part of the line, with the space before it. If the line is too short for all parts, those of
// lower weight take precedence.
struct Part {
  int weight;
  std::string text;
  bool shown = false;
};

std::vector<Part> parts_of(const Progress &progress) {
  std::vector<Part> parts{{0, clock_of(progress.position, true)}};
  if (progress.duration)
    parts.push_back({4, " of " + clock_of(*progress.duration, false)});
  if (progress.share)
    parts.push_back({2, print("  %.0f %%", *progress.share * 100)});
  parts.push_back({6, print("  %.0f kbit/s", progress.bits_per_second / 1000)});
  if (progress.lead)
    parts.push_back({5, print("  lead %.1f s", static_cast<double>(*progress.lead) / 1000)});
  if (progress.clients)
    parts.push_back(
        {3, print(*progress.clients == 1 ? "  %u client" : "  %u clients", *progress.clients)});
  if (progress.names_no_pace)
    parts.push_back({1, "  paced; see --no-pace"});
  return parts;
}

} // namespace

void complain(const std::string &text) {
  std::string line = "flvstream: " + text;
  std::replace_if(
      line.begin(), line.end(), [](char c) { return g_ascii_iscntrl(c) != 0; }, '?');
  line += '\n';
  // A file name may be invalid UTF-8, which g_printerr() does not accept.
  if (g_utf8_validate(line.c_str(), -1, nullptr))
    g_printerr("%s", line.c_str());
  else
    std::fputs(line.c_str(), stderr);
}

std::size_t terminal_width() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsual;
}

std::string line_of(const Progress &progress, std::size_t width) {
  std::vector<Part> parts = parts_of(progress);
  std::vector<Part *> by_weight;
  by_weight.reserve(parts.size());
  for (Part &part : parts)
    by_weight.push_back(&part);
  std::stable_sort(by_weight.begin(), by_weight.end(),
                   [](const Part *a, const Part *b) { return a->weight < b->weight; });
  std::size_t left = std::max<std::size_t>(width, 1) - 1;
  for (Part *part : by_weight) {
    part->shown = part->text.size() <= left;
    if (part->shown)
      left -= part->text.size();
    else if (part->weight == 0)
      break;
  }
  std::string line;
  for (const Part &part : parts) {
    if (part.shown)
      line += part.text;
  }
  return line;
}

std::string json_of(const Summary &summary) {
  Object object;
  object.add("input", summary.input);
  object.add("result", summary.result);
  if (!summary.error.empty())
    object.add("error", summary.error);
  object.add("start_offset", summary.start_offset);
  object.add("start_ms", summary.start_time);
  object.add("position_ms", summary.position);
  object.add("seconds", summary.seconds);
  object.add("bytes", summary.bytes);
  object.add("audio_tags", summary.audio_tags);
  object.add("video_tags", summary.video_tags);
  object.add("script_tags", summary.script_tags);
  object.add("key_frames", summary.key_frames);
  object.add("late_tags", summary.late_tags);
  object.add("discontinuities", summary.discontinuities);
  object.add("rounds", summary.rounds);
  if (summary.clients)
    object.add("clients", *summary.clients);
  return object.text();
}

} // namespace flvstream
