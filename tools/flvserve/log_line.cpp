// SPDX-License-Identifier: LGPL-2.1-or-later
#include "log_line.h"

#include <array>
#include <cstdio>
#include <ctime>

#include <json-glib/json-glib.h>

#include "base/gst_ptr.h"

namespace flvserve {

namespace {

constexpr std::int64_t kSecond = 1'000'000; // µs
constexpr double kMillisecond = 1000;       // ms per second

std::string time_text(std::int64_t time_us, const char *format) {
  const std::time_t seconds = time_us / kSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

// The month's name does not depend on the locale.
std::string common_time(std::int64_t time_us) {
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = time_us / kSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return time_text(time_us, "[%d/") + kMonths[static_cast<std::size_t>(parts.tm_mon)] +
         time_text(time_us, "/%Y:%H:%M:%S +0000]");
}

std::string json_time(std::int64_t time_us) {
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>(time_us % kSecond / 1000));
  return time_text(time_us, "%Y-%m-%dT%H:%M:%S") + fraction.data();
}

// Quoted as by Apache: a client cannot end the quotation or the line.
std::string quoted(const std::string &text) {
  std::string out = "\"";
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\') {
      out += '\\';
      out += each;
    } else if (byte < ' ' || byte >= 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x", unsigned{byte});
      out += escape.data();
    } else {
      out += each;
    }
  }
  return out + '"';
}

std::string quoted_or_dash(const std::string &text) {
  return text.empty() ? "\"-\"" : quoted(text);
}

std::string request_text(const flvhttp::LoggedRequest &request) {
  if (request.method.empty())
    return quoted_or_dash(request.target);
  return quoted(request.method + ' ' + request.target + ' ' + request.protocol);
}

std::string common_line(const flvhttp::LoggedRequest &request) {
  return (request.address.empty() ? "-" : request.address) + " - - " +
         common_time(request.time_us) + ' ' + request_text(request) + ' ' +
         std::to_string(request.status) + ' ' + std::to_string(request.bytes);
}

struct FreeNode {
  void operator()(JsonNode *node) const { json_node_unref(node); }
};

// Bytes that are not UTF-8 become U+FFFD.
void add_text(JsonObject *object, const char *name, const std::string &text) {
  const gstflv::StringPtr valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  json_object_set_string_member(object, name, valid.get());
}

std::string json_line(const flvhttp::LoggedRequest &request) {
  JsonObject *object = json_object_new();
  add_text(object, "time", json_time(request.time_us));
  add_text(object, "address", request.address);
  add_text(object, "method", request.method);
  add_text(object, "target", request.target);
  add_text(object, "protocol", request.protocol);
  json_object_set_int_member(object, "status", request.status);
  json_object_set_int_member(object, "bytes", static_cast<gint64>(request.bytes));
  json_object_set_int_member(object, "duration",
                             static_cast<gint64>(request.duration_s * kMillisecond));
  add_text(object, "reason", request.reason);
  add_text(object, "referer", request.referer);
  add_text(object, "user-agent", request.agent);
  json_object_set_boolean_member(object, "secure", request.secure);
  const std::unique_ptr<JsonNode, FreeNode> node(json_node_new(JSON_NODE_OBJECT));
  json_node_take_object(node.get(), object);
  const gstflv::StringPtr text(json_to_string(node.get(), FALSE));
  return text.get();
}

} // namespace

const char *name_of(LogFormat format) {
  switch (format) {
  case LogFormat::Common:
    return "common";
  case LogFormat::Combined:
    return "combined";
  case LogFormat::Json:
    return "json";
  }
  return "";
}

std::string log_line(const flvhttp::LoggedRequest &request, LogFormat format) {
  switch (format) {
  case LogFormat::Common:
    return common_line(request) + '\n';
  case LogFormat::Combined:
    return common_line(request) + ' ' + quoted_or_dash(request.referer) + ' ' +
           quoted_or_dash(request.agent) + '\n';
  case LogFormat::Json:
    return json_line(request) + '\n';
  }
  return {};
}

} // namespace flvserve
