// SPDX-License-Identifier: LGPL-2.1-or-later
// A start point that was found, and the data of its stream header.
#pragma once

#include "config_search.h"
#include "index_verify.h"
#include "known_file.h"

namespace flv {

struct FoundStart {
  SeekPoint place;
  std::uint64_t time = 0; // ms from the file's first tag
  std::vector<std::uint64_t> rejected;
  StreamHeader head; // the configurations in force at the place
  PartOfFile part;
};

// Searches the file for the configurations before `place`.
[[nodiscard]] ConfigurationSearch configuration_search(const KnownFile &file,
                                                       const SeekPoint &place);

// Whether the stream header lists keyframes, and all of them are known.
[[nodiscard]] bool lists_keyframes(const KnownFile &file, const StartSettings &settings);
// The index of the stream, before a check of its entries.
[[nodiscard]] KeyframeIndex stream_index(const KnownFile &file, const StartSettings &settings,
                                         const FoundStart &found);
// The same, if the entries are not checked.
[[nodiscard]] KeyframeIndex unchecked_stream_index(const KnownFile &file,
                                                   const StartSettings &settings,
                                                   const FoundStart &found);
// The last known keyframe before the stop.
[[nodiscard]] std::uint64_t last_before(const FoundStart &found, std::uint64_t stop);

[[nodiscard]] StreamStart stream_start(const KnownFile &file, const StartSettings &settings,
                                       FoundStart found);
// The start of the whole file.
[[nodiscard]] StreamStart whole_start(const KnownFile &file, const StartSettings &settings);

} // namespace flv
