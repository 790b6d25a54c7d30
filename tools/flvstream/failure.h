// SPDX-License-Identifier: LGPL-2.1-or-later
// The texts for errors and warnings of the elements. They name files, addresses and options.
#pragma once

#include <string>

#include "intake.h"
#include "options.h"
#include "pipeline.h"

namespace flvstream {

// One line: the action that failed, the file or address, the reason, and the remedy if there is
// one.
[[nodiscard]] std::string failure_of(GstMessage *message, const Options &options,
                                     const Pipeline &pipeline, Intake &intake);

// Whether the error means that the receiver has closed.
[[nodiscard]] bool is_receiver_gone(GstMessage *error, const Pipeline &pipeline);

// Whether the error means that there is no key frame before the start. There may be one after it.
[[nodiscard]] bool is_before_key_frames(GstMessage *error, const Options &options,
                                        const Pipeline &pipeline);

} // namespace flvstream
