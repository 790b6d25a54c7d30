// SPDX-License-Identifier: LGPL-2.1-or-later
// The resources that the process holds, for leak tests.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <istream> // before the check library's macros

#include "pacetest.h"
#include "watched.h"

namespace flvtest {

struct Holdings {
  std::size_t threads = 0;
  std::size_t descriptors = 0;
  std::size_t resident = 0; // bytes
};

inline std::size_t count_entries(const char *folder) {
  GDir *entries = g_dir_open(folder, 0, nullptr);
  fail_unless(entries != nullptr, "no %s", folder);
  std::size_t count = 0;
  while (g_dir_read_name(entries))
    ++count;
  g_dir_close(entries);
  return count;
}

inline std::size_t resident_size() {
  unsigned long total = 0;
  unsigned long resident = 0;
  FILE *file = std::fopen("/proc/self/statm", "r");
  fail_unless(file != nullptr && std::fscanf(file, "%lu %lu", &total, &resident) == 2);
  std::fclose(file);
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

inline Holdings holdings() {
  return {count_entries("/proc/self/task"), count_entries("/proc/self/fd"), resident_size()};
}

inline bool is_more(const Holdings &now, const Holdings &before) {
  return now.threads > before.threads || now.descriptors > before.descriptors;
}

// A thread releases its last references shortly after it ends.
inline void assert_no_more_than(const Holdings &before) {
  constexpr std::size_t kGrowth = 4'000'000;
  constexpr int kTurns = 200;
  Holdings now = holdings();
  for (int turn = 0; turn < kTurns && is_more(now, before); ++turn) {
    g_usleep(10'000);
    now = holdings();
  }
  fail_unless(now.threads <= before.threads, "%zu threads, %zu before", now.threads,
              before.threads);
  fail_unless(now.descriptors <= before.descriptors, "%zu descriptors, %zu before", now.descriptors,
              before.descriptors);
  fail_unless(is_watched() || now.resident < before.resident + kGrowth, "%zu bytes, %zu before",
              now.resident, before.resident);
}

} // namespace flvtest
