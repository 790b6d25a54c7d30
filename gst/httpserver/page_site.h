// SPDX-License-Identifier: LGPL-2.1-or-later
// The player page and its modules, which are embedded into the plugin.
#pragma once

#include <memory>
#include <string>

#include "broadcast.h"
#include "site.h"

namespace flvhttp {

class PageSite final : public Site {
public:
  // Serves the page at `prefix` and the modules below it. The page plays the stream of `broadcast`
  // at `stream_path`. Both paths are valid.
  PageSite(const std::string &prefix, const std::string &stream_path,
           std::weak_ptr<Broadcast> broadcast);

  void answer(std::shared_ptr<Exchange> exchange) override;
  // That of the stream.
  [[nodiscard]] std::string allow_origin() const override;

private:
  [[nodiscard]] Response respond(const Request &request) const;

  const std::string folder_; // with a slash at the end
  const std::string page_;
  const std::weak_ptr<Broadcast> broadcast_;
};

// Where a browser that opens `stream_path` finds the page, as a relative reference.
[[nodiscard]] std::string page_reference(const std::string &stream_path,
                                         const std::string &page_path);

// `path` as a reference relative to `folder`, which ends with a slash. It also works behind a proxy
// that serves both below another path.
[[nodiscard]] std::string relative_reference(const std::string &folder, const std::string &path);

} // namespace flvhttp
