// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "config.h"
#include "names.h"
#include "operands.h"
#include "output.h"

namespace flvstream {

namespace {

// Bytes: the usual datagram of streaming, which fits Ethernet with one or two tunnels.
constexpr guint kUsualMtu = 1316;

// ns: the history of a server beyond the burst, so that it contains a key frame, and the maximum
// lag of a client beyond that.
constexpr gint64 kHistory = 12 * GST_SECOND;
constexpr gint64 kMaxLag = 10 * GST_SECOND;
constexpr guint64 kClientTimeout = 30 * GST_SECOND;

// For the HTTP server. The data kept for lagging clients is limited in bytes, too: kMaxRate is the
// limit per ms.
constexpr guint kHttpDrain = 10'000; // ms: the time for clients to receive the rest
constexpr guint64 kMaxRate = 4096;

constexpr const char *kHttpServer = "httpserversink";

struct Package {
  const char *element;
  const char *debian;
};

constexpr Package kPackages[] = {
    {"filesrc", "libgstreamer1.0-0"},
    {"fdsrc", "libgstreamer1.0-0"},
    {"souphttpsrc", "gstreamer1.0-plugins-good"},
    {"fdsink", "libgstreamer1.0-0"},
    {"tcpclientsink", "gstreamer1.0-plugins-base"},
    {"tcpserversink", "gstreamer1.0-plugins-base"},
    {"udpsink", "gstreamer1.0-plugins-good"},
};

std::string missing(const char *element) {
  std::string text = std::string("there is no GStreamer element ") + element;
  for (const Package &package : kPackages) {
    if (std::string_view(package.element) == element)
      return text + "; on Debian: apt-get install " + package.debian;
  }
  if (std::string_view(element) == kHttpServer)
    return text + "; it comes with this program, in " + PLUGINS_DIR +
           ", where that was built with libsoup 3; on Debian: apt-get install libsoup-3.0-dev";
  return text + "; it should have come with this program, in " + PLUGINS_DIR;
}

std::optional<struct stat> file_of(const std::string &name, int standard) {
  struct stat file {};
  const bool known = (name == kStandard ? fstat(standard, &file) : stat(name.c_str(), &file)) == 0;
  return known ? std::optional(file) : std::nullopt;
}

bool is_fifo(const std::string &name) {
  const auto file = file_of(name, -1);
  return file && S_ISFIFO(file->st_mode);
}

// filesrc detects these errors, too, but its message does not name the reason.
std::string read_failure(const Options &options) {
  if (options.input == kStandard || is_url(options.input))
    return {};
  const auto file = file_of(options.input, -1);
  if (file && S_ISDIR(file->st_mode))
    errno = EISDIR;
  else if (file && access(options.input.c_str(), R_OK) == 0)
    return {};
  return "cannot read " + options.input + ": " + g_strerror(errno);
}

// Opening OUTPUT would truncate a file. A FIFO would have no other process at its other end.
bool writes_its_input(const Options &options) {
  const auto input = file_of(options.input, STDIN_FILENO);
  const auto output = file_of(options.output, STDOUT_FILENO);
  return input && output && (S_ISREG(input->st_mode) || S_ISFIFO(input->st_mode)) &&
         input->st_dev == output->st_dev && input->st_ino == output->st_ino;
}

std::string write_failure(const Options &options) {
  if (options.destination != Destination::Output)
    return {};
  if (writes_its_input(options))
    return input_name(options) + " is both INPUT and OUTPUT";
  const std::string complaint = output_complaint(options.output);
  return complaint.empty() ? "" : "cannot write " + output_name(options) + ": " + complaint;
}

// The plugins that are installed with this program may be outside of GStreamer's search path.
void find_own_plugins(const Options &options) {
  for (const char *name : {"flvseek", "flvpace", kHttpServer}) {
    if (name == kHttpServer && options.destination != Destination::HttpServer)
      continue;
    GstElementFactory *factory = gst_element_factory_find(name);
    if (!factory) {
      gst_registry_scan_path(gst_registry_get(), PLUGINS_DIR);
      return;
    }
    gst_object_unref(factory);
  }
}

// The server's `path` property: the decoded path, or `path` itself if the decoded path has
// characters that a URL must escape. Empty: `path` has a query, a fragment, or an invalid escape.
std::string served_path(const std::string &path) {
  const gstflv::StringPtr decoded(g_uri_unescape_string(path.c_str(), nullptr));
  if (!decoded || path.find_first_of("?#") != std::string::npos)
    return {};
  const std::string text = decoded.get();
  const bool is_plain = text.find_first_of("%?#") == std::string::npos &&
                        g_utf8_validate(text.c_str(), -1, nullptr) != FALSE;
  return is_plain ? text : path;
}

// ms of media in `ms` of real time.
guint media_time(guint64 ms, double speed) {
  const double time = std::ceil(static_cast<double>(ms) * speed);
  return static_cast<guint>(std::min(time, double{G_MAXUINT}));
}

class Builder {
public:
  explicit Builder(const Options &options) : options_(options) {
    result_.pipeline.reset(GST_ELEMENT(gst_object_ref_sink(gst_pipeline_new("flvstream"))));
  }

