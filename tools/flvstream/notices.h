// SPDX-License-Identifier: LGPL-2.1-or-later
// The texts for messages of the elements that are neither errors nor warnings.
#pragma once

#include <string>

#include "options.h"
#include "pipeline.h"

namespace flvstream {

// The text for flvseek's message about a start. Empty if there is nothing to print.
[[nodiscard]] std::string notice_of_start(const GstStructure *structure, const Options &options,
                                          const Pipeline &pipeline);

// The text for the converter's message about a start at `begin`, in ms.
[[nodiscard]] std::string notice_of_converted_start(const GstStructure *structure,
                                                    const Options &options, guint64 begin);

// The text for flvpace's message about a jump of the timestamps.
[[nodiscard]] std::string notice_of_discontinuity(const GstStructure *structure);

} // namespace flvstream
