// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts Matroska and WebM into elements.
#pragma once

#include <string>

#include "cutter.h"
#include "ebml.h"

namespace failover {

// A stream starts at a cluster whose first video block is a keyframe. Such a cluster is one piece
// up to that block. Without a video track, it starts at any cluster. The sizes of the segment and
// the clusters become unknown, because the stream can end anywhere. Elements with positions and
// checksums of the file (SeekHead, Cues, Position, PrevSize, CRC-32) and padding are left out.
class MatroskaCutter final : public Cutter {
public:
  // Bytes of an element that is kept as a whole. A larger element is malformed.
  static constexpr std::uint64_t kMaxElement = 32 << 20;

  void begin(Bytes chunk) override;
  [[nodiscard]] std::optional<Piece> next() override;
  [[nodiscard]] bool is_malformed() const override { return is_malformed_; }
  // The EBML header, the segment's header, Info, Tracks and Tags.
  [[nodiscard]] Buffer header() const override { return header_; }

private:
  [[nodiscard]] bool take_element(Piece &piece);
  [[nodiscard]] bool take_whole(const ebml::Element &element, Piece &piece);
  void begin_header(Bytes bytes);
  void note_info(Bytes content);
  void note_tracks(Bytes content);
  [[nodiscard]] bool take_in_cluster(std::uint32_t id, Bytes bytes, Bytes content, Piece &piece);
  void take_block(bool is_group, Bytes content, Piece &piece);
  [[nodiscard]] bool is_video(std::uint64_t track) const;
  void skip(std::uint64_t size);

  Buffer bytes_; // not yet cut
  std::size_t at_ = 0;
  std::uint64_t to_skip_ = 0; // bytes after bytes_
  Buffer header_;
  Buffer cluster_;                  // a cluster's start, until its first video block
  std::uint64_t scale_ = 1'000'000; // ns of a timestamp's unit
  std::uint64_t cluster_time_ = 0;  // in that unit
  std::vector<std::uint64_t> video_tracks_;
  bool is_malformed_ = false;
};

} // namespace failover
