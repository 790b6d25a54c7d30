// SPDX-License-Identifier: LGPL-2.1-or-later
#include "uri_list.h"

#include <algorithm>

namespace failover {

std::vector<std::string> split_uris(std::string_view text) {
  constexpr std::string_view kSeparators = ";\n\r";
  constexpr std::string_view kBlanks = " \t";
  std::vector<std::string> uris;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
    std::string_view uri = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    uri.remove_prefix(std::min(uri.find_first_not_of(kBlanks), uri.size()));
    if (!uri.empty())
      uris.emplace_back(uri.substr(0, uri.find_last_not_of(kBlanks) + 1));
  }
  return uris;
}

std::string without_secrets(std::string_view uri) {
  constexpr std::string_view kHidden = "***";
  std::string text(uri.substr(0, uri.find('?')));
  const bool has_query = text.size() < uri.size();
  if (const std::size_t scheme = text.find("://"); scheme != std::string::npos) {
    const std::size_t begin = scheme + 3;
    const std::size_t at = text.rfind('@', std::min(text.find('/', begin), text.size()));
    const std::size_t colon = text.find(':', begin);
    if (at != std::string::npos && at >= begin && colon < at)
      text.replace(colon + 1, at - colon - 1, kHidden);
  }
  if (has_query)
    text.append("?").append(kHidden);
  return text;
}

} // namespace failover
