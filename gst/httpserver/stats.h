// SPDX-License-Identifier: LGPL-2.1-or-later
// The statistics as a GstStructure, as JSON, and for Prometheus.
#pragma once

#include <string>

#include "base/gst_ptr.h"
#include "broadcast.h"

namespace flvhttp {

// Times are in µs since 1970, durations in s, lags in ms, rates in bits per second.
[[nodiscard]] gstflv::StructurePtr structure_of(const ClientStats &stats);
[[nodiscard]] gstflv::StructurePtr structure_of(const BroadcastStats &stats);

// The fields of a structure as a JSON object.
[[nodiscard]] std::string json_of(const GstStructure *structure);

// The Prometheus text format, version 0.0.4. `path`: the path of the stream, which becomes a label.
[[nodiscard]] std::string metrics_of(const BroadcastStats &stats, const std::string &path);

} // namespace flvhttp
