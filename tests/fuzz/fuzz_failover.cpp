// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is what a source sends. Its last byte sets the chunk sizes.
#include "fuzz.h"

#include <algorithm>
#include <optional>

#include "failover/source_reader.h"

using namespace failover;

namespace {

struct Result {
  Buffer bytes;
  std::size_t starts = 0;
  std::optional<Container> container;
  bool has_failed = false;
};

Result read_in_pieces(Bytes stream, std::size_t longest) {
  SourceReader reader;
  Result result;
  while (!stream.empty()) {
    const Bytes chunk = stream.first(std::min(longest, stream.size()));
    stream = stream.subspan(chunk.size());
    reader.begin(chunk);
    while (const auto piece = reader.next()) {
      REQUIRE(!piece->bytes.empty());
      REQUIRE(!(piece->is_start && piece->is_dependent));
      result.bytes.insert(result.bytes.end(), piece->bytes.begin(), piece->bytes.end());
      if (piece->is_start) {
        result.starts++;
        REQUIRE(reader.prefix().size() <= SourceReader::kMaxOpening + reader.header().size());
      }
    }
    if (reader.container())
      result.container = reader.container();
    result.has_failed = reader.failure() != nullptr;
  }
  return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size == 0)
    return 0;
  const Bytes stream(data, size - 1);
  const Result pieces = read_in_pieces(stream, data[size - 1] + std::size_t{1});
  const Result whole = read_in_pieces(stream, SIZE_MAX);
  REQUIRE(pieces.container == whole.container || pieces.has_failed || whole.has_failed);
  // A transport stream is searched for packets in what has arrived.
  if (whole.container && whole.container != Container::MpegTs && !pieces.has_failed &&
      !whole.has_failed) {
    REQUIRE(pieces.bytes == whole.bytes);
    REQUIRE(pieces.starts == whole.starts);
  }
  return 0;
}
