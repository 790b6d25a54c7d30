// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source_check.h"

#include <sys/stat.h>

#include <gst/gst.h>

#include "base/gst_ptr.h"
#include "common/values.h"

namespace flvserve {

namespace {

struct FreeError {
  void operator()(GError *error) const { g_error_free(error); }
};

std::string scheme_of(const std::string &text) {
  const std::size_t end = text.find("://");
  if (end == std::string::npos || !gst_uri_is_valid(text.c_str()))
    return {};
  const gstflv::StringPtr scheme(g_ascii_strdown(text.c_str(), static_cast<gssize>(end)));
  return scheme.get();
}

} // namespace

bool is_uri(const std::string &text) {
  return !scheme_of(text).empty();
}

std::string file_name(const std::string &uri) {
  const std::string scheme = scheme_of(uri);
  if (scheme.empty())
    return uri;
  if (scheme != "file")
    return {};
  gchar *text = nullptr;
  const gstflv::StringPtr name(g_filename_from_uri(uri.c_str(), &text, nullptr));
  const gstflv::StringPtr host(text);
  const bool is_local = !host || g_ascii_strcasecmp(host.get(), "localhost") == 0;
  return name && is_local ? name.get() : "";
}

bool is_file(const std::string &uri) {
  const std::string name = file_name(uri);
  struct stat file {};
  if (name.empty())
    return false;
  return stat(name.c_str(), &file) != 0 || S_ISREG(file.st_mode);
}

int descriptor_of(const std::string &uri) {
  constexpr std::string_view kScheme = "fd://";
  if (!uri.starts_with(kScheme))
    return -1;
  const auto number = tools::parse_number(uri.substr(kScheme.size()), G_MAXINT);
  return number ? static_cast<int>(*number) : -1;
}

std::string uri_fault(const std::string &uri) {
  const std::string scheme = scheme_of(uri);
  if (scheme == "fd")
    return descriptor_of(uri) >= 0 ? "" : '"' + uri + "\" is not fd://NUMBER";
  if (scheme.empty() || scheme == "file") {
    const std::string name = file_name(uri);
    if (name.empty())
      return '"' + uri + "\" is not the URI of a local file";
    return g_file_test(name.c_str(), G_FILE_TEST_IS_DIR) ? name + " is a folder; see [files /PATH]"
                                                         : "";
  }
  if (!gst_uri_protocol_is_supported(GST_URI_SRC, scheme.c_str()))
    return "GStreamer has no source for " + scheme + " URIs";
  GError *error = nullptr;
  GstElement *source = gst_element_make_from_uri(GST_URI_SRC, uri.c_str(), nullptr, &error);
  const std::unique_ptr<GError, FreeError> problem(error);
  if (!source)
    return '"' + uri + "\" is not a " + scheme + " URI: " + problem->message;
  const gstflv::ElementPtr owned(GST_ELEMENT(gst_object_ref_sink(source)));
  return {};
}

std::string launch_fault(const std::string &launch) {
  GError *error = nullptr;
  GstElement *bin = gst_parse_bin_from_description_full(launch.c_str(), TRUE, nullptr,
                                                        GST_PARSE_FLAG_FATAL_ERRORS, &error);
  const std::unique_ptr<GError, FreeError> problem(error);
  if (!bin)
    return problem ? problem->message : "not a pipeline";
  const gstflv::ElementPtr owned(GST_ELEMENT(gst_object_ref_sink(bin)));
  const gstflv::PadPtr sink(gst_element_get_static_pad(bin, "sink"));
  const gstflv::PadPtr src(gst_element_get_static_pad(bin, "src"));
  if (sink)
    return "the pipeline has an input that is not linked";
  return src ? "" : "the pipeline has no output: its last element must be a source or a muxer";
}

} // namespace flvserve
