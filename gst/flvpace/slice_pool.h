// SPDX-License-Identifier: LGPL-2.1-or-later
// Buffers that show a part of a larger one.
#pragma once

#include <memory>

#include "base/gst_ptr.h"

namespace flvpace {

// To make a buffer with a memory and to free them costs more than finding a tag and its time. So a
// slice that nobody holds any more comes back, from whatever thread that happens in, and shows
// another part the next time.
class SlicePool {
public:
  class Store; // shared by the slices that are out there

  SlicePool();
  ~SlicePool();
  SlicePool(const SlicePool &) = delete;
  SlicePool &operator=(const SlicePool &) = delete;

  // `size` bytes from `offset` on, read-only, of `whole`, which the slice holds. `bytes` are all of
  // it, where they stay as long as it lives.
  [[nodiscard]] gstflv::BufferPtr cut(GstBuffer *whole, flv::Bytes bytes, gsize offset, gsize size);
  // Frees those that came back.
  void clear();

private:
  const std::shared_ptr<Store> store_;
};

} // namespace flvpace
