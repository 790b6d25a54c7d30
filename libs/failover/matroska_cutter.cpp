// SPDX-License-Identifier: LGPL-2.1-or-later
#include "matroska_cutter.h"

#include <algorithm>
#include <array>
#include <utility>

namespace failover {

using ebml::Element;

namespace {

bool is_left_out(std::uint32_t id) {
  constexpr std::array<std::uint32_t, 8> kIds = {
      ebml::kSeekHead, ebml::kCues,     ebml::kChapters, ebml::kAttachments,
      ebml::kPosition, ebml::kPrevSize, ebml::kVoid,     ebml::kCrc};
  return std::find(kIds.begin(), kIds.end(), id) != kIds.end();
}

void append(Buffer &to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// The header of an element with its size field set to "unknown".
Buffer with_unknown_size(Bytes bytes, const Element &element) {
  Buffer header(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(element.header_size));
  const std::size_t size = element.header_size - element.id_size;
  header[element.id_size] = static_cast<std::uint8_t>(0xFFU >> (size - 1));
  std::fill(header.begin() + static_cast<std::ptrdiff_t>(element.id_size) + 1, header.end(),
            std::uint8_t{0xFF});
  return header;
}

} // namespace

void MatroskaCutter::begin(Bytes chunk) {
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, chunk.size()));
  to_skip_ -= skipped;
  append(bytes_, chunk.subspan(skipped));
}

std::optional<Piece> MatroskaCutter::next() {
  Piece piece;
  while (piece.bytes.empty() && !is_malformed_) {
    if (!take_element(piece))
      return std::nullopt;
  }
  return is_malformed_ ? std::nullopt : std::optional(std::move(piece));
}

// Takes one element, or the header of an element with children. Returns whether it was there.
bool MatroskaCutter::take_element(Piece &piece) {
  constexpr std::size_t kMaxHeader = 12;
  const Bytes left = Bytes(bytes_).subspan(at_);
  const auto element = ebml::read_element(left);
  if (!element) {
    is_malformed_ |= left.size() >= kMaxHeader;
    return false;
  }
  if (header_.empty() && element->id != ebml::kEbml) {
    is_malformed_ = true;
    return false;
  }
  const Bytes head = left.first(element->header_size);
  if (element->id == ebml::kSegment || element->id == ebml::kCluster) {
    const Buffer unknown = with_unknown_size(head, *element);
    if (element->id == ebml::kSegment) {
      append(header_, unknown);
      piece.bytes = unknown;
    } else {
      cluster_ = unknown;
      cluster_time_ = 0;
    }
    at_ += element->header_size;
    return true;
  }
  if (element->is_unknown) {
    is_malformed_ = true;
    return false;
  }
  if (is_left_out(element->id)) {
    skip(element->header_size + element->size);
    return true;
  }
  return take_whole(*element, piece);
}

void MatroskaCutter::skip(std::uint64_t size) {
  const std::uint64_t here = std::min<std::uint64_t>(size, bytes_.size() - at_);
  at_ += static_cast<std::size_t>(here);
  to_skip_ = size - here;
}

bool MatroskaCutter::take_whole(const Element &element, Piece &piece) {
  if (element.size > kMaxElement) {
    is_malformed_ = true;
    return false;
  }
  const std::size_t size = element.header_size + static_cast<std::size_t>(element.size);
  if (bytes_.size() - at_ < size)
    return false;
  const Bytes bytes = Bytes(bytes_).subspan(at_, size);
  const Bytes content = bytes.subspan(element.header_size);
  at_ += size;
  switch (element.id) {
  case ebml::kEbml:
    begin_header(bytes);
    piece.bytes = header_;
    return true;
  case ebml::kInfo:
    note_info(content);
    break;
  case ebml::kTracks:
    note_tracks(content);
    break;
  case ebml::kTags:
    break;
  default:
    return take_in_cluster(element.id, bytes, content, piece);
  }
  append(header_, bytes);
  append(piece.bytes, bytes);
  return true;
}

