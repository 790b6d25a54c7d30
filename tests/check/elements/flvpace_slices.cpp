// SPDX-License-Identifier: LGPL-2.1-or-later
// Buffers without references are reused. Earlier changes to them must have no effect.
#include <algorithm>
#include <optional>
#include <thread>

#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

// The number of one of the output buffers.
constexpr std::size_t kOne = 3;

// Detects when a buffer is freed.
class Life {
public:
  explicit Life(GstBuffer *buffer) : object_(GST_MINI_OBJECT_CAST(buffer)) {
    gst_mini_object_weak_ref(object_, note, this);
  }
  ~Life() {
    if (!over_)
      gst_mini_object_weak_unref(object_, note, this);
  }
  Life(const Life &) = delete;
  Life &operator=(const Life &) = delete;

  [[nodiscard]] bool is_over() const { return over_; }

private:
  static void note(gpointer life, GstMiniObject *) { static_cast<Life *>(life)->over_ = true; }

  GstMiniObject *object_;
  bool over_ = false;
};

// Pushes the stream in one piece. Returns the output.
Arrivals passed_by(Pace &pace, const Stream &stream) {
  pace.push(Bytes(stream.bytes).subspan(stream.tags[0].begin));
  pace.settle();
  return pace.take();
}

void begin(Pace &pace) {
  pace.push(file_header());
}

struct Change {
  const char *what;
  void (*apply)(GstBuffer *buffer);
  bool comes_back;
};

const Change kChanges[] = {
    {"none", [](GstBuffer *) {}, true},
    {"flags and times",
     [](GstBuffer *buffer) {
       GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DROPPABLE | GST_BUFFER_FLAG_HEADER |
                                       GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_DELTA_UNIT);
       GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = GST_BUFFER_DURATION(buffer) = 1;
       GST_BUFFER_OFFSET(buffer) = GST_BUFFER_OFFSET_END(buffer) = 1;
     },
     true},
    {"a size", [](GstBuffer *buffer) { gst_buffer_resize(buffer, 2, 3); }, true},
    {"another memory",
     [](GstBuffer *buffer) {
       gst_buffer_replace_all_memory(buffer, gst_allocator_alloc(nullptr, 10, nullptr));
     },
     false},
    {"another memory, and flags as if it had not",
     [](GstBuffer *buffer) {
       gst_buffer_replace_all_memory(buffer, gst_allocator_alloc(nullptr, 10, nullptr));
       GST_BUFFER_FLAGS(buffer) = 0;
     },
     false},
    {"a part of its memory",
     [](GstBuffer *buffer) {
       GstMemory *part = gst_memory_share(gst_buffer_peek_memory(buffer, 0), 2, 3);
       gst_buffer_replace_all_memory(buffer, part);
     },
     false},
    {"no memory", [](GstBuffer *buffer) { gst_buffer_remove_all_memory(buffer); }, false},
    {"a writable map",
     [](GstBuffer *buffer) {
       GstMapInfo map;
       fail_unless(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
       map.data[0] = 0xff;
       gst_buffer_unmap(buffer, &map);
     },
     false},
    {"a meta",
     [](GstBuffer *buffer) {
       GstCaps *caps = gst_caps_new_empty_simple("timestamp/x-test");
       gst_buffer_add_reference_timestamp_meta(buffer, caps, 1, 1);
       gst_caps_unref(caps);
     },
     false},
};

} // namespace

GST_START_TEST(reused_buffers_are_like_new) {
  const Change &change = kChanges[__i__];
  const Stream stream = file();
  const std::string flushed = [&] {
    Pace pace("sync=false");
    begin(pace);
    const Arrivals kept = passed_by(pace, stream);
    pace.flush();
    return everything(passed_by(pace, stream));
  }();
  Pace pace("sync=false");
  begin(pace);
  Arrivals arrivals = passed_by(pace, stream);
  BufferPtr one = std::move(arrivals[kOne].buffer);
  fail_unless(gst_buffer_is_writable(one.get()));
  change.apply(one.get());
  const Life life(one.get());
  one.reset();
  fail_unless(life.is_over() != change.comes_back, "%s", change.what);
  arrivals.clear();
  pace.flush();
  assert_text(everything(passed_by(pace, stream)), flushed);
}
GST_END_TEST

