// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_cache.h"

#include <fcntl.h>

#include <csignal>

#include <atomic>
#include <thread>

#include "served_file.h"
#include "work_queue.h"

#include "drive.h"
#include "filetest.h"

#include "checkrun.h"

using namespace flvserve;

namespace {

using flvhttp::FileVersion;
using ServedPtr = std::shared_ptr<ServedFile>;

FileVersion version_of(std::uint64_t inode, std::uint64_t size = 100) {
  FileVersion version;
  version.device = 1;
  version.inode = inode;
  version.size = size;
  return version;
}

// Not FLV.
ServedPtr served(const FileVersion &version) {
  flv::IndexedFile indexed(version.size);
  const flvtest::Buffer bytes(static_cast<std::size_t>(version.size), 0x55);
  (void)flvtest::drive(indexed, bytes);
  return std::make_shared<ServedFile>(version, indexed, true);
}

std::shared_ptr<flvhttp::Exchange> exchange() {
  return std::make_shared<flvhttp::Exchange>(flvhttp::Request(), [](flvhttp::Response) {});
}

bool must_load(const FileEntry::Entered &entered) {
  return std::holds_alternative<FileEntry::MustLoad>(entered);
}

bool must_wait(const FileEntry::Entered &entered) {
  return std::holds_alternative<FileEntry::MustWait>(entered);
}

// --- FileEntry ---

START_TEST(test_entry_loads_once) {
  FileEntry entry(version_of(1));
  ck_assert(must_load(entry.enter(exchange())));
  ck_assert(entry.is_loading());
  const auto second = exchange();
  const auto third = exchange();
  ck_assert(must_wait(entry.enter(second)));
  ck_assert(must_wait(entry.enter(third)));
  const ServedPtr file = served(entry.version());
  const auto waiters = entry.finish(file);
  ck_assert_uint_eq(waiters.size(), 2);
  ck_assert(waiters[0] == second && waiters[1] == third);
  ck_assert(!entry.is_loading());
  const auto entered = entry.enter(exchange());
  ck_assert(std::get<ServedPtr>(entered) == file);
}
END_TEST

START_TEST(test_entry_fails) {
  FileEntry entry(version_of(1));
  ck_assert(must_load(entry.enter(exchange())));
  ck_assert(must_wait(entry.enter(exchange())));
  ck_assert_uint_eq(entry.fail().size(), 1);
  ck_assert(must_load(entry.enter(exchange())));
  ck_assert(entry.finish(served(entry.version())).empty());
}
END_TEST

START_TEST(test_entry_shares_the_descriptor) {
  FileEntry entry(version_of(1));
  const auto open_null = [] { return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)); };
  auto first = entry.share(open_null());
  const int descriptor = first->descriptor();
  Descriptor other = open_null();
  const int number = other.get();
  ck_assert_int_eq(entry.share(std::move(other))->descriptor(), descriptor);
  ck_assert_int_eq(fcntl(number, F_GETFD), -1);
  first.reset();
  ck_assert_int_eq(fcntl(descriptor, F_GETFD), -1);
  ck_assert_int_ge(entry.share(open_null())->descriptor(), 0);
}
END_TEST

START_TEST(test_entry_wrong_call) {
  FileEntry entry(version_of(1));
  ck_assert(must_load(entry.enter(exchange())));
  (void)entry.finish(served(entry.version()));
  (void)entry.fail();
}
END_TEST

// --- FileCache ---

START_TEST(test_cache_finds_the_same_entry) {
  FileCache cache({});
  const auto one = cache.find(version_of(1));
  const auto two = cache.find(version_of(2));
  ck_assert(one != two);
  ck_assert(cache.find(version_of(1)) == one);
  ck_assert(cache.find(version_of(2)) == two);
  ck_assert_uint_eq(cache.size(), 2);
}
END_TEST

START_TEST(test_cache_replaces_other_versions) {
  FileCache cache({});
  const auto before = cache.find(version_of(1, 100));
  const auto after = cache.find(version_of(1, 101));
  ck_assert(before != after);
  ck_assert_uint_eq(cache.size(), 1);
  FileVersion changed = version_of(1, 101);
  changed.modified = 1;
  ck_assert(cache.find(changed) != after);
  ck_assert_uint_eq(cache.size(), 1);
  // The old entry is not in the cache.
  cache.update(before);
  ck_assert_uint_eq(cache.size(), 1);
}
END_TEST

