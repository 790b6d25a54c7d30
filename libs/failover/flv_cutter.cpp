// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv_cutter.h"

#include "fanout/recovery_point.h"

namespace failover {

using flv::Item;
using flv::Role;
using flv::TagType;

void FlvCutter::begin(Bytes chunk) {
  chunk_.assign(chunk.begin(), chunk.end());
  size_ += chunk.size();
  tags_.begin(nullptr, chunk_);
}

std::optional<Piece> FlvCutter::next() {
  while (const auto item = tags_.next()) {
    if (item->kind == Item::Kind::FileHeader) {
      Piece piece{.bytes = bytes_of(*item)};
      file_ = item->file;
      header_.clear();
      header_.set_file_header(piece.bytes);
      return piece;
    }
    if (item->kind == Item::Kind::Tag) {
      Piece piece{.bytes = bytes_of(*item)};
      classify(*item, piece);
      return piece;
    }
  }
  is_malformed_ |= tags_.end() == flv::Status::Malformed;
  return std::nullopt;
}

// The bytes as they arrived. Only a missing PreviousTagSize is added.
Buffer FlvCutter::bytes_of(const Item &item) const {
  const bool is_whole = item.kind != Item::Kind::Tag ||
                        item.end - item.begin == item.tag.tag_size() + flv::kPreviousTagSizeSize;
  if (is_whole)
    return tags_.with_bytes(item.begin, item.end,
                            [](Bytes bytes) { return Buffer(bytes.begin(), bytes.end()); });
  const fanout::Entry entry = tags_.entry_of(item);
  return {entry.bytes.begin(), entry.bytes.end()};
}

void FlvCutter::classify(const Item &item, Piece &piece) {
  const Bytes data = Bytes(piece.bytes).subspan(flv::kTagHeaderSize, item.tag.data_size);
  const flv::TagInfo info = flv::classify(item.tag.type, data);
  (void)header_.note(item.tag, info, piece.bytes);
  if (info.role == Role::DecoderConfig && item.tag.type == TagType::Video &&
      info.configuration == flv::DecoderConfigKind::Sequence)
    nal_length_size_ = fanout::nal_length_size(data);
  if (flv::is_media(info.role))
    classify_media(item.tag, info, data, piece);
}

void FlvCutter::classify_media(const flv::TagHeader &tag, const flv::TagInfo &info, Bytes data,
                               Piece &piece) {
  piece.time = tag.timestamp;
  if (tag.type == TagType::Audio && !first_audio_)
    first_audio_ = tag.timestamp;
  probe_.note_media(tag.type, static_cast<std::int64_t>(tag.timestamp) -
                                  first_audio_.value_or(tag.timestamp));
  if (tag.type == TagType::Audio) {
    piece.is_start = is_audio_only();
    return;
  }
  piece.is_start =
      info.role == Role::KeyFrame || fanout::has_recovery_point(data, nal_length_size_);
  piece.is_dependent = !piece.is_start;
}

bool FlvCutter::is_audio_only() const {
  constexpr flv::KindProbe::Limits kLimits{.span = 500, .size = 1 << 20};
  return !probe_.seen().contains(TagType::Video) &&
         (!file_.has_video || probe_.has_reached(kLimits, size_));
}

Buffer FlvCutter::header() const {
  Buffer header;
  for (const flv::SharedBytes &part : header_.parts())
    header.insert(header.end(), part->begin(), part->end());
  return header;
}

} // namespace failover
