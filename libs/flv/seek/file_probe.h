// SPDX-License-Identifier: LGPL-2.1-or-later
// The beginning of a file: its header, its metadata, and the configurations in front of the media.
#pragma once

#include <optional>

#include "flv/format/codec.h"
#include "flv/format/metadata.h"
#include "flv/stream/stream_ids.h"
#include "read_request.h"

namespace flv {

// A tag as it stands in the file, with its PreviousTagSize.
struct PlacedTag {
  std::uint64_t position = 0;
  TagHeader header;
  std::vector<std::uint8_t> bytes;

  [[nodiscard]] Bytes data() const {
    return Bytes(bytes).subspan(kTagHeaderSize, header.data_size);
  }
};

// A tag that an Opening passed.
struct SeenTag {
  std::uint64_t position = 0;
  std::uint32_t timestamp = 0;
  bool is_media = false; // audio or video to be played
};

// What an Opening found.
struct FileFacts {
  FileHeader header;
  std::vector<std::uint8_t> header_bytes; // with the PreviousTagSize0
  std::optional<PlacedTag> metadata_tag;  // the onMetaData tag
  Status metadata_status = Status::Ok;    // of reading it
  amf0::Value metadata;                   // if that is Ok
  std::vector<PlacedTag> configurations;  // in the order in which they stand
  bool audio_seen = false;                // audio or video, configurations and empty tags aside
  bool video_seen = false;
  std::vector<SeenTag> tags; // audio and video, configurations included
  StreamIds stream_ids;
  std::uint64_t end = 0; // of what was looked at; a tag begins there, unless the file is damaged
  bool whole = false;    // that is all of the file
  bool thorough = false; // kMaxMedia bytes of media were looked at

  [[nodiscard]] std::uint64_t first_tag() const { return header_bytes.size(); }
  // The timestamp from which times in the file count: that of the first tag to be played.
  [[nodiscard]] std::optional<std::uint32_t> first_timestamp() const;
  // Whether only video key frames are places to start.
  [[nodiscard]] bool has_video() const;
};

// Whether onMetaData says that there is audio, or video.
[[nodiscard]] bool claims_audio(const amf0::Value &metadata);
[[nodiscard]] bool claims_video(const amf0::Value &metadata);

class FileProbe {
public:
  // So many bytes of media are looked through for a kind that the file header announces, and for
  // onMetaData.
  static constexpr std::uint64_t kMaxMedia = 512 << 10;
  static constexpr std::uint64_t kMaxMediaBeforeMetadata = 64 << 10;

  // Nothing: it has seen enough, or the file is no FLV file.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // Not None: it is no FLV file, or ends inside its header or inside onMetaData.
  [[nodiscard]] const Fault &fault() const { return fault_; }
  // Whether the file header was read.
  [[nodiscard]] bool has_header() const { return !facts_.header_bytes.empty(); }
  [[nodiscard]] const FileFacts &facts() const { return facts_; }
  // What the bytes of a file that is not FLV look like, as the end of describe(fault()).
  [[nodiscard]] const std::string &looks_like() const { return looks_like_; }
  // What was found, with which it is over.
  [[nodiscard]] FileFacts take() { return std::move(facts_); }

private:
  enum class State { Signature, OtherFormat, Header, TagStart, WholeTag, Done };

  void take_signature(Bytes bytes);
  void take_header(Bytes bytes);
  void take_tag_start(Bytes bytes);
  void take_whole_tag(Bytes bytes);
  void take_metadata(PlacedTag tag);
  void pass();
  void fail(Fault::Kind kind, std::size_t value);
  [[nodiscard]] bool is_enough() const;

  State state_ = State::Signature;
  Fault fault_;
  std::string looks_like_;
  FileFacts facts_;
  TagHeader tag_;
  TagInfo info_;
  std::uint64_t media_bytes_ = 0; // and those of whatever else a file could have without end
};

} // namespace flv
