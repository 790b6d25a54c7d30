// SPDX-License-Identifier: LGPL-2.1-or-later
#include "request.h"

#include <algorithm>

#include <glib.h>

namespace flvhttp {

const std::string *Request::field(std::string_view name) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [name](const auto &each) {
    return each.first.size() == name.size() &&
           g_ascii_strncasecmp(each.first.data(), name.data(), name.size()) == 0;
  });
  return found == fields.end() ? nullptr : &found->second;
}

} // namespace flvhttp
