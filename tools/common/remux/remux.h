// SPDX-License-Identifier: LGPL-2.1-or-later
// A bin that puts the audio and video of any container into another container, without
// transcoding.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <gst/gst.h>

namespace remux {

enum class Format { Flv, Matroska, WebM, MpegTs, Mp3, Ogg };

struct Options {
  Format format = Format::Flv;
  // The position in the source, from its beginning. The output starts at the key frame at or before
  // it. Needs a source that can seek; from other sources, the media before it is dropped.
  std::optional<GstClockTime> start;
  // Clients join the stream in the middle: short clusters, no index, no sizes.
  bool live = false;
};

// Called at most once, from any thread, with a sentence that names the codec and the container.
using Complaint = std::function<void(const std::string &)>;

// The sink pad takes the bytes of FLV, MP4, QuickTime, Matroska, WebM, MPEG-TS, Ogg, MP3 or ADTS
// AAC. The src pad gives the bytes of `format`, with timestamps. If a codec cannot be carried, the
// bin posts an error and calls `complaint`. Returns a floating reference; nullptr and a call of
// `complaint`: an element is missing. The bin does not start again after READY. It posts an element
// message "remux-start" with the `position` of the first media in the source, in ns, and `is-last`:
// no key frame follows.
[[nodiscard]] GstElement *make_bin(const Options &options, Complaint complaint = {});

// By the name's extension, without regard to case: flv, mkv, mka, webm, ts, m2ts, mts, mp3, ogg,
// oga, opus.
[[nodiscard]] std::optional<Format> format_of_extension(std::string_view path);

// "FLV", "Matroska", "WebM", "MPEG-TS", "MP3", "Ogg".
[[nodiscard]] const char *name_of(Format format);

} // namespace remux
