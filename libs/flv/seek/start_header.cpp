// SPDX-License-Identifier: LGPL-2.1-or-later
#include "start_header.h"

#include <algorithm>
#include <array>

namespace flv {

namespace {

constexpr std::size_t kFlags = 4; // offset in the file header
constexpr std::uint8_t kAudioFlag = 0x04;
constexpr std::uint8_t kVideoFlag = 0x01;

// A name can occur more than once.
void remove(amf0::Value &object, std::string_view name) {
  while (const amf0::Value *value = object.find(name))
    std::erase_if(*object.members(),
                  [value](const amf0::Member &member) { return value == &member.value; });
}

// Removes all members with this name except the first.
void remove_others(amf0::Value &object, std::string_view name) {
  auto &members = *object.members();
  const auto is_it = [&object, name](const amf0::Member &member) {
    return &member.value == object.find(name);
  };
  const auto first = std::find_if(members.begin(), members.end(), is_it);
  if (first == members.end())
    return;
  const auto place = first - members.begin();
  amf0::Member kept = *first;
  remove(object, name);
  members.insert(members.begin() + place, std::move(kept));
}

// Sets the value of an existing member; nullopt removes the member.
void correct(amf0::Value &object, std::string_view name, std::optional<double> number) {
  amf0::Value *value = object.find(name);
  if (!value)
    return;
  if (number)
    value->data = *number;
  else
    remove(object, name);
}

// Adds a correct PreviousTagSize, because that of `tag` can be wrong or missing.
void append_configuration(std::vector<std::uint8_t> &out, const std::vector<std::uint8_t> &tag) {
  const std::size_t size = kTagHeaderSize + load_u24(&tag[1]);
  out.insert(out.end(), tag.begin(), tag.begin() + static_cast<std::ptrdiff_t>(size));
  Writer(out).u32(static_cast<std::uint32_t>(size));
}

// If script data has a timestamp other than 0, decoders detect a text stream.
// The stream id is that of the file, because readers reject later tags with another one.
void append_metadata(std::vector<std::uint8_t> &out, const amf0::Value &object,
                     const PlacedTag &tag) {
  std::vector<std::uint8_t> data;
  amf0::write_all(data, {{std::string("onMetaData")}, object});
  append_tag(out, TagType::Script, 0, data, tag.header.stream_id);
}

void append_original_metadata(std::vector<std::uint8_t> &out, const PlacedTag &tag) {
  append_tag(out, tag.header.type, 0, tag.data(), tag.header.stream_id);
}

} // namespace

void append_file_header(std::vector<std::uint8_t> &out, const FileFacts &facts) {
  const std::size_t begin = out.size();
  out.insert(out.end(), facts.header_bytes.begin(), facts.header_bytes.end());
  std::uint8_t &flags = out[begin + kFlags];
  const auto set = [&](std::uint8_t flag, bool seen, bool claimed) {
    if (seen)
      flags |= flag;
    else if (facts.is_whole() || !claimed)
      flags &= static_cast<std::uint8_t>(~flag);
  };
  set(kAudioFlag, facts.audio_seen, claims_audio(facts.metadata));
  set(kVideoFlag, facts.video_seen, claims_video(facts.metadata));
}

amf0::Value stripped(const amf0::Value &metadata) {
  amf0::Value object = metadata;
  remove(object, "keyframes");
  correct(object, "lastkeyframelocation", std::nullopt);
  correct(object, "filesize", std::nullopt);
  return object;
}

amf0::Value live(const amf0::Value &metadata, bool audio, bool video) {
  amf0::Value object = stripped(metadata);
  for (const char *name :
       {"duration", "totalduration", "starttime", "lasttimestamp", "lastkeyframetimestamp",
        "datasize", "videosize", "audiosize", "bytelength", "hasKeyframes", "canSeekToEnd",
        "hasCuePoints", "cuePoints", "seekpoints"})
    remove(object, name);
  const auto settle = [&object](const char *flag, bool there, auto names) {
    remove_others(object, flag);
    if (amf0::Value *value = object.find(flag))
      value->data = there;
    if (there)
      return;
    for (const char *name : names)
      remove(object, name);
  };
  settle("hasAudio", audio,
         std::array{"audiocodecid", "audiodatarate", "audiosamplerate", "audiosamplesize",
                    "audiochannels", "stereo", "audiodelay"});
  settle("hasVideo", video,
         std::array{"videocodecid", "videodatarate", "width", "height", "framerate",
                    "videoframerate", "avcprofile", "avclevel"});
  return object;
}

amf0::Value rewritten(const amf0::Value &metadata, const PartOfFile &part,
                      std::uint64_t head_size) {
  if (!part.index && !part.end)
    return stripped(metadata);
  amf0::Value object = metadata;
  for (const char *name : {"keyframes", "filesize", "lastkeyframelocation"})
    remove_others(object, name);
  const auto moved = [&](std::uint64_t position) {
    return static_cast<double>(position - part.begin + head_size);
  };
  correct(object, "filesize", part.end ? std::optional(moved(*part.end)) : std::nullopt);
  if (!part.index) {
    remove(object, "keyframes");
    correct(object, "lastkeyframelocation", std::nullopt);
    return object;
  }
  amf0::NumberArray positions;
  amf0::NumberArray times;
  for (std::size_t i = 0; i < part.index->positions.size(); ++i) {
    const std::uint64_t position = part.index->positions[i];
    if (position < part.begin || (part.end && position >= *part.end))
      continue;
    positions.items.push_back(moved(position));
    times.items.push_back(part.index->times[i]);
  }
  const bool any = !positions.items.empty();
  correct(object, "lastkeyframelocation",
          any ? std::optional(positions.items.back()) : std::nullopt);
  correct(object, "lastkeyframetimestamp", any ? std::optional(times.items.back()) : std::nullopt);
  amf0::Value *keyframes = object.find("keyframes");
  if (!keyframes)
    return object;
  if (!any || !keyframes->members()) {
    remove(object, "keyframes");
    return object;
  }
  // Inserted before the existing members, because nothing can follow an AMF3 value.
  for (const auto &[name, list] :
       {std::pair("filepositions", &positions), std::pair("times", &times)}) {
    if (amf0::Value *value = keyframes->find(name))
      value->data = std::move(*list);
    else
      keyframes->members()->insert(keyframes->members()->begin(), {name, {std::move(*list)}});
  }
  return object;
}

std::vector<std::uint8_t> write_stream_head(const FileFacts &facts,
                                            const std::vector<SharedBytes> &configurations,
                                            const PartOfFile &part, const Reinsert &reinsert,
                                            MetadataKeyframes keyframes) {
  std::vector<std::uint8_t> header;
  std::vector<std::uint8_t> behind;
  if (reinsert.header)
    append_file_header(header, facts);
  if (reinsert.configurations) {
    for (const SharedBytes &tag : configurations)
      append_configuration(behind, *tag);
  }
  std::vector<std::uint8_t> metadata;
  if (reinsert.metadata && facts.metadata_tag && facts.metadata_status == Status::Ok) {
    switch (keyframes) {
    case MetadataKeyframes::Original:
      append_original_metadata(metadata, *facts.metadata_tag);
      break;
    case MetadataKeyframes::Strip: {
      append_metadata(metadata, stripped(facts.metadata), *facts.metadata_tag);
      break;
    }
    case MetadataKeyframes::Rewrite:
      // The size of a number does not depend on its value, so this gives the final size.
      append_metadata(metadata, rewritten(facts.metadata, part, 0), *facts.metadata_tag);
      if (metadata.size() > kMaxDataSize) {
        metadata.clear();
        append_metadata(metadata, stripped(facts.metadata), *facts.metadata_tag);
        break;
      }
      const std::uint64_t size = header.size() + metadata.size() + behind.size();
      metadata.clear();
      append_metadata(metadata, rewritten(facts.metadata, part, size), *facts.metadata_tag);
      break;
    }
  }
  header.insert(header.end(), metadata.begin(), metadata.end());
  header.insert(header.end(), behind.begin(), behind.end());
  return header;
}

} // namespace flv
