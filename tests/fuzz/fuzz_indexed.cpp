// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is a byte of settings, then a file:
//   policy (1 bit)
#include "fuzz.h"

#include <algorithm>

#include "drive.h"
#include "flv/seek/indexed_file.h"

using namespace flv;
using flvtest::Buffer;

namespace {

void look(IndexedFile &indexed, Bytes file) {
  // A scan can read a damaged part of the file more than once, in blocks of 1 KiB.
  const std::size_t bound = 10'000 + 20 * file.size();
  std::size_t reads = 0;
  while (const auto wanted = indexed.next_request()) {
    REQUIRE(wanted->size > 0);
    REQUIRE(++reads <= bound);
    for (const ReadRequest &likely : indexed.take_likely_requests())
      REQUIRE(likely.offset < file.size() && likely.size > 0);
    indexed.supply(flvtest::piece(file, *wanted));
  }
}

void check_index(const KeyframeIndex &index, std::uint64_t size) {
  REQUIRE(index.positions.size() == index.times.size());
  for (std::size_t i = 0; i < index.positions.size(); ++i) {
    REQUIRE(index.positions[i] < size && index.times[i] >= 0);
    REQUIRE(i == 0 || index.positions[i] > index.positions[i - 1]);
    REQUIRE(i == 0 || index.times[i] >= index.times[i - 1]);
  }
}

void check_points(const IndexedFile &indexed) {
  const auto points = indexed.byte_points();
  if (points.empty())
    return;
  REQUIRE(points.front() == (BytePoint{0, 0}));
  REQUIRE(points.back().position == indexed.size());
  for (std::size_t i = 1; i < points.size(); ++i) {
    REQUIRE(points[i].position > points[i - 1].position);
    REQUIRE(points[i].time >= points[i - 1].time);
  }
}

bool is_key_frame(Bytes file, std::uint64_t position) {
  TagHeader header;
  const Bytes tag = file.subspan(static_cast<std::size_t>(position));
  if (tag.size() < kTagHeaderSize ||
      read_tag_header(tag.data(), kMaxDataSize, header).kind != Fault::Kind::None)
    return false;
  Bytes data = tag.subspan(kTagHeaderSize);
  data = data.first(std::min<std::size_t>(data.size(), header.data_size));
  return classify(header.type, data).role == Role::KeyFrame;
}

// Each byte is that of the stored file at the mapped position.
void check_mapping(const VirtualFile &virtual_file, Bytes made, Bytes stored) {
  for (std::uint64_t i = 0; i <= made.size(); ++i) {
    const auto position = virtual_file.to_stored(i);
    if (!position)
      continue;
    REQUIRE(virtual_file.from_stored(*position) == i);
    REQUIRE(*position <= stored.size());
    REQUIRE(i == made.size() ||
            made[static_cast<std::size_t>(i)] == stored[static_cast<std::size_t>(*position)]);
  }
  REQUIRE(virtual_file.to_stored(made.size()) == stored.size());
}

void check_virtual(const VirtualFile &virtual_file, Bytes stored) {
  REQUIRE(virtual_file.body_offset + virtual_file.body_size == stored.size());
  const Buffer made = flvtest::joined(
      {virtual_file.head, stored.subspan(static_cast<std::size_t>(virtual_file.body_offset))});
  REQUIRE(made.size() == virtual_file.size());
  check_mapping(virtual_file, made, stored);
  FileProbe probe;
  (void)flvtest::drive(probe, virtual_file.head);
  REQUIRE(probe.facts().metadata_tag && probe.facts().metadata_status == Status::Ok);
  KeyframeIndex listed;
  REQUIRE(read_keyframe_index(probe.facts().metadata, made.size(), listed).kind ==
          IndexFault::Kind::None);
  REQUIRE(listed.positions == virtual_file.index.positions);
  REQUIRE(listed.times == virtual_file.index.times);
  REQUIRE(summarize(probe.facts().metadata).file_size == static_cast<double>(made.size()));
  // The first entry can be a configuration.
  for (std::size_t i = 1; i < listed.positions.size(); ++i)
    REQUIRE(is_key_frame(made, listed.positions[i]));
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto policy = data[0] & 1 ? IndexedFile::Policy::Stored : IndexedFile::Policy::Auto;
  const Bytes file(data + 1, size - 1);
  IndexedFile indexed(file.size(), policy);
  look(indexed, file);
  REQUIRE(indexed.is_flv() || !indexed.reason().empty());
  check_index(indexed.index(), indexed.size());
  check_points(indexed);
  if (!indexed.virtual_file()) {
    REQUIRE(indexed.size() == file.size());
    return 0;
  }
  REQUIRE(policy == IndexedFile::Policy::Auto && !indexed.reason().empty());
  check_virtual(*indexed.virtual_file(), file);
  return 0;
}
