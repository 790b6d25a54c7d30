// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of a response body, as one sequence of bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "httpserver/site.h"

namespace flvserve {

using Parts = std::vector<flvhttp::Part>;

[[nodiscard]] inline std::uint64_t size_of(const flvhttp::Part &part) {
  return std::visit(
      [](const auto &each) -> std::uint64_t {
        if constexpr (requires { each.length(); })
          return each.length();
        else
          return each.size;
      },
      part);
}

[[nodiscard]] inline std::uint64_t size_of(const Parts &parts) {
  std::uint64_t size = 0;
  for (const flvhttp::Part &part : parts)
    size += size_of(part);
  return size;
}

// Calls back with each part that has some of the bytes: the part, the offset in it, and the size.
template <typename Function>
void for_each_piece(const Parts &parts, std::uint64_t offset, std::uint64_t size,
                    Function function) {
  for (const flvhttp::Part &part : parts) {
    const std::uint64_t here = size_of(part);
    if (offset >= here) {
      offset -= here;
      continue;
    }
    if (size == 0)
      return;
    const std::uint64_t piece = std::min(size, here - offset);
    function(part, offset, piece);
    size -= piece;
    offset = 0;
  }
}

// The bytes from `offset` on, at most `size`.
[[nodiscard]] inline Parts slice(const Parts &parts, std::uint64_t offset, std::uint64_t size) {
  Parts out;
  for_each_piece(parts, offset, size,
                 [&out](const flvhttp::Part &part, std::uint64_t at, std::uint64_t piece) {
                   if (const auto *text = std::get_if<std::string>(&part)) {
                     out.emplace_back(text->substr(static_cast<std::size_t>(at),
                                                   static_cast<std::size_t>(piece)));
                   } else if (const auto *shared = std::get_if<flvhttp::SharedBytes>(&part)) {
                     out.emplace_back(flvhttp::SharedBytes{
                         shared->bytes, shared->offset + static_cast<std::size_t>(at),
                         static_cast<std::size_t>(piece)});
                   } else if (const auto *file = std::get_if<flvhttp::FileRange>(&part)) {
                     out.emplace_back(flvhttp::FileRange{file->file, file->offset + at, piece});
                   }
                 });
  return out;
}

} // namespace flvserve
