// SPDX-License-Identifier: LGPL-2.1-or-later
#include "slice_pool.h"

#include <atomic>
#include <utility>

namespace flvpace {

using gstflv::BufferPtr;

namespace {

struct Slice;

} // namespace

// The slices that have returned.
class SlicePool::Store {
public:
  // From one thread at a time.
  [[nodiscard]] Slice *take();
  // Frees the slices that have returned.
  void clear();
  // Frees the slices that have returned. After that, no slice is taken or returned.
  void close();

  // From any thread. Whether one more slice may return later. false: the limit is reached.
  [[nodiscard]] bool admit();
  void forget_slice() { admitted_.fetch_sub(1, std::memory_order_relaxed); }
  [[nodiscard]] bool supply(Slice &slice);

private:
  // Sinks that send each buffer at once hold fewer slices than this.
  static constexpr int kMost = 512;

  std::atomic<int> admitted_ = 0;
  std::atomic<Slice *> returned_ = nullptr; // the last one; &closed: the store is closed
  Slice *ready_ = nullptr;                  // the last one of a list taken from returned_
};

namespace {

using Store = SlicePool::Store;

// A memory that is a part of a buffer. Its offset counts from `data`.
struct Slice {
  GstMemory memory{};
  guint8 *data = nullptr;
  BufferPtr whole; // unset in the store, and if the slice shares another slice's memory

