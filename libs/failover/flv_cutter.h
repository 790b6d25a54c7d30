// SPDX-License-Identifier: LGPL-2.1-or-later
// Cuts FLV into tags.
#pragma once

#include "cutter.h"
#include "fanout/tag_assembler.h"
#include "flv/stream/kind_probe.h"
#include "flv/stream/stream_header.h"

namespace failover {

// A stream with video starts at a video keyframe or a recovery point. A stream without video
// starts at any audio tag. A file header that announces video is believed for 500 ms of audio or
// 1 MiB.
class FlvCutter final : public Cutter {
public:
  void begin(Bytes chunk) override;
  [[nodiscard]] std::optional<Piece> next() override;
  [[nodiscard]] bool is_malformed() const override { return is_malformed_; }
  // The file header, the last onMetaData and the last configuration of each track.
  [[nodiscard]] Buffer header() const override;

private:
  [[nodiscard]] Buffer bytes_of(const flv::Item &item) const;
  void classify(const flv::Item &item, Piece &piece);
  void classify_media(const flv::TagHeader &tag, const flv::TagInfo &info, Bytes data,
                      Piece &piece);
  [[nodiscard]] bool is_audio_only() const;

  fanout::TagAssembler tags_;
  Buffer chunk_;
  flv::StreamHeader header_;
  flv::FileHeader file_;
  flv::KindProbe probe_;
  std::optional<std::int64_t> first_audio_; // ms
  std::size_t size_ = 0;                    // bytes that were read
  std::size_t nal_length_size_ = 0;
  bool is_malformed_ = false;
};

} // namespace failover
