// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads a file until it is known what its clients get.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "file_cache.h"
#include "file_reader.h"
#include "flv/seek/indexed_file.h"

namespace flvserve {

class FileLoad {
public:
  enum class Progress : std::uint8_t {
    Done,
    NeedsScan, // only run() with `may_scan` can continue
    ReadError,
    Changed, // the content of the file was replaced meanwhile
  };

  FileLoad(std::shared_ptr<FileEntry> entry, flvhttp::FilePtr file,
           std::shared_ptr<flvhttp::Exchange> exchange, flv::IndexedFile::Policy policy);
  FileLoad(const FileLoad &) = delete;
  FileLoad &operator=(const FileLoad &) = delete;

  // `stop` ends a scan with ReadError.
  [[nodiscard]] Progress run(bool may_scan, const std::atomic<bool> &stop);

  [[nodiscard]] const std::shared_ptr<FileEntry> &entry() const { return entry_; }
  [[nodiscard]] const flvhttp::FilePtr &file() const { return file_; }
  // The request that began it.
  [[nodiscard]] const std::shared_ptr<flvhttp::Exchange> &exchange() const { return exchange_; }
  // Done: the result.
  [[nodiscard]] const std::shared_ptr<ServedFile> &served() const { return served_; }

private:
  const std::shared_ptr<FileEntry> entry_;
  const flvhttp::FilePtr file_;
  const std::shared_ptr<flvhttp::Exchange> exchange_;
  const bool may_scan_;
  const Parts parts_;
  FileReader reader_;
  flv::IndexedFile indexed_;
  std::shared_ptr<ServedFile> served_;
};

} // namespace flvserve
