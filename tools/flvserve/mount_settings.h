// SPDX-License-Identifier: LGPL-2.1-or-later
// The settings of a mount: the section [mount /PATH] of the configuration.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/remux/remux.h"

namespace flvserve {

enum class Live : std::uint8_t { Auto, Yes, No };

struct MountSettings {
  std::string path; // as in the configuration: "/live/cam.flv"
  // Exactly one of these three is set.
  std::string uri;    // a URI or the absolute name of a file, a FIFO or a socket
  std::string launch; // a pipeline description
  std::string from;   // the path of another mount
  bool loop = false;
  Live live = Live::Auto;
  std::map<std::string, std::string> sink; // properties of httpserversink

  bool operator==(const MountSettings &) const = default;
};

// The settings that a running mount cannot change are equal: all but those of the sink.
[[nodiscard]] bool has_same_stream(const MountSettings &one, const MountSettings &other);

[[nodiscard]] remux::Format format_of(const MountSettings &mount);
// nullopt: no container is streamed under this extension.
[[nodiscard]] std::optional<remux::Format> streamed_format(std::string_view path);

// The properties of httpserversink that are keys of a mount.
[[nodiscard]] const std::vector<std::string> &sink_keys();
// The fault of a value as a sentence; empty: the value is valid.
[[nodiscard]] std::string sink_value_fault(const std::string &key, const std::string &value);
// The milliseconds of `burst`; 0: it is not set.
[[nodiscard]] std::uint32_t burst_of(const MountSettings &mount);
// The settings of the sink, with join=burst if only `burst` is set.
[[nodiscard]] std::map<std::string, std::string> effective_sink(const MountSettings &mount);

} // namespace flvserve
