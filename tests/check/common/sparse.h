// SPDX-License-Identifier: LGPL-2.1-or-later
// Large files that are not in memory: their bytes are made when they are read.
#pragma once

#include "drive.h"

namespace flvtest {

// A beginning, then many equal groups of pictures: a keyframe, and a frame that depends on it.
class SparseFile {
public:
  struct Layout {
    std::uint64_t groups = 0;
    std::uint32_t duration = 2000;     // ms of a group
    std::uint32_t key_size = 100'000;  // bytes of data
    std::uint32_t inter_size = 50'000; // bytes of data
    std::uint32_t start = 0;           // timestamp
  };

  SparseFile(Buffer beginning, const Layout &layout)
      : beginning_(std::move(beginning)), layout_(layout) {}

  // A file with an index of all keyframes and `more` in onMetaData, and with configurations.
  static SparseFile indexed(const Layout &layout, const Members &more = {}) {
    Entries entries(layout.groups);
    for (int pass = 0;; ++pass) {
      Stream beginning;
      Members members = index_members(entries);
      members.insert(members.end(), more.begin(), more.end());
      beginning.header().metadata(std::move(members)).configs(layout.start);
      SparseFile file(beginning.bytes, layout);
      if (pass == 1)
        return file;
      for (std::uint64_t i = 0; i < layout.groups; ++i)
        entries[i] = {file.key_frame(i),
                      (layout.start + static_cast<double>(i) * layout.duration) / 1000};
    }
  }

  [[nodiscard]] std::uint64_t size() const { return key_frame(layout_.groups); }
  // The position of the keyframe of a group.
  [[nodiscard]] std::uint64_t key_frame(std::uint64_t group) const {
    return beginning_.size() + group * (whole(layout_.key_size) + whole(layout_.inter_size));
  }

  // The requested bytes; fewer at the end of the file.
  [[nodiscard]] Buffer read(const flv::ReadRequest &wanted) const {
    Buffer out;
    const std::uint64_t end = std::min<std::uint64_t>(wanted.offset + wanted.size, size());
    for (std::uint64_t at = wanted.offset; at < end;) {
      append_some(out, at, end);
      at = wanted.offset + out.size();
    }
    return out;
  }

private:
  static constexpr std::uint8_t kFiller = 0x55;

  static std::uint64_t whole(std::uint32_t data_size) {
    return flv::kTagHeaderSize + std::uint64_t{data_size} + flv::kPreviousTagSizeSize;
  }

  static void append_part(Buffer &out, Bytes part, std::uint64_t begin, std::uint64_t at,
                          std::uint64_t end) {
    const std::uint64_t to = std::min(end, begin + part.size()) - begin;
    if (begin + to > at)
      append(out, part.subspan(static_cast<std::size_t>(at - begin),
                               static_cast<std::size_t>(begin + to - at)));
  }

  // Appends the bytes from `at` on, up to the end of their part of the file.
  void append_some(Buffer &out, std::uint64_t at, std::uint64_t end) const {
    if (at < beginning_.size())
      return append_part(out, beginning_, 0, at, end);
    const std::uint64_t group_size = whole(layout_.key_size) + whole(layout_.inter_size);
    const std::uint64_t group = (at - beginning_.size()) / group_size;
    const std::uint64_t key = key_frame(group);
    const auto time = layout_.start + static_cast<std::uint32_t>(group * layout_.duration);
    const bool is_key = at - key < whole(layout_.key_size);
    if (is_key)
      append_tag_part(out, true, time, layout_.key_size, key, at, end);
    else
      append_tag_part(out, false, time + layout_.duration / 2, layout_.inter_size,
                      key + whole(layout_.key_size), at, end);
  }

  static void append_tag_part(Buffer &out, bool key, std::uint32_t time, std::uint32_t data_size,
                              std::uint64_t begin, std::uint64_t at, std::uint64_t end) {
    Buffer start = tag_header(static_cast<std::uint8_t>(TagType::Video), data_size, time);
    append(start, Buffer{static_cast<std::uint8_t>(key ? 0x17 : 0x27), 1, 0, 0, 0});
    Buffer trailer;
    flv::Writer(trailer).u32(static_cast<std::uint32_t>(flv::kTagHeaderSize) + data_size);
    const std::uint64_t trailer_at = begin + whole(data_size) - trailer.size();
    if (at < begin + start.size())
      return append_part(out, start, begin, at, end);
    if (at >= trailer_at)
      return append_part(out, trailer, trailer_at, at, end);
    out.insert(out.end(), static_cast<std::size_t>(std::min(end, trailer_at) - at), kFiller);
  }

  Buffer beginning_;
  Layout layout_;
};

} // namespace flvtest
