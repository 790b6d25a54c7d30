// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/container.h"
#include "common/plugins.h"
#include "flv/format/other_format.h"
#include "source_check.h"

namespace flvserve {

namespace {

using remux::Format;

GstElement *adopted(GstElement *element) {
  return element ? GST_ELEMENT(gst_object_ref_sink(element)) : nullptr;
}

Source failed(Source::Kind kind, const std::string &complaint) {
  return {kind, nullptr, nullptr, complaint};
}

Source make(Source::Kind kind, const char *factory) {
  Source source{kind, nullptr, nullptr, {}};
  source.element.reset(adopted(gst_element_factory_make(factory, nullptr)));
  if (!source.element)
    source.complaint = tools::missing_element(factory);
  return source;
}

Source read_descriptor(Source::Kind kind, int descriptor, const std::string &name) {
  if (descriptor < 0)
    return failed(kind, "cannot open " + name + ": " + g_strerror(errno));
  auto file = std::make_shared<flvhttp::OpenFile>(descriptor);
  Source source = make(kind, "fdsrc");
  if (source.element)
    g_object_set(source.element.get(), "fd", descriptor, nullptr);
  source.file = std::move(file);
  return source;
}

Source read_file(const std::string &name) {
  if (access(name.c_str(), R_OK) != 0)
    return failed(Source::Kind::File, "cannot open " + name + ": " + g_strerror(errno));
  Source source = make(Source::Kind::File, "filesrc");
  if (source.element)
    g_object_set(source.element.get(), "location", name.c_str(), nullptr);
  return source;
}

int connect_to(const std::string &name) {
  sockaddr_un address{};
  if (name.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0 ||
      connect(descriptor, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0)
    return descriptor;
  const int reason = errno;
  close(descriptor);
  errno = reason;
  return -1;
}

// filesrc would open a FIFO twice, and read sockets not at all.
Source open_name(const std::string &name) {
  struct stat file {};
  const bool known = stat(name.c_str(), &file) == 0;
  if (known && S_ISSOCK(file.st_mode))
    return read_descriptor(Source::Kind::Network, connect_to(name), name);
  if (known && (S_ISFIFO(file.st_mode) || S_ISCHR(file.st_mode)))
    return read_descriptor(Source::Kind::Pipe,
                           open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), name);
  return read_file(name);
}

// A file that a shell has opened is read as a file.
Source open_descriptor(int number) {
  struct stat file {};
  if (fstat(number, &file) == 0 && S_ISREG(file.st_mode))
    return read_file("/proc/self/fd/" + std::to_string(number));
  return read_descriptor(Source::Kind::Standard, fcntl(number, F_DUPFD_CLOEXEC, 0),
                         number == STDIN_FILENO ? "standard input"
                                                : "descriptor " + std::to_string(number));
}

struct FreeError {
  void operator()(GError *error) const { g_error_free(error); }
};

// `iradio-mode` would wrap the stream of some servers in a format of its own.
Source open_uri(const std::string &uri) {
  GError *error = nullptr;
  Source source{Source::Kind::Network, nullptr, nullptr, {}};
  source.element.reset(
      adopted(gst_element_make_from_uri(GST_URI_SRC, uri.c_str(), nullptr, &error)));
  const std::unique_ptr<GError, FreeError> problem(error);
  if (!source.element) {
    source.complaint = "cannot open " + uri + ": " + problem->message;
    return source;
  }
  GObject *object = G_OBJECT(source.element.get());
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(object), "iradio-mode"))
    g_object_set(object, "iradio-mode", FALSE, nullptr);
  return source;
}

Source open_launch(const std::string &launch) {
  GError *error = nullptr;
  Source source{Source::Kind::Launch, nullptr, nullptr, {}};
  source.element.reset(adopted(gst_parse_bin_from_description_full(
      launch.c_str(), TRUE, nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error)));
  const std::unique_ptr<GError, FreeError> problem(error);
  if (!source.element)
    source.complaint = problem->message;
  return source;
}

std::optional<Format> stream_format(std::string_view name) {
  constexpr std::pair<std::string_view, Format> kFormats[] = {
      {"Matroska", Format::Matroska}, {"WebM", Format::WebM},
      {"MPEG-TS", Format::MpegTs},    {"Ogg", Format::Ogg},
      {"MP3", Format::Mp3},           {"MP3 (an ID3 tag comes first)", Format::Mp3}};
  for (const auto &[known, format] : kFormats) {
    if (known == name)
      return format;
  }
  return std::nullopt;
}

} // namespace

Source open_source(const MountSettings &mount) {
  if (!mount.launch.empty())
    return open_launch(mount.launch);
  if (const int descriptor = descriptor_of(mount.uri); descriptor >= 0)
    return open_descriptor(descriptor);
  const std::string name = file_name(mount.uri);
  return name.empty() ? open_uri(mount.uri) : open_name(name);
}

Content identify(flv::Bytes start, bool is_all) {
  constexpr std::string_view kFlv = "FLV";
  if (start.size() >= kFlv.size() && std::equal(kFlv.begin(), kFlv.end(), start.begin()))
    return {Content::Kind::Stream, Format::Flv, "FLV"};
  if (!is_all && start.size() < flv::kOtherFormatBytes)
    return {};
  const tools::Container container = tools::identify(tools::MemoryBytes(start));
  const std::optional<Format> format = stream_format(container.name);
  if (format)
    return {Content::Kind::Stream, format, container.name};
  const bool refused = container.kind == tools::Container::Kind::Compressed ||
                       container.kind == tools::Container::Kind::Text;
  return {refused ? Content::Kind::Refused : Content::Kind::Other, std::nullopt, container.name};
}

Content identify_file(const std::string &name) {
  std::array<std::uint8_t, flv::kOtherFormatBytes> bytes{};
  const int descriptor = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  std::size_t size = 0;
  if (descriptor >= 0) {
    size = tools::FileBytes(descriptor).read(0, bytes);
    close(descriptor);
  }
  return identify(flv::Bytes(bytes).first(size), true);
}

std::optional<Format> format_of_caps(const GstCaps *caps) {
  if (!caps || gst_caps_is_empty(caps) || gst_caps_is_any(caps))
    return std::nullopt;
  constexpr std::pair<std::string_view, Format> kFormats[] = {
      {"video/x-flv", Format::Flv},
      {"video/x-matroska", Format::Matroska},
      {"audio/x-matroska", Format::Matroska},
      {"video/webm", Format::WebM},
      {"audio/webm", Format::WebM},
      {"video/mpegts", Format::MpegTs},
      {"application/ogg", Format::Ogg},
      {"audio/ogg", Format::Ogg},
      {"video/ogg", Format::Ogg}};
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  for (const auto &[name, format] : kFormats) {
    if (name == gst_structure_get_name(structure))
      return format;
  }
  gint layer = 0;
  const bool is_mp3 = gst_structure_has_name(structure, "audio/mpeg") &&
                      gst_structure_get_int(structure, "layer", &layer) && layer == 3;
  return is_mp3 ? std::optional(Format::Mp3) : std::nullopt;
}

} // namespace flvserve
