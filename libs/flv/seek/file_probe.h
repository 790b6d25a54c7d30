// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the beginning of a file: its header, its metadata, and the configurations before the media.
#pragma once

#include <optional>
#include <variant>

#include "flv/format/codec.h"
#include "flv/format/metadata.h"
#include "flv/stream/stream_ids.h"
#include "read_request.h"
#include "states/transition.h"

namespace flv {

// A tag of the file, with its PreviousTagSize.
struct PlacedTag {
  std::uint64_t position = 0;
  TagHeader header;
  std::vector<std::uint8_t> bytes;

  [[nodiscard]] Bytes data() const {
    return Bytes(bytes).subspan(kTagHeaderSize, header.data_size);
  }
};

// A tag that the FileProbe has read.
struct SeenTag {
  std::uint64_t position = 0;
  std::uint32_t timestamp = 0;
  bool is_media = false; // audio or video to play
};

// The results of a FileProbe.
struct FileFacts {
  enum class Extent : std::uint8_t {
    Beginning,
    Thorough, // more than FileProbe::kMaxMedia bytes of media
    Whole,    // the whole file
  };
  FileHeader header;
  std::vector<std::uint8_t> header_bytes; // with the PreviousTagSize0
  std::optional<PlacedTag> metadata_tag;
  Status metadata_status = Status::Ok;   // the result of reading the tag
  amf0::Value metadata;                  // valid if that is Ok
  std::vector<PlacedTag> configurations; // in file order
  // Tags to play. Configurations and empty tags do not count.
  bool audio_seen = false;
  bool video_seen = false;
  std::vector<SeenTag> tags; // audio and video, configurations included
  StreamIds stream_ids;
  // The end of the bytes that were read. A tag begins there, unless the file is damaged.
  std::uint64_t end = 0;
  Extent extent = Extent::Beginning; // of the bytes that were read

  [[nodiscard]] bool is_whole() const { return extent == Extent::Whole; }
  [[nodiscard]] std::uint64_t first_tag() const { return header_bytes.size(); }
  // The timestamp at time 0 of the file: that of the first tag to play.
  [[nodiscard]] std::optional<std::uint32_t> first_timestamp() const;
  // Whether only video keyframes are start points.
  [[nodiscard]] bool has_video() const;
};

// Whether onMetaData announces audio, or video.
[[nodiscard]] bool claims_audio(const amf0::Value &metadata);
[[nodiscard]] bool claims_video(const amf0::Value &metadata);

//                                      configuration, onMetaData
//    Signature -----> Header -----> TagStart <-----> WholeTag
//        |
//        |  not FLV
//        v
//    OtherFormat
//
// All of these lead to Done.
class FileProbe {
public:
  struct Signature {
    static constexpr const char *kName = "Signature";
  };
  // The file is not FLV. The first bytes are read again to find out its format.
  struct OtherFormat {
    static constexpr const char *kName = "OtherFormat";
  };
  struct Header {
    static constexpr const char *kName = "Header";
  };
  struct TagStart {
    static constexpr const char *kName = "TagStart";
  };
  struct WholeTag {
    static constexpr const char *kName = "WholeTag";
    TagHeader tag;
    TagInfo info;
  };
  struct Done {
    static constexpr const char *kName = "Done";
  };
  using State = std::variant<Signature, OtherFormat, Header, TagStart, WholeTag, Done>;
  using Transitions = states::TransitionTable<
      states::Transition<Signature, OtherFormat>, states::Transition<Signature, Header>,
      states::Transition<Signature, Done>, states::Transition<OtherFormat, Done>,
      states::Transition<Header, TagStart>, states::Transition<Header, Done>,
      states::Transition<TagStart, WholeTag>, states::Transition<TagStart, Done>,
      states::Transition<WholeTag, TagStart>, states::Transition<WholeTag, Done>>;

  // Limits of the media bytes that are read: to find each kind that the file header announces, and
  // to find onMetaData.
  static constexpr std::uint64_t kMaxMedia = 512 << 10;
  static constexpr std::uint64_t kMaxMediaBeforeMetadata = 64 << 10;

  // nullopt: the probe is complete, or the file is not an FLV file.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);

  // Other than None: the file is not an FLV file, or ends inside its header or inside onMetaData.
  [[nodiscard]] const Fault &fault() const { return fault_; }
  // Whether the file header was read.
  [[nodiscard]] bool has_header() const { return !facts_.header_bytes.empty(); }
  [[nodiscard]] const FileFacts &facts() const { return facts_; }
  // The likely format of a file that is not FLV, as text that follows describe(fault()).
  [[nodiscard]] const std::string &looks_like() const { return looks_like_; }
  // Ends the probe, and returns its results.
  [[nodiscard]] FileFacts take() { return std::move(facts_); }

private:
  void set_state(State next) { states::change_state<Transitions>("FileProbe", state_, next); }

  void take_signature(Bytes bytes);
  void take_header(Bytes bytes);
  void take_tag_start(Bytes bytes);
  void take_whole_tag(const WholeTag &whole, Bytes bytes);
  void take_metadata(PlacedTag tag);
  void pass(const TagHeader &tag, const TagInfo &info);
  void reach_end();
  void fail(Fault::Kind kind, std::size_t value);
  [[nodiscard]] bool is_enough() const;

  State state_;
  Fault fault_;
  std::string looks_like_;
  FileFacts facts_;
  std::uint64_t media_bytes_ = 0; // media, and other tags that a file can repeat without limit
};

} // namespace flv
