// SPDX-License-Identifier: LGPL-2.1-or-later
#include "read_ahead.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/gst_ptr.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_seek_debug);
#define GST_CAT_DEFAULT gst_flv_seek_debug

namespace flvseek {

using gstflv::StringPtr;

namespace {

// The number of requests, evenly spread, that show whether the file is in the page cache.
constexpr std::size_t kSamples = 8;

// nullptr: upstream is not a local file.
StringPtr path_of(GstPad *sink_pad) {
  GstQuery *query = gst_query_new_uri();
  gchar *uri = nullptr;
  if (gst_pad_peer_query(sink_pad, query))
    gst_query_parse_uri(query, &uri);
  gst_query_unref(query);
  const StringPtr owned(uri);
  return StringPtr(uri && gst_uri_has_protocol(uri, "file")
                       ? g_filename_from_uri(uri, nullptr, nullptr)
                       : nullptr);
}

bool is_cached(int descriptor, const flv::ReadRequest &request) {
  char byte = 0;
  const iovec target{&byte, 1};
  return preadv2(descriptor, &target, 1, static_cast<off_t>(request.offset), RWF_NOWAIT) >= 0;
}

bool are_cached(int descriptor, const std::vector<flv::ReadRequest> &requests) {
  const std::size_t step = std::max<std::size_t>(1, requests.size() / kSamples);
  for (std::size_t i = 0; i < requests.size(); i += step) {
    if (!is_cached(descriptor, requests[i]))
      return false;
  }
  return true;
}

} // namespace

void read_ahead(GstPad *sink_pad, const std::vector<flv::ReadRequest> &requests) {
  if (requests.empty())
    return;
  const StringPtr path = path_of(sink_pad);
  const int descriptor = path ? open(path.get(), O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
  if (descriptor < 0)
    return;
  if (!are_cached(descriptor, requests)) {
    GST_DEBUG_OBJECT(sink_pad, "reading ahead for %" G_GSIZE_FORMAT " requests", requests.size());
    for (const flv::ReadRequest &request : requests)
      (void)posix_fadvise(descriptor, static_cast<off_t>(request.offset),
                          static_cast<off_t>(request.size), POSIX_FADV_WILLNEED);
  }
  close(descriptor);
}

} // namespace flvseek
