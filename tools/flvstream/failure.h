// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors and warnings of elements, in terms of files, addresses and options.
#pragma once

#include <string>

#include "intake.h"
#include "options.h"
#include "pipeline.h"

namespace flvstream {

// One line: what cannot be done with which file or address, why, and the way on where there is one.
[[nodiscard]] std::string failure_of(GstMessage *message, const Options &options,
                                     const Pipeline &pipeline, Intake &intake);

// The error says that the receiver has closed.
[[nodiscard]] bool is_receiver_gone(GstMessage *error, const Pipeline &pipeline);

// The error says that there is no key frame before the start. There may be one behind it.
[[nodiscard]] bool is_before_key_frames(GstMessage *error, const Options &options,
                                        const Pipeline &pipeline);

} // namespace flvstream
