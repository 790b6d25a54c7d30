// SPDX-License-Identifier: LGPL-2.1-or-later
#include "advice.h"

#include "operands.h"

namespace flvstream {

namespace {

// ffmpeg reads a name with a leading dash as an option, and the part of a name before a colon as a
// protocol.
std::string file_word(const std::string &input) {
  const bool is_plain = input == kStandard || is_url(input) || input.starts_with('/');
  const bool is_special = input.starts_with('-') || input.find(':') != std::string::npos;
  return shell_word(!is_plain && is_special ? "./" + input : input);
}

std::string codecs_text(const tools::Container &container) {
  std::string text;
  for (std::size_t i = 0; i < container.codecs.size(); ++i) {
    const bool last = i + 1 == container.codecs.size();
    text += (i == 0 ? " with " : last ? " and " : ", ") + container.codecs[i].name;
  }
  return text;
}

// Copies the tracks that FLV can contain, and encodes the others. If no codec was found, encodes
// all tracks.
std::string codec_options(const tools::Container &container) {
  bool copies_video = !container.codecs.empty();
  bool copies_audio = copies_video;
  for (const tools::Codec &codec : container.codecs) {
    copies_video = copies_video && (codec.track == tools::Track::Audio || codec.fits_flv);
    copies_audio = copies_audio && (codec.track == tools::Track::Video || codec.fits_flv);
  }
  if (copies_video && copies_audio)
    return "-c copy";
  return std::string("-c:v ") + (copies_video ? "copy" : "libx264") + " -c:a " +
         (copies_audio ? "copy" : "aac");
}

std::string unpacking(const tools::Container &container, const std::string &input) {
  std::string unpack = container.unpack;
  if (input == kStandard)
    return unpack;
  if (is_url(input))
    return "curl -s " + shell_word(input) + " | " + unpack;
  return unpack + ' ' + file_word(input);
}

} // namespace

std::string advice_for(const tools::Container &container, const std::string &input) {
  switch (container.kind) {
  case tools::Container::Kind::Unknown:
    return {};
  case tools::Container::Kind::Text:
    return container.name;
  case tools::Container::Kind::Compressed:
    return container.name + "; unpack it: " + unpacking(container, input) + " | flvstream -";
  case tools::Container::Kind::Media:
    break;
  }
  return container.name + codecs_text(container) + "; convert it: ffmpeg -i " + file_word(input) +
         ' ' + codec_options(container) + " -f flv - | flvstream -";
}

} // namespace flvstream