void MatroskaCutter::begin_header(Bytes bytes) {
  header_.assign(bytes.begin(), bytes.end());
  cluster_.clear();
  video_tracks_.clear();
  constexpr std::uint64_t kDefaultScale = 1'000'000;
  scale_ = kDefaultScale;
}

void MatroskaCutter::note_info(Bytes content) {
  ebml::for_each_child(content, [this](std::uint32_t id, Bytes child) {
    constexpr std::uint64_t kMaxScale = 1'000'000'000;
    if (id == ebml::kTimestampScale)
      scale_ = std::clamp<std::uint64_t>(ebml::read_unsigned(child), 1, kMaxScale);
  });
}

void MatroskaCutter::note_tracks(Bytes content) {
  video_tracks_.clear();
  ebml::for_each_child(content, [this](std::uint32_t id, Bytes entry) {
    if (id != ebml::kTrackEntry)
      return;
    constexpr std::uint64_t kVideo = 1;
    std::uint64_t number = 0;
    std::uint64_t type = 0;
    ebml::for_each_child(entry, [&](std::uint32_t field, Bytes value) {
      if (field == ebml::kTrackNumber)
        number = ebml::read_unsigned(value);
      else if (field == ebml::kTrackType)
        type = ebml::read_unsigned(value);
    });
    if (type == kVideo)
      video_tracks_.push_back(number);
  });
}

bool MatroskaCutter::is_video(std::uint64_t track) const {
  return std::find(video_tracks_.begin(), video_tracks_.end(), track) != video_tracks_.end();
}

bool MatroskaCutter::take_in_cluster(std::uint32_t id, Bytes bytes, Bytes content, Piece &piece) {
  if (id == ebml::kTimestamp)
    cluster_time_ = ebml::read_unsigned(content);
  const bool is_block = id == ebml::kSimpleBlock || id == ebml::kBlockGroup;
  if (cluster_.empty()) {
    append(piece.bytes, bytes);
    piece.is_dependent = true;
    if (is_block)
      take_block(id == ebml::kBlockGroup, content, piece);
    piece.is_start = false; // not at the start of a cluster
    return true;
  }
  append(cluster_, bytes);
  if (cluster_.size() > kMaxElement) {
    is_malformed_ = true;
    return false;
  }
  if (is_block) {
    take_block(id == ebml::kBlockGroup, content, piece);
    if (piece.is_start || piece.is_dependent)
      piece.bytes = std::exchange(cluster_, {});
  }
  return true;
}

// Sets the time. Of a video block, and of any block if there is no video track, sets whether a
// decoder can start at it.
void MatroskaCutter::take_block(bool is_group, Bytes content, Piece &piece) {
  bool refers = false;
  Bytes block = content;
  if (is_group) {
    block = {};
    ebml::for_each_child(content, [&](std::uint32_t id, Bytes child) {
      if (id == ebml::kBlock)
        block = child;
      refers |= id == ebml::kReferenceBlock;
    });
  }
  const auto track = ebml::read_number(block);
  if (!track || block.size() < track->size + 3)
    return;
  const Bytes fields = block.subspan(track->size);
  const auto offset = static_cast<std::int16_t>(fields[0] << 8 | fields[1]);
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  const std::uint64_t time = cluster_time_ + static_cast<std::uint64_t>(std::int64_t{offset});
  piece.time = static_cast<std::int64_t>(time * scale_ / kNsPerMs);
  constexpr std::uint8_t kKeyFrame = 0x80;
  const bool is_key = is_group ? !refers : (fields[2] & kKeyFrame) != 0;
  if (video_tracks_.empty()) {
    piece.is_start = true;
  } else if (is_video(track->value)) {
    piece.is_start = is_key;
    piece.is_dependent = !is_key;
  }
}

} // namespace failover
