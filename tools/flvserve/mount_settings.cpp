// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mount_settings.h"

#include <algorithm>

#include "common/values.h"
#include "httpserver/gsthttpserversink.h"
#include "httpserver/url_path.h"

namespace flvserve {

namespace {

struct FreeClass {
  void operator()(GObjectClass *type) const { g_type_class_unref(type); }
};

std::string quoted(const std::string &value) {
  return '"' + value + '"';
}

std::string number_fault(const std::string &value, guint64 minimum, guint64 maximum) {
  const auto number = tools::parse_number(value, maximum);
  if (number && *number >= minimum)
    return {};
  return quoted(value) + " is not a number from " + std::to_string(minimum) + " to " +
         std::to_string(maximum);
}

std::string enum_fault(const std::string &value, const GEnumClass *type) {
  std::string names;
  for (guint at = 0; at < type->n_values; ++at) {
    if (value == type->values[at].value_nick)
      return {};
    names += std::string(at == 0 ? "" : ", ") + type->values[at].value_nick;
  }
  return quoted(value) + " is not one of " + names;
}

std::string fault_for(const GParamSpec *spec, const std::string &value) {
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    const auto *range = reinterpret_cast<const GParamSpecUInt *>(spec);
    return number_fault(value, range->minimum, range->maximum);
  }
  if (G_IS_PARAM_SPEC_UINT64(spec)) {
    const auto *range = reinterpret_cast<const GParamSpecUInt64 *>(spec);
    return number_fault(value, range->minimum, range->maximum);
  }
  if (G_IS_PARAM_SPEC_BOOLEAN(spec))
    return value == "true" || value == "false" ? "" : quoted(value) + " is neither true nor false";
  if (G_IS_PARAM_SPEC_ENUM(spec))
    return enum_fault(value, reinterpret_cast<const GParamSpecEnum *>(spec)->enum_class);
  // Texts become parts of the response head.
  const auto is_control = [](char each) { return each < ' ' || each == '\x7F'; };
  return std::ranges::any_of(value, is_control) ? "the value has a control character" : "";
}

} // namespace

bool has_same_stream(const MountSettings &one, const MountSettings &other) {
  // The report pages are routes of the listener, which the sink adds at its start.
  for (const char *key : {"stats-path", "metrics-path"}) {
    const auto a = one.sink.find(key);
    const auto b = other.sink.find(key);
    if ((a == one.sink.end()) != (b == other.sink.end()) ||
        (a != one.sink.end() && a->second != b->second))
      return false;
  }
  return one.path == other.path && one.uri == other.uri && one.launch == other.launch &&
         one.from == other.from && one.loop == other.loop && one.live == other.live;
}

std::optional<remux::Format> streamed_format(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return remux::format_of_extension(slash == std::string_view::npos ? path
                                                                    : path.substr(slash + 1));
}

remux::Format format_of(const MountSettings &mount) {
  return streamed_format(mount.path).value_or(remux::Format::Flv);
}

const std::vector<std::string> &sink_keys() {
  static const std::vector<std::string> keys = {
      "allow-origin",  "wait-timeout", "join",          "burst",          "rebase-timestamps",
      "drain-timeout", "max-lag",      "max-lag-bytes", "client-timeout", "max-clients",
      "merge",         "stats-path",   "metrics-path"};
  return keys;
}

std::string sink_value_fault(const std::string &key, const std::string &value) {
  const std::unique_ptr<GObjectClass, FreeClass> type(
      static_cast<GObjectClass *>(g_type_class_ref(GST_TYPE_HTTP_SERVER_SINK)));
  const GParamSpec *spec = g_object_class_find_property(type.get(), key.c_str());
  if (!spec)
    return "httpserversink has no such property";
  if (key.ends_with("-path")) {
    const std::string fault = flvhttp::path_fault(value);
    return fault.empty() ? "" : quoted(value) + ' ' + fault;
  }
  return fault_for(spec, value);
}

std::uint32_t burst_of(const MountSettings &mount) {
  const auto place = mount.sink.find("burst");
  if (place == mount.sink.end())
    return 0;
  return static_cast<std::uint32_t>(tools::parse_number(place->second, G_MAXUINT32).value_or(0));
}

std::map<std::string, std::string> effective_sink(const MountSettings &mount) {
  auto sink = mount.sink;
  if (burst_of(mount) > 0)
    sink.try_emplace("join", "burst");
  return sink;
}

} // namespace flvserve
