// SPDX-License-Identifier: LGPL-2.1-or-later
#include "routes.h"

#include <algorithm>

#include "url_path.h"

namespace flvhttp {

namespace {

std::string key_of(const std::string &path) {
  return normalized_path(path).value_or(path);
}

std::string prefix_of(const std::string &path) {
  std::string prefix = key_of(path);
  if (prefix.ends_with('/'))
    prefix.pop_back();
  return prefix;
}

} // namespace

std::optional<std::string> Routes::add(const NamedRoutes &routes) {
  const std::lock_guard lock(mutex_);
  for (const auto &[path, route] : routes) {
    if (routes_.contains(key_of(path)))
      return path;
  }
  for (const auto &[path, route] : routes)
    routes_.emplace(key_of(path), route);
  return std::nullopt;
}

void Routes::remove(const Broadcast *broadcast) {
  const std::lock_guard lock(mutex_);
  std::erase_if(routes_,
                [broadcast](const auto &each) { return each.second.broadcast.get() == broadcast; });
}

std::optional<std::string> Routes::add_site(const std::string &prefix, std::shared_ptr<Site> site) {
  const std::lock_guard lock(mutex_);
  const bool added = sites_.emplace(prefix_of(prefix), std::move(site)).second;
  return added ? std::nullopt : std::optional(prefix);
}

void Routes::remove_site(const Site *site) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sites_, [site](const auto &each) { return each.second.get() == site; });
}

Routes::Found Routes::find(const std::string &path) const {
  const std::lock_guard lock(mutex_);
  if (const auto route = routes_.find(path); route != routes_.end())
    return route->second;
  for (std::string prefix = path;;) {
    if (const auto site = sites_.find(prefix); site != sites_.end())
      return site->second;
    const std::size_t slash = prefix.rfind('/');
    if (slash == std::string::npos)
      return {};
    prefix.resize(slash);
  }
}

bool Routes::is_empty() const {
  const std::lock_guard lock(mutex_);
  return routes_.empty() && sites_.empty();
}

std::string Routes::common_origin() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> origins;
  for (const auto &[path, route] : routes_)
    origins.push_back(route.broadcast->settings()->allow_origin);
  for (const auto &[prefix, site] : sites_)
    origins.push_back(site->allow_origin());
  const bool same = !origins.empty() &&
                    std::all_of(origins.begin(), origins.end(),
                                [&](const std::string &each) { return each == origins.front(); });
  return same ? origins.front() : "*";
}

guint64 Routes::clients() const {
  const std::lock_guard lock(mutex_);
  guint64 count = 0;
  for (const auto &[path, route] : routes_)
    count += route.report ? 0 : route.broadcast->client_count();
  return count;
}

void Routes::warn(const Broadcast::Warning &warning) const {
  const std::lock_guard lock(mutex_);
  for (const auto &[path, route] : routes_) {
    if (!route.report)
      route.broadcast->warn(warning);
  }
}

} // namespace flvhttp
