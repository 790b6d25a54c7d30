// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream_ids.h"

#include <algorithm>

namespace flv {

bool StreamIds::is_likely(std::uint32_t id) {
  constexpr std::uint32_t kLowest = 0x0000FF;
  constexpr std::uint32_t kHighest = 0xFF0000;
  return (id & ~kLowest) == 0 || (id & ~kHighest) == 0;
}

bool StreamIds::is_empty() const {
  return std::ranges::all_of(known_, [](const Known &each) { return each.tags == 0; });
}

bool StreamIds::expects(const TagHeader &header) const {
  const Known &known = of(header);
  return header.stream_id == (known.tags > 0 ? known.id : 0);
}

bool StreamIds::accepts(const TagHeader &header) const {
  const Known &own = of(header);
  if (own.tags >= kSettled)
    return header.stream_id == own.id;
  const bool is_known = std::ranges::any_of(
      known_, [&](const Known &each) { return each.tags > 0 && each.id == header.stream_id; });
  return is_empty() || is_known || is_likely(header.stream_id);
}

void StreamIds::note(const TagHeader &header) {
  Known &known = of(header);
  if (known.tags == 0 || known.id != header.stream_id)
    known = {header.stream_id, 1};
  else
    known.tags = std::min(known.tags + 1, kSettled);
}

Fault read_tag_header(const std::uint8_t *data, std::uint32_t max_data_size, const StreamIds &ids,
                      TagHeader &header) {
  TagHeader read;
  if (const Fault fault = read_tag_header(data, max_data_size, read);
      fault.kind != Fault::Kind::None)
    return fault;
  if (!ids.accepts(read))
    return {Fault::Kind::StreamId, read.stream_id};
  header = read;
  return {};
}

} // namespace flv
