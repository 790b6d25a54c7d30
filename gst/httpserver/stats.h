// SPDX-License-Identifier: LGPL-2.1-or-later
// How it goes, for applications, pages and monitors.
#pragma once

#include <string>

#include "base/gst_ptr.h"
#include "broadcast.h"

namespace flvhttp {

// Times since 1970 in µs, durations in s, lags in ms, rates in bits a second.
[[nodiscard]] gstflv::StructurePtr structure_of(const ClientStats &stats);
[[nodiscard]] gstflv::StructurePtr structure_of(const ChannelStats &stats);

// A structure's fields as a JSON object.
[[nodiscard]] std::string json_of(const GstStructure *structure);

// Prometheus' text format, version 0.0.4. `path` is the stream's, as a label.
[[nodiscard]] std::string metrics_of(const ChannelStats &stats, const std::string &path);

} // namespace flvhttp