  Pipeline build() {
    add_source();
    result_.source = last_;
    result_.seek = add("flvseek");
    if (result_.seek)
      configure_seek();
    result_.pace = add("flvpace");
    if (result_.pace)
      configure_pace();
    add_sink();
    if (!result_.complaint.empty())
      result_.pipeline.reset();
    return std::move(result_);
  }

private:
  // Adds an element and links it after the last one.
  GstElement *add(const char *factory) {
    if (!result_.complaint.empty())
      return nullptr;
    GstElement *element = gst_element_factory_make(factory, nullptr);
    if (!element) {
      result_.complaint = missing(factory);
      return nullptr;
    }
    gst_bin_add(GST_BIN(result_.pipeline.get()), element);
    if (last_)
      gst_element_link(last_, element);
    last_ = element;
    return element;
  }

  void add_source() {
    if (options_.input == kStandard) {
      add("fdsrc");
      return;
    }
    if (is_url(options_.input)) {
      if (GstElement *source = add("souphttpsrc"))
        g_object_set(source, "location", options_.input.c_str(), "automatic-redirect", TRUE,
                     nullptr);
      return;
    }
    if (is_fifo(options_.input)) {
      add_fifo();
      return;
    }
    if (GstElement *source = add("filesrc"))
      g_object_set(source, "location", options_.input.c_str(), nullptr);
  }

