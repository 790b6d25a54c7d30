// SPDX-License-Identifier: LGPL-2.1-or-later
// Buffers that share a part of a larger buffer.
#pragma once

#include <memory>

#include "base/gst_ptr.h"

namespace flvpace {

// Allocating and freeing a buffer with its memory takes more time than finding a tag and its due
// time. So the pool reuses slices: an unreferenced slice returns to the pool, from any thread.
class SlicePool {
public:
  class Store; // shared by the pool and the slices in use

  SlicePool();
  ~SlicePool();
  SlicePool(const SlicePool &) = delete;
  SlicePool &operator=(const SlicePool &) = delete;

  // Returns a read-only slice: `size` bytes of `whole` from `offset` on. The slice holds a
  // reference to `whole`. `bytes`: all bytes of `whole`; their address must not change while
  // `whole` exists.
  [[nodiscard]] gstflv::BufferPtr cut(GstBuffer *whole, flv::Bytes bytes, gsize offset, gsize size);
  // Frees the slices that have returned.
  void clear();

private:
  const std::shared_ptr<Store> store_;
};

} // namespace flvpace
