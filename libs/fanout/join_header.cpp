// SPDX-License-Identifier: LGPL-2.1-or-later
#include "join_header.h"

#include <utility>

#include "flv/format/metadata.h"
#include "flv/seek/start_header.h"

namespace fanout {

using flv::TagType;

Kind kind_of(Bytes tag) {
  const auto type = static_cast<TagType>(tag[0] & 0x1F);
  return type == TagType::Audio ? Kind::Audio : type == TagType::Video ? Kind::Video : Kind::None;
}

std::vector<std::uint8_t> metadata_tag(const std::optional<flv::amf0::Value> &metadata,
                                       bool has_audio, bool has_video) {
  std::vector<std::uint8_t> tag;
  if (!metadata)
    return tag;
  std::vector<std::uint8_t> data;
  flv::amf0::write_all(data,
                       {{std::string("onMetaData")}, flv::live(*metadata, has_audio, has_video)});
  if (data.size() <= flv::kMaxDataSize)
    flv::append_tag(tag, TagType::Script, 0, data);
  return tag;
}

JoinHeaderPtr make_join_header(const std::optional<flv::amf0::Value> &metadata,
                               const JoinHeaderInput &input) {
  JoinHeader header;
  flv::FileHeader file;
  file.has_audio = header.has_audio = input.has_audio;
  file.has_video = header.has_video = input.has_video;
  const auto file_header = flv::write_file_header(file);
  header.container_header.assign(file_header.begin(), file_header.end());
  const std::vector<std::uint8_t> tag = metadata_tag(metadata, input.has_audio, input.has_video);
  header.container_header.insert(header.container_header.end(), tag.begin(), tag.end());
  for (const flv::SharedBytes &config : input.configs) {
    if (kind_of(*config) == Kind::Audio ? input.has_audio : input.has_video)
      header.decoder_configs.push_back(*config);
  }
  if (input.has_audio && input.has_video) {
    header.audio_alone = make_join_header(metadata, {true, false, input.configs});
    header.video_alone = make_join_header(metadata, {false, true, input.configs});
  }
  return std::make_shared<const JoinHeader>(std::move(header));
}

} // namespace fanout
