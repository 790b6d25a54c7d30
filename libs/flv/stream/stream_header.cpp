// SPDX-License-Identifier: LGPL-2.1-or-later
#include "stream_header.h"

#include <algorithm>

#include "flv/format/metadata.h"

namespace flv {

namespace {

bool same(Bytes a, Bytes b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

// Only the data is compared: timestamps can differ, and a PreviousTagSize can be wrong.
Bytes data_of(const TagHeader &header, Bytes tag) {
  return tag.subspan(kTagHeaderSize, header.data_size);
}

Bytes data_of(const std::vector<std::uint8_t> &tag) {
  return Bytes(tag).subspan(kTagHeaderSize, load_u24(&tag[1]));
}

SharedBytes shared(Bytes bytes) {
  return std::make_shared<const std::vector<std::uint8_t>>(bytes.begin(), bytes.end());
}

} // namespace

void StreamHeader::clear() {
  *this = {};
}

void StreamHeader::set_file_header(Bytes bytes) {
  file_header_ = shared(bytes);
}

StreamHeader::Change StreamHeader::note(const TagHeader &header, const TagInfo &info, Bytes tag) {
  if (info.role == Role::DecoderConfig)
    return note_configuration(header, info, tag);
  const Bytes data = data_of(header, tag);
  if (info.role != Role::Script || !is_on_metadata(data))
    return Change::None;
  if (metadata_ && same(data_of(*metadata_), data))
    return Change::Repeated;
  metadata_ = shared(tag);
  return Change::Changed;
}

// A configuration replaces those of its kind that have no other tracks.
StreamHeader::Change StreamHeader::note_configuration(const TagHeader &header, const TagInfo &info,
                                                      Bytes tag) {
  const Bytes data = data_of(header, tag);
  const TrackSet tracks = tracks_of(header.type, data);
  for (auto part = configurations_.rbegin(); part != configurations_.rend(); ++part) {
    if (part->type != header.type || part->kind != info.configuration)
      continue;
    if (part->tracks == tracks && same(data_of(*part->tag), data))
      return Change::Repeated;
    // This configuration of a shared track differs. An equal one before it is not a repetition.
    if ((part->tracks & tracks).any())
      break;
  }
  if (tag.size() > kMaxConfigurations)
    return Change::None;
  std::erase_if(configurations_, [&](const Part &part) {
    const bool replaced = part.type == header.type && part.kind == info.configuration &&
                          (part.tracks & ~tracks).none();
    if (replaced)
      configuration_bytes_ -= part.tag->size();
    return replaced;
  });
  configurations_.push_back({header.type, info.configuration, tracks, shared(tag)});
  configuration_bytes_ += tag.size();
  while (configuration_bytes_ > kMaxConfigurations || configurations_.size() > kMaxParts) {
    configuration_bytes_ -= configurations_.front().tag->size();
    configurations_.erase(configurations_.begin());
  }
  return Change::Changed;
}

void StreamHeader::note_all(const StreamHeader &later) {
  for (const Part &part : later.configurations_)
    note_tag(*part.tag);
}

StreamHeader::Change StreamHeader::note_tag(Bytes tag) {
  TagHeader header;
  if (tag.size() < kTagHeaderSize ||
      read_tag_header(tag.data(), kMaxDataSize, header).kind != Fault::Kind::None ||
      tag.size() < header.tag_size())
    return Change::None;
  return note(header, classify(header.type, data_of(header, tag)), tag);
}

bool StreamHeader::covers(const StreamHeader &other) const {
  return std::all_of(other.configurations_.begin(), other.configurations_.end(),
                     [this](const Part &wanted) {
                       TrackSet missing = wanted.tracks;
                       for (const Part &part : configurations_) {
                         if (part.type == wanted.type && part.kind == wanted.kind)
                           missing &= ~part.tracks;
                       }
                       return missing.none();
                     });
}

std::vector<SharedBytes> StreamHeader::parts() const {
  std::vector<SharedBytes> parts;
  for (const SharedBytes &part : {file_header_, metadata_}) {
    if (part)
      parts.push_back(part);
  }
  for (const Part &part : configurations_)
    parts.push_back(part.tag);
  return parts;
}

} // namespace flv
