// SPDX-License-Identifier: LGPL-2.1-or-later
// Messages of the elements that are neither errors nor warnings, in terms of options.
#pragma once

#include <string>

#include "options.h"
#include "pipeline.h"

namespace flvstream {

// Of the message with which flvseek tells of a start. Empty where nothing is noteworthy.
[[nodiscard]] std::string notice_of_start(const GstStructure *structure, const Options &options,
                                          const Pipeline &pipeline);

// Of the message with which flvpace tells of timestamps that jump.
[[nodiscard]] std::string notice_of_discontinuity(const GstStructure *structure);

} // namespace flvstream