  // filesrc opens a file twice. At the second time, the writer may have closed the FIFO. So fdsrc
  // reads it.
  void add_fifo() {
    const int descriptor = open(options_.input.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (GstElement *source = add("fdsrc"))
      g_object_set(source, "fd", descriptor, nullptr);
  }

  void configure_seek() {
    gst_util_set_object_arg(G_OBJECT(result_.seek), "snap", options_.snap.c_str());
    gst_util_set_object_arg(G_OBJECT(result_.seek), "index", options_.index.c_str());
    g_object_set(result_.seek, "offset", guint64{options_.offset.value_or(0)}, "start-time",
                 guint64{options_.start.value_or(0)}, nullptr);
  }

  void configure_pace() {
    g_object_set(result_.pace, "burst", options_.burst, "speed", options_.speed, "mtu", mtu(),
                 "sync", static_cast<gboolean>(options_.pace), nullptr);
    if (options_.max_gap)
      g_object_set(result_.pace, "max-gap", *options_.max_gap, nullptr);
  }

  [[nodiscard]] guint mtu() const {
    const bool is_udp = options_.destination == Destination::Udp;
    return options_.mtu == 0 && is_udp ? kUsualMtu : options_.mtu;
  }

  void add_sink() {
    switch (options_.destination) {
    case Destination::Output:
      result_.sink = add("fdsink");
      break;
    case Destination::Udp:
      add_udp_sink();
      break;
    case Destination::Tcp:
      add_network_sink("tcpclientsink");
      break;
    case Destination::TcpServer:
      add_server();
      break;
    case Destination::HttpServer:
      add_http_server();
      break;
    }
  }

  void add_network_sink(const char *factory) {
    result_.sink = add(factory);
    if (result_.sink)
      g_object_set(result_.sink, "host", options_.address.host.c_str(), "port",
                   gint{options_.address.port}, nullptr);
  }

  // udpsink ignores a host that does not exist, and then has no address to send to.
  void add_udp_sink() {
    add_network_sink("udpsink");
    if (!result_.sink)
      return;
    gchar *text = nullptr;
    g_object_get(result_.sink, "clients", &text, nullptr);
    const gstflv::StringPtr clients(text);
    if (!clients || *clients == '\0')
      result_.complaint = "cannot send to " + output_name(options_) + ": there is no such host";
  }

  // Each client gets the stream header and the burst, from a key frame on. A client that does not
  // read any more is removed, and the data kept for it is limited.
  void add_server() {
    result_.sink = add("tcpserversink");
    if (!result_.sink)
      return;
    const gint64 burst = gint64{options_.burst} * GST_MSECOND;
    GObject *sink = G_OBJECT(result_.sink);
    g_object_set(sink, "host", bind_host(options_.address).c_str(), "port",
                 gint{options_.address.port}, "burst-value",
                 static_cast<guint64>(std::max<gint64>(burst, GST_MSECOND)), "time-min",
                 burst + kHistory, "units-max", burst + kHistory + kMaxLag, "timeout",
                 kClientTimeout, "resend-streamheader", FALSE, nullptr);
    gst_util_set_object_arg(sink, "sync-method", "burst-keyframe");
    gst_util_set_object_arg(sink, "burst-format", "time");
    gst_util_set_object_arg(sink, "unit-format", "time");
  }

  // The times of httpserversink are media times, so real times are converted with the speed.
  void add_http_server() {
    const std::string path = served_path(options_.path);
    if (path.empty()) {
      result_.complaint =
          "cannot serve on " + output_name(options_) + ": no client can ask for such a path";
      return;
    }
    result_.sink = add(kHttpServer);
    if (!result_.sink)
      return;
    const auto burst = media_time(options_.burst, options_.speed);
    const auto lag = media_time(kMaxLag / GST_MSECOND, std::max(options_.speed, 1.0));
    GObject *sink = G_OBJECT(result_.sink);
    g_object_set(
        sink, "address", bind_host(options_.address).c_str(), "port", guint{options_.address.port},
        "path", path.c_str(), "page-path", page_path(path).c_str(), "burst", burst, "max-lag", lag,
        "max-lag-bytes", (guint64{burst} + lag) * kMaxRate, "client-timeout",
        static_cast<guint>(kClientTimeout / GST_MSECOND), "drain-timeout", kHttpDrain, nullptr);
    gst_util_set_object_arg(sink, "join", burst > 0 ? "burst" : "latest-keyframe");
  }

  const Options &options_;
  Pipeline result_;
  GstElement *last_ = nullptr;
};

} // namespace

guint64 number_in(const GstStructure *structure, const char *field) {
  guint64 number = 0;
  gst_structure_get_uint64(structure, field, &number);
  return number;
}

bool can_read_again(const Options &options) {
  return options.input != kStandard && !is_fifo(options.input);
}

Pipeline build(const Options &options) {
  Pipeline none;
  none.complaint = read_failure(options);
  if (none.complaint.empty())
    none.complaint = write_failure(options);
  if (!none.complaint.empty())
    return none;
  find_own_plugins(options);
  return Builder(options).build();
}

} // namespace flvstream