  // Set if the slice may return:
  std::shared_ptr<Store> store;
  GstBuffer *buffer = nullptr; // contains the memory, and owns it
  Slice *next = nullptr;       // in the store
};

Slice &slice_of(GstMemory *memory) {
  return *reinterpret_cast<Slice *>(memory);
}

} // namespace

// --- The memory ---

struct FlvPaceSlices {
  GstAllocator parent;
};
struct FlvPaceSlicesClass {
  GstAllocatorClass parent;
};

// NOLINTNEXTLINE
G_DEFINE_TYPE(FlvPaceSlices, flv_pace_slices, GST_TYPE_ALLOCATOR)

namespace {

GstAllocator *allocator() {
  static GstAllocator *const only = [] {
    auto *made = GST_ALLOCATOR(g_object_new(flv_pace_slices_get_type(), nullptr));
    GST_OBJECT_FLAG_SET(made, GST_OBJECT_FLAG_MAY_BE_LEAKED);
    gst_object_ref_sink(made);
    return made;
  }();
  return only;
}

Slice *make_slice(GstMemory *parent, guint8 *data, gsize whole_size, gsize offset, gsize size) {
  auto *slice = new Slice;
  slice->data = data;
  gst_memory_init(&slice->memory, GST_MEMORY_FLAG_READONLY, allocator(), parent, whole_size, 0,
                  offset, size);
  return slice;
}

void free_slice(GstAllocator *, GstMemory *memory) noexcept {
  Slice *slice = &slice_of(memory);
  if (slice->store)
    slice->store->forget_slice();
  delete slice;
}

gpointer map_slice(GstMemory *memory, gsize, GstMapFlags) noexcept {
  return slice_of(memory).data;
}

void unmap_slice(GstMemory *) noexcept {}

GstMemory *share_slice(GstMemory *memory, gssize offset, gssize size) noexcept {
  const gsize begin = memory->offset + static_cast<gsize>(offset);
  const gsize end = size < 0 ? memory->offset + memory->size : begin + static_cast<gsize>(size);
  return &make_slice(memory->parent ? memory->parent : memory, slice_of(memory).data,
                     memory->maxsize, begin, end - begin)
              ->memory;
}

// Whether two parts of one slice are adjacent, for callers that merge memories.
gboolean is_span(GstMemory *first, GstMemory *second, gsize *offset) noexcept {
  if (offset)
    *offset = first->offset - first->parent->offset;
  return first->offset + first->size == second->offset;
}

} // namespace

static void flv_pace_slices_class_init(FlvPaceSlicesClass *klass) {
  klass->parent.free = free_slice;
}

static void flv_pace_slices_init(FlvPaceSlices *self) {
  GstAllocator *base = &self->parent;
  base->mem_type = "FlvPaceSlice";
  base->mem_map = map_slice;
  base->mem_unmap = unmap_slice;
  base->mem_share = share_slice;
  base->mem_is_span = is_span;
  GST_OBJECT_FLAG_SET(self, GST_ALLOCATOR_FLAG_CUSTOM_ALLOC);
}

// --- The buffer ---

namespace {

// The dispose function of an ordinary buffer.
GstMiniObjectDisposeFunction usual_dispose() {
  static const GstMiniObjectDisposeFunction function = [] {
    const BufferPtr any(gst_buffer_new());
    return GST_MINI_OBJECT_CAST(any.get())->dispose;
  }();
  return function;
}

// The buffer's original slice, if it is the buffer's only memory and has no other reference.
Slice *own_slice(GstBuffer *buffer) {
  GstMemory *memory =
      gst_buffer_n_memory(buffer) == 1 ? gst_buffer_peek_memory(buffer, 0) : nullptr;
  if (!memory || memory->allocator != allocator() || GST_MINI_OBJECT_REFCOUNT_VALUE(memory) > 1)
    return nullptr;
  Slice *slice = &slice_of(memory);
  return slice->buffer == buffer ? slice : nullptr;
}

// The buffer returns to the store if it has its original memory and no metas. Otherwise it is
// freed. As with GStreamer's own pools, other attachments stay: qdata and weak references.
gboolean dispose(GstMiniObject *object) noexcept {
  GstBuffer *buffer = GST_BUFFER_CAST(object);
  Slice *slice = own_slice(buffer);
  gpointer first_meta = nullptr;
  if (!slice || gst_buffer_iterate_meta(buffer, &first_meta))
    return usual_dispose()(object);
  slice->whole.reset();
  return slice->store->supply(*slice) ? FALSE : usual_dispose()(object);
}

void free_returned(Slice *slice) {
  while (slice) {
    GstBuffer *buffer = std::exchange(slice, slice->next)->buffer;
    GST_MINI_OBJECT_CAST(buffer)->dispose = usual_dispose();
    gst_buffer_unref(gst_buffer_ref(buffer));
  }
}

// Sentinel: the store is closed.
Slice closed;

} // namespace

bool SlicePool::Store::admit() {
  if (admitted_.fetch_add(1, std::memory_order_relaxed) < kMost)
    return true;
  forget_slice();
  return false;
}

bool SlicePool::Store::supply(Slice &slice) {
  Slice *last = returned_.load(std::memory_order_relaxed);
  do {
    if (last == &closed)
      return false;
    slice.next = last;
  } while (!returned_.compare_exchange_weak(last, &slice, std::memory_order_release,
                                            std::memory_order_relaxed));
  return true;
}

Slice *SlicePool::Store::take() {
  if (!ready_)
    ready_ = returned_.exchange(nullptr, std::memory_order_acquire);
  return ready_ ? std::exchange(ready_, ready_->next) : nullptr;
}

void SlicePool::Store::clear() {
  free_returned(std::exchange(ready_, nullptr));
  free_returned(returned_.exchange(nullptr, std::memory_order_acquire));
}

void SlicePool::Store::close() {
  free_returned(std::exchange(ready_, nullptr));
  free_returned(returned_.exchange(&closed, std::memory_order_acquire));
}

SlicePool::SlicePool() : store_(std::make_shared<Store>()) {}

SlicePool::~SlicePool() {
  store_->close();
}

BufferPtr SlicePool::cut(GstBuffer *whole, flv::Bytes bytes, gsize offset, gsize size) {
  auto *data = const_cast<guint8 *>(bytes.data());
  Slice *slice = store_->take();
  if (slice) {
    slice->memory.maxsize = bytes.size();
    slice->memory.offset = offset;
    slice->memory.size = size;
    slice->data = data;
    slice->whole.reset(gst_buffer_ref(whole));
    GstBuffer *buffer = gst_buffer_ref(slice->buffer);
    GST_MINI_OBJECT_FLAGS(buffer) = 0;
    GST_BUFFER_PTS(buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DTS(buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION(buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_NONE;
    GST_BUFFER_OFFSET_END(buffer) = GST_BUFFER_OFFSET_NONE;
    return BufferPtr(buffer);
  }
  slice = make_slice(nullptr, data, bytes.size(), offset, size);
  slice->whole.reset(gst_buffer_ref(whole));
  BufferPtr buffer(gst_buffer_new());
  gst_buffer_append_memory(buffer.get(), &slice->memory);
  if (store_->admit()) {
    slice->store = store_;
    slice->buffer = buffer.get();
    GST_BUFFER_FLAG_UNSET(buffer.get(), GST_BUFFER_FLAG_TAG_MEMORY);
    GST_MINI_OBJECT_CAST(buffer.get())->dispose = dispose;
  }
  return buffer;
}

void SlicePool::clear() {
  store_->clear();
}

} // namespace flvpace
