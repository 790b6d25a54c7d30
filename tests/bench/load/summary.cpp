// SPDX-License-Identifier: LGPL-2.1-or-later
#include "summary.h"

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <optional>

#include "figures.h" // for percentile()
#include "text.h"

namespace load {

namespace {

struct Counts {
  std::size_t connected = 0;
  std::size_t refused = 0;
  std::size_t closed = 0;
  std::size_t stalled = 0;
  std::size_t stalled_closed = 0;
  std::size_t without_byte = 0;
  std::size_t without_key_frame = 0;
  std::size_t from_zero = 0;
  std::uint64_t bytes = 0;
  std::uint64_t tags = 0;
  std::uint64_t tag_errors = 0;
  std::uint64_t frame_errors = 0;
  std::uint32_t lowest = UINT32_MAX; // the first timestamp
  std::uint32_t highest = 0;
  std::optional<Nanoseconds> least_lead;
  std::vector<double> gaps; // ms, and so are the vectors below
  std::vector<double> first_bytes;
  std::vector<double> key_frames;
};

double ms(Nanoseconds time) {
  return static_cast<double>(time) / 1e6;
}

void add_stalled(const Client &client, Counts &counts) {
  ++counts.stalled;
  counts.stalled_closed += client.state() == Client::State::Closed ? 1 : 0;
}

void add_reader(const Client &client, Counts &counts) {
  const Sight &sight = client.sight();
  const TagScan &scan = client.scan();
  counts.closed += client.state() == Client::State::Closed ? 1 : 0;
  counts.bytes += sight.bytes;
  counts.tags += scan.tags();
  counts.tag_errors += scan.errors();
  counts.frame_errors += client.frame_errors();
  if (sight.first_byte == 0) {
    ++counts.without_byte;
  } else {
    counts.gaps.push_back(ms(sight.longest_gap));
    counts.first_bytes.push_back(ms(sight.first_byte - sight.requested));
  }
  if (sight.key_frame == 0)
    ++counts.without_key_frame;
  else
    counts.key_frames.push_back(ms(sight.key_frame - sight.requested));
  if (sight.least_lead)
    counts.least_lead = std::min(counts.least_lead.value_or(*sight.least_lead), *sight.least_lead);
  if (const auto first = scan.first_timestamp()) {
    counts.from_zero += *first == 0 ? 1 : 0;
    counts.lowest = std::min(counts.lowest, *first);
    counts.highest = std::max(counts.highest, *first);
  }
}

Counts count(const Crowd &crowd) {
  Counts counts;
  for (const Client &client : crowd.clients()) {
    if (!client.was_accepted()) {
      ++counts.refused;
      continue;
    }
    ++counts.connected;
    client.stalls() ? add_stalled(client, counts) : add_reader(client, counts);
  }
  return counts;
}

void append_spread(std::string &out, const char *name, std::vector<double> &values) {
  if (values.empty())
    return bench::append(out, "\"%s\": null, ", name);
  const double p50 = bench::percentile(values, 50);
  const double p99 = bench::percentile(values, 99);
  bench::append(out, "\"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, ", name, p50, p99,
                bench::percentile(values, 100));
}

} // namespace

std::string summary(const Crowd &crowd) {
  Counts counts = count(crowd);
  std::string out;
  bench::append(out,
                "{\"clients\": %zu, \"connected\": %zu, \"refused\": %zu, \"closed\": %zu, "
                "\"stalled\": %zu, \"stalled_closed\": %zu, \"without_byte\": %zu, "
                "\"without_key_frame\": %zu, ",
                crowd.clients().size(), counts.connected, counts.refused, counts.closed,
                counts.stalled, counts.stalled_closed, counts.without_byte,
                counts.without_key_frame);
  bench::append(out, "\"bytes\": %" PRIu64 ", \"tags\": %" PRIu64 ", \"mbit_per_client\": %.4f, ",
                counts.bytes, counts.tags, crowd.mbit_per_client());
  append_spread(out, "gap_ms", counts.gaps);
  append_spread(out, "first_byte_ms", counts.first_bytes);
  append_spread(out, "key_frame_ms", counts.key_frames);
  bench::append(out, "\"errors\": {\"tags\": %" PRIu64 ", \"frames\": %" PRIu64 "}, ",
                counts.tag_errors, counts.frame_errors);
  if (counts.least_lead)
    bench::append(out, "\"least_lead_ms\": %.0f, ", ms(*counts.least_lead));
  else
    out += "\"least_lead_ms\": null, ";
  if (counts.lowest <= counts.highest)
    bench::append(
        out, "\"first_timestamp\": {\"zero\": %zu, \"min\": %" PRIu32 ", \"max\": %" PRIu32 "}, ",
        counts.from_zero, counts.lowest, counts.highest);
  else
    out += "\"first_timestamp\": null, ";
  bench::append(out, "\"cpu_percent\": %.2f, \"round_ms\": %.2f}\n", crowd.cpu_percent(),
                crowd.longest_round_ms());
  return out;
}

} // namespace load
