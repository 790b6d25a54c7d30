// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plugins.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/gst_ptr.h"
#include "config.h"

namespace tools {

namespace {

struct Package {
  std::string_view element;
  const char *debian;
};

constexpr std::array kPackages{
    Package{"filesrc", "libgstreamer1.0-0"},
    Package{"fdsrc", "libgstreamer1.0-0"},
    Package{"typefind", "libgstreamer1.0-0"},
    Package{"multiqueue", "libgstreamer1.0-0"},
    Package{"capsfilter", "libgstreamer1.0-0"},
    Package{"souphttpsrc", "gstreamer1.0-plugins-good"},
    Package{"fdsink", "libgstreamer1.0-0"},
    Package{"tcpclientsink", "gstreamer1.0-plugins-base"},
    Package{"tcpserversink", "gstreamer1.0-plugins-base"},
    Package{"udpsink", "gstreamer1.0-plugins-good"},
    Package{"oggdemux", "gstreamer1.0-plugins-base"},
    Package{"oggmux", "gstreamer1.0-plugins-base"},
    Package{"opusparse", "gstreamer1.0-plugins-bad"},
    Package{"flvdemux", "gstreamer1.0-plugins-good"},
    Package{"qtdemux", "gstreamer1.0-plugins-good"},
    Package{"matroskademux", "gstreamer1.0-plugins-good"},
    Package{"matroskamux", "gstreamer1.0-plugins-good"},
    Package{"webmmux", "gstreamer1.0-plugins-good"},
    Package{"aacparse", "gstreamer1.0-plugins-good"},
    Package{"ac3parse", "gstreamer1.0-plugins-good"},
    Package{"flacparse", "gstreamer1.0-plugins-good"},
    Package{"mpegaudioparse", "gstreamer1.0-plugins-good"},
    Package{"id3demux", "gstreamer1.0-plugins-good"},
    Package{"tsdemux", "gstreamer1.0-plugins-bad"},
    Package{"mpegtsmux", "gstreamer1.0-plugins-bad"},
    Package{"h264parse", "gstreamer1.0-plugins-bad"},
    Package{"h265parse", "gstreamer1.0-plugins-bad"},
    Package{"av1parse", "gstreamer1.0-plugins-bad"},
    Package{"vp9parse", "gstreamer1.0-plugins-bad"},
};

bool has_factory(const char *element) {
  const gstflv::ObjectPtr<GstElementFactory> factory(gst_element_factory_find(element));
  return factory != nullptr;
}

} // namespace

void find_own_plugins(std::initializer_list<const char *> elements) {
  if (!std::ranges::all_of(elements, has_factory))
    gst_registry_scan_path(gst_registry_get(), PLUGINS_DIR);
}

std::string missing_element(const std::string &element) {
  const std::string text = "there is no GStreamer element " + element;
  const auto package = std::ranges::find(kPackages, element, &Package::element);
  if (package != kPackages.end())
    return text + "; on Debian: apt-get install " + package->debian;
  if (element == kHttpServer)
    return text + "; it comes with this program, in " + PLUGINS_DIR +
           ", where that was built with libsoup 3; on Debian: apt-get install libsoup-3.0-dev";
  return text + "; it should have come with this program, in " + PLUGINS_DIR;
}

} // namespace tools
