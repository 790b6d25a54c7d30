// SPDX-License-Identifier: LGPL-2.1-or-later
#include "write_batch.h"

#include <algorithm>

namespace fanout {

void WriteBatch::clear() {
  first_ = 0;
  count_ = 0;
  tags_ = 0;
  size_ = 0;
}

void WriteBatch::add(Bytes bytes) {
  if (bytes.empty())
    return;
  parts_[count_++] = {const_cast<std::uint8_t *>(bytes.data()), bytes.size()};
  size_ += bytes.size();
}

void WriteBatch::add_tag(Bytes tag, std::uint32_t timestamp) {
  auto &header = headers_[tags_++];
  std::copy_n(tag.begin(), header.size(), header.begin());
  flv::store_timestamp(header.data(), timestamp);
  add(header);
  add(tag.subspan(header.size()));
}

void WriteBatch::skip(std::size_t count) {
  size_ -= count;
  while (count > 0 && count >= parts_[first_].iov_len)
    count -= parts_[first_++].iov_len;
  if (count > 0) {
    parts_[first_].iov_base = static_cast<std::uint8_t *>(parts_[first_].iov_base) + count;
    parts_[first_].iov_len -= count;
  }
}

} // namespace fanout
