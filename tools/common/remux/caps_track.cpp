// SPDX-License-Identifier: LGPL-2.1-or-later
#include "caps_track.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "audio_frames.h"
#include "av1.h"
#include "base/gst_ptr.h"
#include "nal.h"

namespace remux {

namespace {

struct KnownName {
  std::string_view caps;
  const char *name;
};

constexpr std::array kCodecNames{
    KnownName{"video/x-h263", "H.263"},
    KnownName{"video/x-flash-video", "Sorenson H.263"},
    KnownName{"video/x-vp6-flash", "VP6"},
    KnownName{"video/x-vp6-alpha", "VP6"},
    KnownName{"video/x-flash-screen", "Screen video"},
    KnownName{"video/x-theora", "Theora"},
    KnownName{"video/x-prores", "ProRes"},
    KnownName{"video/x-h266", "VVC"},
    KnownName{"video/x-raw", "uncompressed video"},
    KnownName{"image/jpeg", "JPEG"},
    KnownName{"audio/x-raw", "PCM"},
    KnownName{"audio/x-alac", "ALAC"},
    KnownName{"audio/x-dts", "DTS"},
    KnownName{"audio/x-speex", "Speex"},
    KnownName{"audio/x-nellymoser", "Nellymoser"},
    KnownName{"audio/x-adpcm", "ADPCM"},
    KnownName{"audio/x-alaw", "G.711"},
    KnownName{"audio/x-mulaw", "G.711"},
    KnownName{"audio/AMR", "AMR"},
    KnownName{"audio/x-wma", "WMA"},
};

constexpr std::array kContainerNames{
    KnownName{"video/x-flv", "FLV"},
    KnownName{"video/quicktime", "MP4"},
    KnownName{"application/x-3gp", "3GP"},
    KnownName{"audio/x-m4a", "MP4"},
    KnownName{"video/x-matroska", "Matroska"},
    KnownName{"audio/x-matroska", "Matroska"},
    KnownName{"video/webm", "WebM"},
    KnownName{"audio/webm", "WebM"},
    KnownName{"video/mpegts", "MPEG-TS"},
    KnownName{"application/ogg", "Ogg"},
    KnownName{"audio/ogg", "Ogg"},
    KnownName{"video/ogg", "Ogg"},
    KnownName{"application/x-id3", "MP3"},
    KnownName{"video/x-msvideo", "AVI"},
    KnownName{"audio/x-wav", "WAV"},
    KnownName{"video/mpeg", "MPEG-PS"},
    KnownName{"text/html", "HTML"},
};

template <std::size_t Size>
std::string known_name(const std::array<KnownName, Size> &names, std::string_view caps) {
  const auto found = std::ranges::find(names, caps, &KnownName::caps);
  return found != names.end() ? found->name : std::string(caps);
}

const GstStructure *structure_of(const GstCaps *caps) {
  return caps && gst_caps_get_size(caps) > 0 ? gst_caps_get_structure(caps, 0) : nullptr;
}

int number_in(const GstStructure *structure, const char *field) {
  int number = 0;
  gst_structure_get_int(structure, field, &number);
  return number;
}

std::string text_in(const GstStructure *structure, const char *field) {
  const gchar *text = gst_structure_get_string(structure, field);
  return text ? text : "";
}

std::vector<std::uint8_t> copy_of(GstBuffer *buffer) {
  const gstflv::MappedBuffer mapped(buffer);
  const flv::Bytes bytes = mapped.bytes();
  return {bytes.begin(), bytes.end()};
}

std::vector<std::uint8_t> codec_data(const GstStructure *structure) {
  const GValue *value = gst_structure_get_value(structure, "codec_data");
  return value && GST_VALUE_HOLDS_BUFFER(value) ? copy_of(gst_value_get_buffer(value))
                                                : std::vector<std::uint8_t>();
}

std::vector<std::vector<std::uint8_t>> stream_headers(const GstStructure *structure) {
  std::vector<std::vector<std::uint8_t>> headers;
  const GValue *list = gst_structure_get_value(structure, "streamheader");
  if (!list || !GST_VALUE_HOLDS_ARRAY(list))
    return headers;
  for (guint i = 0; i < gst_value_array_get_size(list); ++i) {
    const GValue *value = gst_value_array_get_value(list, i);
    if (GST_VALUE_HOLDS_BUFFER(value))
      headers.push_back(copy_of(gst_value_get_buffer(value)));
  }
  return headers;
}

std::vector<std::uint8_t> opus_config(const GstStructure *structure) {
  auto headers = stream_headers(structure);
  if (!headers.empty())
    return headers.front();
  constexpr int kUsualRate = 48'000;
  const int rate = number_in(structure, "rate");
  const int channels = number_in(structure, "channels");
  return opus_head(static_cast<std::uint32_t>(channels > 0 ? channels : 2),
                   static_cast<std::uint32_t>(rate > 0 ? rate : kUsualRate), 0);
}

// The bytes before "fLaC" and STREAMINFO, and the cuts between the headers, are those of the
// source's container.
std::vector<std::uint8_t> flac_config(const GstStructure *structure) {
  constexpr std::string_view kMagic = "fLaC";
  constexpr std::size_t kSize = 4 + 4 + 34;
  std::vector<std::uint8_t> all;
  for (const auto &header : stream_headers(structure))
    all.insert(all.end(), header.begin(), header.end());
  const auto found = std::search(all.begin(), all.end(), kMagic.begin(), kMagic.end());
  if (all.end() - found < static_cast<std::ptrdiff_t>(kSize))
    return {};
  std::vector<std::uint8_t> config(found, found + kSize);
  config[kMagic.size()] = 0x80; // the last block, of type STREAMINFO
  return config;
}

std::vector<std::uint8_t> config_of(Codec codec, const GstStructure *structure) {
  switch (codec) {
  case Codec::H264:
  case Codec::Hevc:
  case Codec::Aac:
    return codec_data(structure);
  case Codec::Av1: {
    auto config = codec_data(structure);
    return is_av1_config(config) ? config : std::vector<std::uint8_t>();
  }
  case Codec::Opus:
    return opus_config(structure);
  case Codec::Flac:
    return flac_config(structure);
  case Codec::Vorbis: {
    const auto headers = stream_headers(structure);
    return join_xiph({headers.begin(), headers.end()});
  }
  default:
    return {};
  }
}

void complete_from_config(Track &track) {
  if (track.codec == Codec::Aac)
    read_aac_config(track.config, track);
  const auto sequence = read_sequence(track.codec, track.config);
  if (sequence && track.width == 0) {
    track.width = sequence->width;
    track.height = sequence->height;
  }
}

// ns of a picture; 0: unknown.
std::int64_t frame_duration(const GstStructure *structure) {
  int numerator = 0;
  int denominator = 1;
  if (!gst_structure_get_fraction(structure, "framerate", &numerator, &denominator) ||
      numerator <= 0)
    return 0;
  return static_cast<std::int64_t>(gst_util_uint64_scale_int(GST_SECOND, denominator, numerator));
}

} // namespace

std::optional<Codec> codec_of(const GstCaps *caps) {
  const GstStructure *structure = structure_of(caps);
  if (!structure)
    return std::nullopt;
  constexpr std::array kCodecs{
      std::pair{"video/x-h264", Codec::H264},     std::pair{"video/x-h265", Codec::Hevc},
      std::pair{"video/x-av1", Codec::Av1},       std::pair{"video/x-vp8", Codec::Vp8},
      std::pair{"video/x-vp9", Codec::Vp9},       std::pair{"audio/x-opus", Codec::Opus},
      std::pair{"audio/x-vorbis", Codec::Vorbis}, std::pair{"audio/x-flac", Codec::Flac},
      std::pair{"audio/x-ac3", Codec::Ac3},       std::pair{"audio/ac3", Codec::Ac3},
      std::pair{"audio/x-eac3", Codec::Eac3},
  };
  for (const auto &[name, codec] : kCodecs) {
    if (gst_structure_has_name(structure, name))
      return codec;
  }
  if (!gst_structure_has_name(structure, "audio/mpeg"))
    return std::nullopt;
  const std::string format = text_in(structure, "stream-format");
  if (number_in(structure, "mpegversion") != 1)
    return format == "loas" || format == "latm-mcp1" ? std::nullopt : std::optional(Codec::Aac);
  // Layer 1 is not in use, and typefinding may not name the layer.
  return number_in(structure, "layer") == 2 ? Codec::Mp2 : Codec::Mp3;
}

Media media_of(const GstCaps *caps) {
  const GstStructure *structure = structure_of(caps);
  const std::string_view name = structure ? gst_structure_get_name(structure) : "";
  if (name.starts_with("video/"))
    return Media::Video;
  return name.starts_with("audio/") ? Media::Audio : Media::Other;
}

std::string codec_name(const GstCaps *caps) {
  if (const auto codec = codec_of(caps))
    return name_of(*codec);
  const GstStructure *structure = structure_of(caps);
  if (!structure)
    return "an unknown codec";
  if (gst_structure_has_field(structure, "codec"))
    return text_in(structure, "codec");
  if (gst_structure_has_name(structure, "video/mpeg"))
    return "MPEG-" + std::to_string(std::max(number_in(structure, "mpegversion"), 1));
  if (gst_structure_has_name(structure, "audio/mpeg"))
    return "AAC in LATM";
  return known_name(kCodecNames, gst_structure_get_name(structure));
}

std::string container_name(const GstCaps *caps) {
  const GstStructure *structure = structure_of(caps);
  if (!structure)
    return "an unknown format";
  if (gst_structure_has_name(structure, "audio/mpeg"))
    return number_in(structure, "mpegversion") == 1 ? "MP3" : "AAC";
  if (gst_structure_has_name(structure, "video/quicktime") && text_in(structure, "variant").empty())
    return "QuickTime";
  return known_name(kContainerNames, gst_structure_get_name(structure));
}

Parser parser_for(const GstCaps *caps, bool is_framed) {
  const auto codec = codec_of(caps);
  const GstStructure *structure = structure_of(caps);
  if (!codec)
    return {};
  const std::string format = text_in(structure, "stream-format");
  const bool has_config = gst_structure_has_field(structure, "codec_data") != FALSE;
  switch (*codec) {
  case Codec::H264:
    if (is_framed && has_config && format == "avc")
      return {};
    return {"h264parse", "video/x-h264,stream-format=avc,alignment=au"};
  case Codec::Hevc:
    if (is_framed && has_config && format == "hvc1")
      return {};
    return {"h265parse", "video/x-h265,stream-format=hvc1,alignment=au"};
  case Codec::Av1:
    if (is_framed)
      return {};
    return {"av1parse", "video/x-av1,stream-format=obu-stream,alignment=tu"};
  case Codec::Aac:
    if (is_framed && has_config)
      return {};
    return {"aacparse", "audio/mpeg,mpegversion=4,stream-format=raw"};
  case Codec::Mp3:
  case Codec::Mp2:
    return is_framed ? Parser{} : Parser{"mpegaudioparse", nullptr};
  case Codec::Ac3:
  case Codec::Eac3:
    return is_framed ? Parser{} : Parser{"ac3parse", nullptr};
  case Codec::Vp8:
  case Codec::Vp9:
  case Codec::Opus:
  case Codec::Vorbis:
  case Codec::Flac:
    break;
  }
  return {};
}

std::optional<Track> track_of(const GstCaps *caps) {
  const auto codec = codec_of(caps);
  if (!codec)
    return std::nullopt;
  const GstStructure *structure = structure_of(caps);
  const auto number = [structure](const char *field) {
    return static_cast<std::uint32_t>(std::max(number_in(structure, field), 0));
  };
  Track track;
  track.codec = *codec;
  track.config = config_of(*codec, structure);
  track.width = number("width");
  track.height = number("height");
  track.frame_duration = frame_duration(structure);
  track.rate = number("rate");
  track.channels = number("channels");
  int numerator = 1;
  int denominator = 1;
  gst_structure_get_fraction(structure, "pixel-aspect-ratio", &numerator, &denominator);
  if (numerator > 0 && denominator > 0) {
    track.aspect_width = static_cast<std::uint32_t>(numerator);
    track.aspect_height = static_cast<std::uint32_t>(denominator);
  }
  complete_from_config(track);
  return track;
}

void complete(Track &track, flv::Bytes packet) {
  constexpr std::uint32_t kOpusRate = 48'000;
  if (track.codec == Codec::Mp3 || track.codec == Codec::Mp2)
    read_mpeg_audio(packet, track);
  if ((track.codec == Codec::Vp8 || track.codec == Codec::Vp9) && track.config.empty())
    track.config = vp_config(track.codec, packet);
  if (track.codec == Codec::Av1 && (track.config.empty() || track.width == 0)) {
    if (const auto sequence = read_av1(packet)) {
      track.config = sequence->config;
      track.width = sequence->width;
      track.height = sequence->height;
    }
  }
  if (track.codec == Codec::Opus) {
    track.rate = kOpusRate;
    constexpr std::size_t kChannelsAt = 9;
    if (track.config.size() > kChannelsAt)
      track.channels = track.config[kChannelsAt];
  }
}

bool is_header(Codec codec, flv::Bytes packet) {
  const std::string_view text(reinterpret_cast<const char *>(packet.data()), packet.size());
  switch (codec) {
  case Codec::Opus:
    return text.starts_with("OpusHead") || text.starts_with("OpusTags");
  case Codec::Vorbis:
    return !packet.empty() && (packet[0] & 1) != 0;
  case Codec::Flac:
    return !packet.empty() && packet[0] != 0xFF;
  case Codec::Mp3:
    return is_mp3_info(packet);
  default:
    return false;
  }
}

} // namespace remux
