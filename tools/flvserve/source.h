// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens the source of a mount: a file, a descriptor, a FIFO, a socket, a URI or a pipeline.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/gst_ptr.h"
#include "common/remux/remux.h"
#include "httpserver/file_version.h"
#include "mount_settings.h"

namespace flvserve {

struct Source {
  enum class Kind : std::uint8_t {
    File,     // has an end, and can be read again
    Pipe,     // a FIFO: other writers may come
    Standard, // an inherited descriptor
    Network,  // may come back after its end
    Launch,
  };
  Kind kind = Kind::File;
  gstflv::ElementPtr element; // nullptr: `complaint` has the reason
  flvhttp::FilePtr file;      // the descriptor that the element reads
  std::string complaint;
};

[[nodiscard]] Source open_source(const MountSettings &mount);

// The container of a stream, from its first bytes.
struct Content {
  enum class Kind : std::uint8_t {
    NeedMore, // too few bytes
    Stream,   // one of the formats that a mount can have
    Other,    // another container, which may be converted
    Refused,  // no media; `name` says what it is
  };
  Kind kind = Kind::NeedMore;
  std::optional<remux::Format> format; // of a Stream
  std::string name;                    // "MP4"; empty: unknown
};

// `is_all`: there are no further bytes.
[[nodiscard]] Content identify(flv::Bytes start, bool is_all);
// From the start of a file. An error of reading is an unknown content.
[[nodiscard]] Content identify_file(const std::string &name);
// nullopt: the caps do not determine a container.
[[nodiscard]] std::optional<remux::Format> format_of_caps(const GstCaps *caps);

} // namespace flvserve
