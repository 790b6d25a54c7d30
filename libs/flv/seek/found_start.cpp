// SPDX-License-Identifier: LGPL-2.1-or-later
#include "found_start.h"

#include <algorithm>

namespace flv {

namespace {

// The maximum number of scanned configurations that are read again, the last ones first.
constexpr std::size_t kMaxConfigurations = 256;
// Bytes. Used if entries cannot be checked. Some indexes list the end-of-sequence tag at the end of
// the file, and no keyframe is this small.
constexpr double kLastTag = 64;

std::vector<ConfigurationSearch::Stretch> scanned_stretches(const KnownFile &file,
                                                            std::uint64_t place) {
  const auto &at_beginning = file.facts().configurations;
  const auto &known = file.scan().configurations();
  std::vector<ConfigurationSearch::Stretch> stretches;
  for (auto tag = known.rbegin(); tag != known.rend() && stretches.size() < kMaxConfigurations;
       ++tag) {
    if (tag->position < place &&
        !std::ranges::binary_search(at_beginning, tag->position, {}, &PlacedTag::position))
      stretches.push_back({tag->position, tag->position + tag->size});
  }
  return stretches;
}

} // namespace

ConfigurationSearch configuration_search(const KnownFile &file, const SeekPoint &place) {
  return {file.head_before(place.position),
          file.is_scanned()
              ? scanned_stretches(file, place.position)
              : likely_stretches(file.index().positions, file.facts().end, place.position)};
}

bool lists_keyframes(const KnownFile &file, const StartSettings &settings) {
  return settings.reinsert.metadata && settings.keyframes == MetadataKeyframes::Rewrite &&
         file.facts().metadata.find("keyframes") && file.is_index_whole();
}

KeyframeIndex stream_index(const KnownFile &file, const StartSettings &settings,
                           const FoundStart &found) {
  return index_of_part(file.index(), found.place.position, static_cast<double>(found.time) / 1000,
                       settings.stop);
}

KeyframeIndex unchecked_stream_index(const KnownFile &file, const StartSettings &settings,
                                     const FoundStart &found) {
  KeyframeIndex index = stream_index(file, settings, found);
  auto &[positions, times] = index;
  const double size = file.size() > 0 ? static_cast<double>(file.size())
                                      : summarize(file.facts().metadata).file_size.value_or(0);
  const auto last = static_cast<double>(positions.back());
  if (!file.is_scanned() && positions.size() > 1 && last < size && last + kLastTag > size) {
    positions.pop_back();
    times.pop_back();
  }
  return index;
}

std::uint64_t last_before(const FoundStart &found, std::uint64_t stop) {
  std::uint64_t last = found.place.position;
  if (found.part.index) {
    for (const std::uint64_t position : found.part.index->positions) {
      if (position < stop)
        last = std::max(last, position);
    }
  }
  return last;
}

StreamStart stream_start(const KnownFile &file, const StartSettings &settings, FoundStart found) {
  // Restores the producer's time base: players compare the times of the index with tag timestamps.
  if (found.part.index)
    rebase(*found.part.index, -file.base());
  StreamStart start;
  start.head = write_stream_head(file.facts(), found.head.parts(), found.part, settings.reinsert,
                                 settings.keyframes);
  start.position = found.place.position;
  start.stop = settings.stop;
  start.place = found.place;
  start.time = found.time;
  start.origin = std::int64_t{found.place.timestamp} - static_cast<std::int64_t>(found.time);
  return start;
}

// The search for this start can end before the first tag is known.
StreamStart whole_start(const KnownFile &file, const StartSettings &settings) {
  StreamStart start;
  start.stop = settings.stop;
  if (file.has_facts())
    start.origin = file.facts().first_timestamp().value_or(0);
  return start;
}

} // namespace flv
