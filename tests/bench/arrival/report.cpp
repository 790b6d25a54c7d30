// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report.h"

#include <cinttypes>
#include <cmath>
#include <cstdint>

#include "text.h"

namespace bench {

namespace {

// Rounds to one decimal, without a negative zero.
double tenths(double value) {
  return std::round(value * 10) / 10 + 0.0;
}

const char *truth(bool value) {
  return value ? "true" : "false";
}

void append_pace_json(std::string &out, const std::optional<Pace> &pace) {
  if (!pace) {
    out += R"(  "paced_tags": 0,
  "lateness_ms": null,
  "drift_ppm": null,
)";
    return;
  }
  append(out, "  \"paced_tags\": %zu,\n", pace->tags);
  append(out, "  \"lateness_ms\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f},\n",
         pace->lateness.p50, pace->lateness.p90, pace->lateness.p99, pace->lateness.max);
  if (pace->drift_ppm)
    append(out, "  \"drift_ppm\": %.2f,\n", *pace->drift_ppm);
  else
    out += "  \"drift_ppm\": null,\n";
}

void append_lead_json(std::string &out, const Figures &figures) {
  append(out, "  \"burst_ms\": %.3f,\n  \"lead_ms\": {\"start\": %.0f, ", figures.burst,
         figures.start_media);
  if (figures.lead)
    append(out, "\"minimum\": %.3f, \"median\": %.3f},\n", figures.lead->minimum,
           figures.lead->median);
  else
    out += "\"minimum\": null, \"median\": null},\n";
}

// Every type of fault and its number, for text and JSON.
struct Fault {
  const char *name;
  const char *words;
  std::uint64_t count;
};

std::array<Fault, 8> faults(const Report &report) {
  const Counts &counts = report.meter.counts();
  return {{{"damaged_places", "damaged places", counts.damaged_places},
           {"skipped_bytes", "bytes skipped", counts.skipped_bytes},
           {"truncated_bytes", "bytes of an unfinished tag", counts.truncated_bytes},
           {"wrong_previous_sizes", "wrong PreviousTagSizes", counts.wrong_previous_sizes},
           {"backward_timestamps", "timestamps going back", counts.backward_timestamps},
           {"discontinuities", "discontinuities", counts.discontinuities},
           {"extra_file_headers", "file headers in the middle", counts.extra_file_headers},
           {"lost_datagrams", "datagrams lost here", report.lost_datagrams}}};
}

std::string describe_start(const Start &start) {
  if (start.decodable())
    return "starts decodable";
  std::string out = "starts without";
  const char *separator = " ";
  const auto miss = [&](bool there, const char *what) {
    if (there)
      return;
    append(out, "%s%s", separator, what);
    separator = ", ";
  };
  miss(start.file_header, "file header");
  miss(start.metadata, "metadata");
  miss(start.configuration, "configuration");
  miss(start.key_frame, "key frame");
  return out;
}

} // namespace

std::string to_json(const Report &report) {
  const Counts &counts = report.meter.counts();
  const Figures &figures = report.figures;
  const Start &start = report.meter.start();
  std::string out = "{\n";
  append(out,
         "  \"tags\": {\"audio\": %" PRIu64 ", \"video\": %" PRIu64 ", \"script\": %" PRIu64
         ", \"key_frames\": %" PRIu64 ", \"configurations\": %" PRIu64 "},\n",
         counts.audio, counts.video, counts.script, counts.key_frames, counts.configurations);
  append(out, "  \"bytes\": %" PRIu64 ",\n", counts.bytes);
  append(out, "  \"wall_seconds\": %.6f,\n  \"media_seconds\": %.3f,\n", figures.wall / 1000,
         figures.media / 1000);
  append_lead_json(out, figures);
  append_pace_json(out, figures.pace);
  out += "  \"errors\": {";
  const char *separator = "";
  for (const Fault &fault : faults(report)) {
    append(out, "%s\"%s\": %" PRIu64, separator, fault.name, fault.count);
    separator = ", ";
  }
  append(out, "},\n  \"interleaved_steps_back\": %" PRIu64, counts.interleaved_steps_back);
  append(out,
         ",\n  \"start\": {\"file_header\": %s, \"metadata\": %s, \"configuration\": %s, "
         "\"key_frame\": %s},\n",
         truth(start.file_header), truth(start.metadata), truth(start.configuration),
         truth(start.key_frame));
  append(out, "  \"starts_decodable\": %s\n}\n", truth(start.decodable()));
  return out;
}

std::string summary(const Figures &figures) {
  std::string out;
  append(out, "burst %.0f ms", figures.burst);
  if (figures.pace)
    append(out, " · lateness p50 %.2f, p99 %.2f, max %.2f ms", figures.pace->lateness.p50,
           figures.pace->lateness.p99, figures.pace->lateness.max);
  if (figures.pace && figures.pace->drift_ppm)
    append(out, " · drift %+.1f ppm", tenths(*figures.pace->drift_ppm));
  return out;
}

std::string to_text(const Report &report) {
  const Counts &counts = report.meter.counts();
  const Figures &figures = report.figures;
  std::string out;
  append(out,
         "received  %" PRIu64 " tags (%" PRIu64 " audio, %" PRIu64 " video, %" PRIu64
         " script), %.2f MB: %.2f s of media in %.2f s\n",
         counts.tags(), counts.audio, counts.video, counts.script,
         static_cast<double>(counts.bytes) / 1e6, figures.media / 1000, figures.wall / 1000);
  append(out, "lead      %.0f ms within the first %.0f ms", figures.start_media, kStartWindow);
  if (figures.lead)
    append(out, ", then median %.1f, minimum %.1f ms", figures.lead->median, figures.lead->minimum);
  out += '\n';
  if (const auto &pace = figures.pace) {
    append(out, "lateness  p50 %.2f, p90 %.2f, p99 %.2f, max %.2f ms (%zu tags)\n",
           pace->lateness.p50, pace->lateness.p90, pace->lateness.p99, pace->lateness.max,
           pace->tags);
    if (pace->drift_ppm)
      append(out, "drift     %+.1f ppm\n", tenths(*pace->drift_ppm));
  } else {
    out += "lateness  not paced\n";
  }
  out += "stream    " + describe_start(report.meter.start());
  bool whole = true;
  for (const Fault &fault : faults(report)) {
    if (fault.count == 0)
      continue;
    append(out, ", %" PRIu64 " %s", fault.count, fault.words);
    whole = false;
  }
  out += whole ? ", no faults\n" : "\n";
  return out;
}

} // namespace bench
