// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts GStreamer's caps to tracks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "track.h"

namespace remux {

// The codec of elementary stream caps. nullopt: not one of Codec.
[[nodiscard]] std::optional<Codec> codec_of(const GstCaps *caps);

enum class Media { Video, Audio, Other };
[[nodiscard]] Media media_of(const GstCaps *caps);

// A name for an error message, such as "MPEG-2" or "PCM"; else the caps' name.
[[nodiscard]] std::string codec_name(const GstCaps *caps);

// "MP4", "MPEG-TS"; else the caps' name.
[[nodiscard]] std::string container_name(const GstCaps *caps);

// The parser that converts a stream to what the writers take. The caps are explicit, because a
// parser would otherwise choose by what is downstream.
struct Parser {
  const char *element = nullptr; // nullptr: nothing is to be converted
  const char *caps = nullptr;    // after the element; nullptr: any
};
// `is_framed`: each buffer has one access unit, as from demuxers of MP4, Matroska, Ogg and FLV.
[[nodiscard]] Parser parser_for(const GstCaps *caps, bool is_framed);

// The track of caps from a demuxer or a parser.
[[nodiscard]] std::optional<Track> track_of(const GstCaps *caps);

// Adds what the caps do not have, from the first packet.
void complete(Track &track, flv::Bytes packet);

// Whether the packet has no media: a header of Opus, Vorbis or FLAC, which is in the track already,
// or the length of an MP3 file.
[[nodiscard]] bool is_header(Codec codec, flv::Bytes packet);

} // namespace remux
