// SPDX-License-Identifier: LGPL-2.1-or-later
// What a listener serves: streams and reports at exact paths, and sites at prefixes.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "broadcast.h"
#include "site.h"
#include "stats_pages.h"

namespace flvhttp {

// The resource at a path.
struct Route {
  std::shared_ptr<Broadcast> broadcast;
  // nullptr: the path serves the stream. Otherwise it serves this report with the content type
  // `type`.
  std::shared_ptr<Report> report;
  std::string type;
  // Of a stream: where a browser that opens its path is sent; empty: it gets the stream.
  std::string page;
};
using NamedRoutes = std::vector<std::pair<std::string, Route>>; // with their paths

// Called from any thread.
class Routes {
public:
  using Found = std::variant<std::monostate, Route, std::shared_ptr<Site>>;

  // Adds all routes, or none. Returns the path that is already in use; nullopt: they are added.
  [[nodiscard]] std::optional<std::string> add(const NamedRoutes &routes);
  void remove(const Broadcast *broadcast);
  // Returns the prefix if it is already in use; nullopt: the site is added.
  [[nodiscard]] std::optional<std::string> add_site(const std::string &prefix,
                                                    std::shared_ptr<Site> site);
  void remove_site(const Site *site);

  // `path` is normalized. A route wins over all sites, and a site with a longer prefix over others.
  // A prefix ends at a slash, or at the end of the path.
  [[nodiscard]] Found find(const std::string &path) const;
  [[nodiscard]] bool is_empty() const;
  // The allowed origin for responses that belong to no route and no site; "*" if these differ.
  [[nodiscard]] std::string common_origin() const;
  // The clients of all streams.
  [[nodiscard]] guint64 clients() const;
  // Warns all elements.
  void warn(const Broadcast::Warning &warning) const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, Route> routes_; // by normalized path
  // By normalized prefix without a slash at the end; "": all paths.
  std::map<std::string, std::shared_ptr<Site>> sites_;
};

} // namespace flvhttp
