// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_load.h"

#include <utility>

#include "served_file.h"

namespace flvserve {

namespace {

// A file that grows, such as a recording, still has the bytes that were read.
bool is_same_content(const flvhttp::FileVersion &before, int descriptor) {
  const auto now = flvhttp::FileVersion::of(descriptor);
  return now && (now->modified == before.modified || now->size > before.size) &&
         now->size >= before.size;
}

} // namespace

FileLoad::FileLoad(std::shared_ptr<FileEntry> entry, flvhttp::FilePtr file,
                   std::shared_ptr<flvhttp::Exchange> exchange, flv::IndexedFile::Policy policy)
    : entry_(std::move(entry)), file_(std::move(file)), exchange_(std::move(exchange)),
      may_scan_(policy == flv::IndexedFile::Policy::Auto), parts_{flvhttp::FileRange{
                                                               file_, 0, entry_->version().size}},
      reader_(parts_), indexed_(entry_->version().size, policy) {}

FileLoad::Progress FileLoad::run(bool may_scan, const std::atomic<bool> &stop) {
  while (const auto wanted = indexed_.next_request()) {
    if (!may_scan && indexed_.is_scanning())
      return Progress::NeedsScan;
    if (stop)
      return Progress::ReadError;
    reader_.expect(indexed_.take_likely_requests());
    const auto bytes = reader_.read(*wanted);
    if (!bytes)
      return Progress::ReadError;
    indexed_.supply(*bytes);
  }
  if (!is_same_content(entry_->version(), file_->descriptor()))
    return Progress::Changed;
  served_ = std::make_shared<ServedFile>(entry_->version(), indexed_, may_scan_);
  if (may_scan)
    served_->prepare(file_, stop);
  return Progress::Done;
}

} // namespace flvserve
