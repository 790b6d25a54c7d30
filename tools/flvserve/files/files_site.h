// SPDX-License-Identifier: LGPL-2.1-or-later
// Serves the files of a folder over HTTP, whole or from any byte or time.
#pragma once

#include <memory>
#include <string>

#include <glib.h>

#include "settings.h"

namespace flvhttp {
class Site;
}

namespace flvserve {

// `prefix` is the path that the site is added at (Listener::add_site), without a slash at the end;
// empty: all paths. nullptr: the folder cannot be opened, `error` is set.
[[nodiscard]] std::shared_ptr<flvhttp::Site>
make_files_site(const std::string &prefix, const FilesSettings &settings, GError **error);

} // namespace flvserve
