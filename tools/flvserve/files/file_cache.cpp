// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_cache.h"

#include "served_file.h"

namespace flvserve {

// --- FileEntry ---

flvhttp::FilePtr FileEntry::share(Descriptor descriptor) {
  const std::lock_guard lock(mutex_);
  flvhttp::FilePtr file = open_.lock();
  if (!file) {
    file = std::make_shared<const flvhttp::OpenFile>(descriptor.release());
    open_ = file;
  }
  return file;
}

FileEntry::Entered FileEntry::enter(const Waiter &waiter) {
  const std::lock_guard lock(mutex_);
  if (const auto *ready = std::get_if<Ready>(&state_))
    return ready->file;
  if (auto *loading = std::get_if<Loading>(&state_)) {
    loading->waiters.push_back(waiter);
    return MustWait{};
  }
  set_state(Loading{});
  return MustLoad{};
}

std::vector<FileEntry::Waiter> FileEntry::finish(std::shared_ptr<ServedFile> file) {
  const std::lock_guard lock(mutex_);
  std::vector<Waiter> waiters = std::move(std::get<Loading>(state_).waiters);
  set_state(Ready{std::move(file)});
  return waiters;
}

std::vector<FileEntry::Waiter> FileEntry::fail() {
  const std::lock_guard lock(mutex_);
  std::vector<Waiter> waiters = std::move(std::get<Loading>(state_).waiters);
  set_state(Unknown{});
  return waiters;
}

bool FileEntry::is_loading() const {
  const std::lock_guard lock(mutex_);
  return std::holds_alternative<Loading>(state_);
}

std::size_t FileEntry::memory() const {
  const std::lock_guard lock(mutex_);
  const auto *ready = std::get_if<Ready>(&state_);
  return sizeof *this + (ready ? ready->file->memory() : 0);
}

// --- FileCache ---

std::shared_ptr<FileEntry> FileCache::find(const flvhttp::FileVersion &version) {
  const std::lock_guard lock(mutex_);
  const Key key{version.device, version.inode};
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    if (found->second->entry->version() == version) {
      slots_.splice(slots_.begin(), slots_, found->second);
      return found->second->entry;
    }
    drop(found->second);
  }
  auto entry = std::make_shared<FileEntry>(version);
  slots_.push_front({entry, entry->memory()});
  bytes_ += slots_.front().memory;
  by_key_[key] = slots_.begin();
  shrink();
  return entry;
}

void FileCache::update(const std::shared_ptr<FileEntry> &entry) {
  const std::size_t memory = entry->memory();
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find({entry->version().device, entry->version().inode});
  if (found == by_key_.end() || found->second->entry != entry)
    return;
  bytes_ = bytes_ - found->second->memory + memory;
  found->second->memory = memory;
  shrink();
}

void FileCache::drop(Slots::iterator slot) {
  bytes_ -= slot->memory;
  by_key_.erase({slot->entry->version().device, slot->entry->version().inode});
  slots_.erase(slot);
}

// The entry that was used last stays, even if it is larger than the limit.
void FileCache::shrink() {
  for (auto slot = slots_.end(); slot != slots_.begin() && slots_.size() > 1;) {
    if (slots_.size() <= limits_.entries && bytes_ <= limits_.bytes)
      return;
    --slot;
    if (slot == slots_.begin())
      return;
    if (slot->entry->is_loading())
      continue;
    const auto dropped = slot++;
    drop(dropped);
  }
}

std::size_t FileCache::size() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

std::size_t FileCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

} // namespace flvserve
