// SPDX-License-Identifier: LGPL-2.1-or-later
// A GET or HEAD request, as a value.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flvhttp {

struct Request {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  bool is_head = false;
  std::string path;    // normalized_path() of the URL's path; begins with a slash
  std::string query;   // as received, without the question mark
  std::string address; // of the peer, without the port
  bool secure = false;
  Fields fields; // one entry per name

  // `name` is compared without case. The values of fields with the same name are joined with ", ".
  // nullptr: the request has no such field.
  [[nodiscard]] const std::string *field(std::string_view name) const;
};

} // namespace flvhttp
