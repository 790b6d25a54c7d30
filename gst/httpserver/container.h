// SPDX-License-Identifier: LGPL-2.1-or-later
// The container of a stream.
#pragma once

#include <cstdint>
#include <string>

namespace flvhttp {

// Where a client finds the header that its container needs.
enum class ContainerHeader : std::uint8_t {
  InCaps,   // in the caps
  InStream, // in the stream, at each start point; or the container has no header
  AtStart,  // only at the start of the stream: the stream can be read only from its start
};

struct Container {
  std::string type; // the content type of responses
  ContainerHeader header = ContainerHeader::InStream;
};

} // namespace flvhttp
