// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the bytes that the classes of libs/flv/seek request.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flv/format/bytes.h"
#include "flv/seek/read_request.h"
#include "parts.h"

namespace flvserve {

class FileReader {
public:
  // `parts` must stay valid. It has shared bytes and file ranges only.
  explicit FileReader(const Parts &parts) : parts_(parts) {}

  // Valid until the next call. Fewer bytes are returned at the end of the file. nullopt: the file
  // cannot be read.
  [[nodiscard]] std::optional<flv::Bytes> read(const flv::ReadRequest &request);
  // Tells the kernel that these bytes will be read soon.
  void expect(const std::vector<flv::ReadRequest> &requests) const;

private:
  [[nodiscard]] bool fill(std::uint64_t offset, std::size_t size);

  const Parts &parts_;
  std::vector<std::uint8_t> block_;
  std::uint64_t offset_ = 0; // of the block
};

} // namespace flvserve
