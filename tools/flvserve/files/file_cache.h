// SPDX-License-Identifier: LGPL-2.1-or-later
// What is known about the files that were requested last. Each file is read once, however many
// clients request it.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "file_path.h"
#include "httpserver/site.h"
#include "states/transition.h"

namespace flvserve {

class ServedFile;

// One version of a file. Thread-safe.
//
//              enter()               finish()
//    Unknown ----------> Loading ---------------> Ready
//       ^                   |
//       |      fail()       |
//       +-------------------+
class FileEntry {
public:
  using Waiter = std::shared_ptr<flvhttp::Exchange>;

  struct Unknown {
    static constexpr const char *kName = "Unknown";
  };
  // A thread reads the file.
  struct Loading {
    static constexpr const char *kName = "Loading";
    std::vector<Waiter> waiters;
  };
  struct Ready {
    static constexpr const char *kName = "Ready";
    std::shared_ptr<ServedFile> file;
  };
  using State = std::variant<Unknown, Loading, Ready>;
  using Transitions = states::TransitionTable<states::Transition<Unknown, Loading>,
                                              states::Transition<Loading, Unknown>,
                                              states::Transition<Loading, Ready>>;

  explicit FileEntry(const flvhttp::FileVersion &version) : version_(version) {}

  [[nodiscard]] const flvhttp::FileVersion &version() const { return version_; }
  // The descriptor that all downloads of the file share; `descriptor` if there is none.
  [[nodiscard]] flvhttp::FilePtr share(Descriptor descriptor);

  struct MustLoad {};
  struct MustWait {};
  using Entered = std::variant<MustLoad, MustWait, std::shared_ptr<ServedFile>>;
  // MustLoad: the caller reads the file, then calls finish() or fail(). MustWait: the waiter is
  // kept until then.
  [[nodiscard]] Entered enter(const Waiter &waiter);
  // Return the waiters, for the caller to answer.
  [[nodiscard]] std::vector<Waiter> finish(std::shared_ptr<ServedFile> file);
  [[nodiscard]] std::vector<Waiter> fail();

  [[nodiscard]] bool is_loading() const;
  // Bytes.
  [[nodiscard]] std::size_t memory() const;

private:
  void set_state(State next) {
    states::change_state<Transitions>("FileEntry", state_, std::move(next));
  }

  const flvhttp::FileVersion version_;
  mutable std::mutex mutex_;
  State state_;
  std::weak_ptr<const flvhttp::OpenFile> open_;
};

// Bounded: the entries that were not used for the longest time are dropped, except those whose file
// is being read. Thread-safe.
class FileCache {
public:
  struct Limits {
    std::size_t entries = 1024;
    std::size_t bytes = std::size_t{64} << 20;
  };

  explicit FileCache(Limits limits) : limits_(limits) {}

  // The entry of the file. Replaces the entry of another version of it.
  [[nodiscard]] std::shared_ptr<FileEntry> find(const flvhttp::FileVersion &version);
  // The memory of the entry has changed.
  void update(const std::shared_ptr<FileEntry> &entry);

  [[nodiscard]] std::size_t size() const;  // entries
  [[nodiscard]] std::size_t bytes() const; // of all entries

private:
  struct Slot {
    std::shared_ptr<FileEntry> entry;
    std::size_t memory = 0;
  };
  using Slots = std::list<Slot>; // the last used first
  using Key = std::pair<std::uint64_t, std::uint64_t>;

  void drop(Slots::iterator slot);
  void shrink();

  const Limits limits_;
  mutable std::mutex mutex_;
  Slots slots_;
  std::map<Key, Slots::iterator> by_key_; // by device and inode
  std::size_t bytes_ = 0;
};

} // namespace flvserve
