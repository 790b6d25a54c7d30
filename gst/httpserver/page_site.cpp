// SPDX-License-Identifier: LGPL-2.1-or-later
#include "page_site.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include <gio/gio.h>

#include "base/gst_ptr.h"
#include "url_path.h"

extern "C" {
#include "player-resource.h"
}

namespace flvhttp {

namespace {

constexpr const char *kPage = "page.html";
constexpr std::string_view kStreamMark = R"(name="stream" content=")";

struct BytesUnref {
  void operator()(GBytes *bytes) const { g_bytes_unref(bytes); }
};
using BytesPtr = std::unique_ptr<GBytes, BytesUnref>;

GResource *player_resource() {
  static std::once_flag once;
  std::call_once(once, flv_player_register_resource);
  return flv_player_get_resource();
}

// The contents of an embedded file; empty: there is no such file.
std::string embedded(const std::string &name) {
  const std::string path = "/flv/player/" + name;
  const BytesPtr bytes(g_resource_lookup_data(player_resource(), path.c_str(),
                                              G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
  if (!bytes)
    return "";
  gsize size = 0;
  const auto *data = static_cast<const char *>(g_bytes_get_data(bytes.get(), &size));
  return {data, size};
}

std::string folder_of(const std::string &prefix) {
  std::string folder = normalized_path(prefix).value_or(prefix);
  if (!folder.ends_with('/'))
    folder += '/';
  return folder;
}

std::string page_for(const std::string &stream) {
  std::string page = embedded(kPage);
  const gstflv::StringPtr escaped(g_markup_escape_text(stream.c_str(), -1));
  if (const std::size_t mark = page.find(kStreamMark); mark != std::string::npos)
    page.insert(mark + kStreamMark.size(), escaped.get());
  return page;
}

Response redirect_to(std::string location, const std::string &query) {
  if (!query.empty())
    location += "?" + query;
  Response response;
  response.status = 301;
  response.fields = {{"Location", std::move(location)}};
  return response;
}

} // namespace

std::string relative_reference(const std::string &folder, const std::string &path) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  const auto common = static_cast<std::size_t>(end - folder.begin());
  const std::size_t shared = folder.substr(0, common).rfind('/') + 1;
  std::string reference = "./";
  for (auto levels =
           std::count(folder.begin() + static_cast<std::ptrdiff_t>(shared), folder.end(), '/');
       levels > 0; --levels)
    reference += "../";
  return reference + path.substr(shared);
}

std::string page_reference(const std::string &stream_path, const std::string &page_path) {
  const std::string stream = normalized_path(stream_path).value_or(stream_path);
  return relative_reference(stream.substr(0, stream.rfind('/') + 1), folder_of(page_path));
}

PageSite::PageSite(const std::string &prefix, const std::string &stream_path,
                   std::weak_ptr<Broadcast> broadcast)
    : folder_(folder_of(prefix)),
      page_(page_for(
          relative_reference(folder_, normalized_path(stream_path).value_or(stream_path)))),
      broadcast_(std::move(broadcast)) {}

void PageSite::answer(std::shared_ptr<Exchange> exchange) {
  exchange->respond(respond(exchange->request()));
}

std::string PageSite::allow_origin() const {
  const auto broadcast = broadcast_.lock();
  return broadcast ? broadcast->settings()->allow_origin : "";
}

Response PageSite::respond(const Request &request) const {
  if (request.path + "/" == folder_) // the page's references are relative to the folder
    return redirect_to("./" + folder_.substr(request.path.rfind('/') + 1), request.query);
  const bool is_page = request.path == folder_;
  const std::string name =
      is_page || !request.path.starts_with(folder_) ? "" : request.path.substr(folder_.size());
  std::string body = is_page ? page_ : name.ends_with(".js") ? embedded(name) : "";
  Response response;
  if (body.empty()) {
    response.status = 404;
    return response;
  }
  const std::string tag = '"' + std::to_string(std::hash<std::string>()(body)) + '"';
  response.fields = {
      {"Content-Type", is_page ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8"},
      {"Cache-Control", "no-cache"},
      {"ETag", tag},
  };
  const std::string *known = request.field("If-None-Match");
  if (known && known->find(tag) != std::string::npos)
    response.status = 304;
  else
    response.parts.emplace_back(std::move(body));
  return response;
}

} // namespace flvhttp