START_TEST(test_cache_limits_entries) {
  constexpr std::size_t kFiles = 10'000;
  FileCache cache({16, std::size_t{1} << 30});
  const auto kept = cache.find(version_of(1));
  for (std::uint64_t inode = 2; inode < kFiles; inode++) {
    (void)cache.find(version_of(inode));
    ck_assert_uint_le(cache.size(), 16);
    if (inode % 8 == 0)
      ck_assert(cache.find(version_of(1)) == kept); // it was used a short time ago
  }
  ck_assert_uint_eq(cache.bytes(), cache.size() * kept->memory());
  ck_assert(cache.find(version_of(kFiles - 1)) != nullptr);
}
END_TEST

START_TEST(test_cache_limits_bytes) {
  const std::size_t large = served(version_of(1))->memory();
  FileCache cache({1000, 3 * large + large / 2 + 4 * sizeof(FileEntry)});
  for (std::uint64_t inode = 1; inode <= 50; inode++) {
    const auto entry = cache.find(version_of(inode));
    ck_assert(must_load(entry->enter(exchange())));
    (void)entry->finish(served(entry->version()));
    cache.update(entry);
  }
  ck_assert_uint_ge(cache.size(), 3);
  ck_assert_uint_le(cache.size(), 4);
  ck_assert_uint_le(cache.bytes(), 3 * large + large / 2 + 4 * sizeof(FileEntry));
}
END_TEST

START_TEST(test_cache_keeps_what_is_loading) {
  FileCache cache({4, std::size_t{1} << 30});
  const auto loading = cache.find(version_of(1));
  ck_assert(must_load(loading->enter(exchange())));
  for (std::uint64_t inode = 2; inode < 100; inode++)
    (void)cache.find(version_of(inode));
  ck_assert(cache.find(version_of(1)) == loading);
  (void)loading->finish(served(loading->version()));
  for (std::uint64_t inode = 2; inode < 100; inode++)
    (void)cache.find(version_of(inode));
  ck_assert(cache.find(version_of(1)) != loading);
}
END_TEST

// --- WorkQueue ---

START_TEST(test_queue_runs_all) {
  std::atomic<int> done = 0;
  WorkQueue queue("test", 2, 1000, WorkQueue::Priority::Normal);
  for (int i = 0; i < 100; i++)
    ck_assert(queue.add([&done] { done++; }));
  filetest::wait_for([&] { return done == 100; }, "the queue stops");
}
END_TEST

START_TEST(test_queue_is_bounded) {
  std::atomic<bool> go_on = false;
  std::atomic<bool> running = false;
  std::atomic<int> done = 0;
  WorkQueue queue("test", 1, 2, WorkQueue::Priority::Low);
  ck_assert(queue.add([&] {
    running = true;
    filetest::wait_for([&] { return go_on.load(); }, "it hangs");
  }));
  filetest::wait_for([&] { return running.load(); }, "it hangs");
  ck_assert(queue.add([&] { done++; }));
  ck_assert(queue.add([&] { done++; }));
  ck_assert(!queue.add([&] { done++; }));
  queue.add_again([&] { done++; });
  go_on = true;
  filetest::wait_for([&] { return done == 3; }, "it hangs");
}
END_TEST

START_TEST(test_queue_drops_work_at_its_end) {
  const auto held = std::make_shared<int>(0);
  std::atomic<bool> running = false;
  std::atomic<bool> go_on = false;
  {
    WorkQueue queue("test", 1, 100, WorkQueue::Priority::Normal);
    ck_assert(queue.add([&] {
      running = true;
      filetest::wait_for([&] { return go_on.load(); }, "it hangs");
    }));
    filetest::wait_for([&] { return running.load(); }, "it hangs");
    for (int i = 0; i < 10; i++)
      ck_assert(queue.add([held] { ++*held; }));
    std::thread opener([&] {
      filetest::wait_for([&] { return held.use_count() == 1; }, "it hangs");
      go_on = true;
    });
    queue.stop();
    opener.join();
    ck_assert(!queue.add([] {}));
    queue.add_again([held] { ++*held; });
  }
  ck_assert_int_eq(*held, 0);
  ck_assert_int_eq(static_cast<int>(held.use_count()), 1);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("files_cache", {{test_entry_loads_once},
                                      {test_entry_fails},
                                      {test_entry_shares_the_descriptor},
                                      {test_entry_wrong_call, 1, SIGABRT},
                                      {test_cache_finds_the_same_entry},
                                      {test_cache_replaces_other_versions},
                                      {test_cache_limits_entries},
                                      {test_cache_limits_bytes},
                                      {test_cache_keeps_what_is_loading},
                                      {test_queue_runs_all},
                                      {test_queue_is_bounded},
                                      {test_queue_drops_work_at_its_end}});
}
