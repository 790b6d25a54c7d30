// SPDX-License-Identifier: LGPL-2.1-or-later
#include "responses.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "decision.h"
#include "folder_list.h"
#include "media_type.h"

namespace flvserve {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000; // ns
constexpr const char *kText = "text/plain; charset=utf-8";

flvhttp::Response page(unsigned status, const char *type, std::string text) {
  flvhttp::Response response;
  response.status = status;
  response.fields = {{"Content-Type", type}, {"Cache-Control", "no-cache"}};
  response.parts.emplace_back(std::move(text));
  return response;
}

// A Host field can have any text; the playlist gets only a host and a port.
bool is_host(const std::string &text) {
  return !text.empty() && std::ranges::all_of(text, [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
           (each >= '0' && each <= '9') ||
           std::string_view(".-_:[]").find(each) != std::string_view::npos;
  });
}

std::string_view last_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// The type of a name without a known extension comes from the content.
std::string_view type_of(const flvhttp::Request &request, const ServedFile &file) {
  const std::string_view type = media_type(request.path);
  return file.is_flv() && type == "application/octet-stream" ? kFlvType : type;
}

// The version of the code that makes virtual files is a part of their tag.
std::string etag(const ServedFile &file, const std::string &variant) {
  constexpr const char *kVirtual = "i1";
  std::string text = file.is_virtual() ? kVirtual : "";
  if (!text.empty() && !variant.empty())
    text += "-";
  return file.version().etag(text + variant);
}

} // namespace

flvhttp::Response text_response(unsigned status, const std::string &text) {
  return page(status, kText, text + "\n");
}

flvhttp::Response not_found() {
  return text_response(404, "There is no such file.");
}

flvhttp::Response busy() {
  flvhttp::Response response = text_response(503, "The server is busy.");
  response.fields.emplace_back("Retry-After", "2");
  return response;
}

flvhttp::Response file_response(const flvhttp::Request &request, const FilesSettings &settings,
                                const flvhttp::FilePtr &stored, const ServedFile &file,
                                const FilePart &part) {
  const std::uint64_t head_size = size_of(part.head);
  const Representation what{type_of(request, file), head_size + part.size, etag(file, part.variant),
                            file.version().modified / kSecond, settings.max_age_s};
  Decision decision = decide(request, what);
  flvhttp::Response response;
  response.status = decision.status;
  response.fields = std::move(decision.fields);
  response.version = file.version();
  Parts all = part.head;
  for (flvhttp::Part &each : slice(file.parts(stored), part.position, part.size))
    all.push_back(std::move(each));
  response.parts = slice(all, decision.first, decision.size);
  if (settings.burst_ms > 0 && file.schedule() && decision.size > 0) {
    const std::uint64_t head = head_size - std::min(head_size, decision.first);
    const std::uint64_t skipped = decision.first - std::min(head_size, decision.first);
    response.schedule.emplace(file.schedule(), head, part.position + skipped,
                              std::chrono::milliseconds(settings.burst_ms));
  }
  return response;
}

flvhttp::Response refusal_response(const StartRefusal &refusal, const ServedFile &file) {
  using Kind = StartRefusal::Kind;
  switch (refusal.kind) {
  case Kind::NoStart:
    return text_response(415, refusal.text);
  case Kind::NotHere: {
    flvhttp::Response response = text_response(416, refusal.text);
    response.fields.emplace_back("Content-Range", "bytes */" + std::to_string(file.size()));
    return response;
  }
  case Kind::ReadError:
    return text_response(500, refusal.text);
  case Kind::NeedsScan:
    break;
  }
  return busy();
}

flvhttp::Response playlist_response(const flvhttp::Request &request) {
  const std::string *host = request.field("Host");
  const std::string base =
      host && is_host(*host) ? (request.secure ? "https://" : "http://") + *host : "";
  flvhttp::Response response =
      page(200, "audio/x-mpegurl", playlist(base, request.path, last_name(request.path)));
  response.fields.emplace_back("Content-Disposition", "inline; filename=\"play.m3u\"");
  return response;
}

// Relative links work only if the path ends with a slash.
flvhttp::Response folder_response(const flvhttp::Request &request, const FilesSettings &settings,
                                  const std::string &path, const Descriptor &folder) {
  if (!settings.listing)
    return not_found();
  if (!request.path.ends_with('/')) {
    flvhttp::Response response = text_response(301, "The folder is at " + request.path + "/");
    response.fields.emplace_back("Location", request.path + "/");
    return response;
  }
  return page(200, "text/html; charset=utf-8",
              folder_page(request.path, !path.empty(), read_folder(folder.get())));
}

} // namespace flvserve