// A reference to a buffer, its memory, or a part of it keeps its bytes.
GST_START_TEST(held_buffers_are_not_reused) {
  const Stream stream = file();
  Pace pace("sync=false");
  begin(pace);
  Arrivals arrivals = passed_by(pace, stream);
  const Buffer whole = arrivals[kOne].bytes;
  const Buffer part(whole.begin() + 5, whole.begin() + 9);
  GstMemory *memory = nullptr;
  BufferPtr held;
  switch (__i__) {
  case 0:
    held.reset(gst_buffer_ref(arrivals[kOne].buffer.get()));
    break;
  case 1:
    memory = gst_buffer_get_memory(arrivals[kOne].buffer.get(), 0);
    held.reset(gst_buffer_new());
    gst_buffer_append_memory(held.get(), memory);
    break;
  case 2:
    held.reset(gst_buffer_copy_region(arrivals[kOne].buffer.get(), GST_BUFFER_COPY_MEMORY, 5, 4));
    break;
  default: { // a part of a part, up to its end
    const BufferPtr rest(gst_buffer_copy_region(arrivals[kOne].buffer.get(), GST_BUFFER_COPY_MEMORY,
                                                3, static_cast<gsize>(-1)));
    held.reset(
        gst_buffer_copy_region(rest.get(), GST_BUFFER_COPY_MEMORY, 2, static_cast<gsize>(-1)));
  }
  }
  arrivals.clear();
  for (int turn = 0; turn < 3; ++turn) {
    pace.flush();
    const Arrivals others = passed_by(pace, stream);
  }
  const Buffer rest(whole.begin() + 5, whole.end());
  assert_bytes(gstflv::MappedBuffer(held.get()).bytes(), __i__ == 2   ? part
                                                         : __i__ == 3 ? rest
                                                                      : whole);
}
GST_END_TEST

// Consecutive parts are joined without a copy.
GST_START_TEST(parts_are_joined) {
  const Stream stream = file();
  Pace pace("sync=false");
  begin(pace);
  const Arrivals arrivals = passed_by(pace, stream);
  GstMemory *whole = gst_buffer_peek_memory(arrivals[kOne].buffer.get(), 0);
  const BufferPtr joined(gst_buffer_new());
  gst_buffer_append_memory(joined.get(), gst_memory_share(whole, 3, 2));
  gst_buffer_append_memory(joined.get(), gst_memory_share(whole, 5, -1));
  gstflv::MappedBuffer all(arrivals[kOne].buffer.get());
  assert_bytes(gstflv::MappedBuffer(joined.get()).bytes(), all.bytes().subspan(3));
  fail_unless(gstflv::MappedBuffer(joined.get()).bytes().data() == all.bytes().data() + 3);
}
GST_END_TEST

// Buffers may outlive the element. It frees its pool when it stops, and when it is finalized.
GST_START_TEST(memory_is_freed) {
  const Stream stream = file();
  BufferPtr late;
  std::optional<Life> ended;
  {
    Pace pace("sync=false");
    begin(pace);
    Arrivals arrivals = passed_by(pace, stream);
    late = std::move(arrivals[kOne].buffer);
    const Life stopped(arrivals[kOne + 1].buffer.get());
    arrivals.clear();
    fail_if(stopped.is_over());
    pace.set_state(GST_STATE_READY);
    fail_unless(stopped.is_over());
    pace.set_state(GST_STATE_PLAYING);
    begin(pace);
    arrivals = passed_by(pace, stream);
    ended.emplace(arrivals[kOne].buffer.get());
    arrivals.clear();
    fail_if(ended->is_over());
  }
  fail_unless(ended->is_over());
  const Life last(late.get());
  assert_bytes(gstflv::MappedBuffer(late.get()).bytes(), stream.at(kOne - 1));
  late.reset();
  fail_unless(last.is_over());
}
GST_END_TEST

// The size of the pool is limited, however many buffers are in use.
GST_START_TEST(pool_is_bounded) {
  Stream stream;
  stream.header();
  for (std::uint32_t time = 0; time < 2000; ++time)
    stream.audio(time, payload(20));
  Pace pace("sync=false");
  begin(pace);
  Arrivals arrivals = passed_by(pace, stream);
  std::vector<std::unique_ptr<Life>> lives;
  for (const Arrival &arrival : arrivals)
    lives.push_back(std::make_unique<Life>(arrival.buffer.get()));
  arrivals.clear();
  const auto kept =
      std::count_if(lives.begin(), lives.end(), [](const auto &life) { return !life->is_over(); });
  fail_unless(kept > 0 && kept <= 512, "%d", static_cast<int>(kept));
}
GST_END_TEST

// Threads release buffers while the element runs.
GST_START_TEST(returned_by_other_threads) {
  const Stream stream = file({.duration = 2000});
  Pace pace("sync=false");
  begin(pace);
  std::vector<std::thread> threads;
  for (int turn = 0; turn < 40; ++turn) {
    Arrivals arrivals = passed_by(pace, stream);
    assert_bytes(Bytes(bytes(arrivals)).last(stream.bytes.size() - stream.tags[0].begin),
                 Bytes(stream.bytes).subspan(stream.tags[0].begin));
    threads.emplace_back([held = std::move(arrivals)]() mutable {
      for (Arrival &arrival : held)
        arrival.buffer.reset();
    });
    pace.flush();
  }
  for (std::thread &thread : threads)
    thread.join();
}
GST_END_TEST

static Suite *flvpace_slices_suite() {
  Suite *suite = suite_create("flvpace_slices");
  TCase *tcase = tcase_create("slices");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, reused_buffers_are_like_new, 0, static_cast<int>(std::size(kChanges)));
  tcase_add_loop_test(tcase, held_buffers_are_not_reused, 0, 4);
  tcase_add_test(tcase, parts_are_joined);
  tcase_add_test(tcase, memory_is_freed);
  tcase_add_test(tcase, pool_is_bounded);
  tcase_add_test(tcase, returned_by_other_threads);
  return suite;
}

GST_CHECK_MAIN(flvpace_slices);
