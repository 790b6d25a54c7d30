// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells the kernel which parts of a local file will be read.
#pragma once

#include <vector>

#include <gst/gst.h>

#include "flv/seek/read_request.h"

namespace flvseek {

// Starts the reads from the disk, all at the same time, and does not wait for them. Does nothing if
// upstream is not a local file, or if its data is in the page cache. A source does not share its
// descriptor, so this opens the file of upstream's URI. A wrong file does no harm: nothing is read
// from this descriptor.
void read_ahead(GstPad *sink_pad, const std::vector<flv::ReadRequest> &requests);

} // namespace flvseek
