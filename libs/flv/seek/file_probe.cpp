// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_probe.h"

#include <algorithm>
#include <utility>

#include "flv/format/other_format.h"

namespace flv {

namespace {

// Bytes: a tag header, and enough data to classify the tag. The name of a script tag needs the
// most.
constexpr std::size_t kTagStart = 64;

bool claims(const amf0::Value &metadata, std::string_view flag, std::string_view codec) {
  const amf0::Value *value = metadata.find(flag);
  const auto *truth = value ? std::get_if<bool>(&value->data) : nullptr;
  return truth ? *truth : metadata.find(codec) != nullptr;
}

} // namespace

bool claims_audio(const amf0::Value &metadata) {
  return claims(metadata, "hasAudio", "audiocodecid");
}

bool claims_video(const amf0::Value &metadata) {
  return claims(metadata, "hasVideo", "videocodecid");
}

std::optional<std::uint32_t> FileFacts::first_timestamp() const {
  const auto first = std::ranges::find_if(tags, &SeenTag::is_media);
  return first != tags.end() ? std::optional(first->timestamp) : std::nullopt;
}

// A file header can announce video that never comes, for example if a camera is off.
bool FileFacts::has_video() const {
  if (video_seen)
    return true;
  if (is_whole() || !header.has_video)
    return false;
  const bool is_configured = std::ranges::any_of(
      configurations, [](const PlacedTag &tag) { return tag.header.type == TagType::Video; });
  return is_configured || claims_video(metadata) || !audio_seen || extent != Extent::Thorough;
}

std::optional<ReadRequest> FileProbe::next_request() const {
  if (std::holds_alternative<Signature>(state_))
    return ReadRequest{0, kFileHeaderSize, true};
  if (std::holds_alternative<OtherFormat>(state_))
    return ReadRequest{0, kOtherFormatBytes, true};
  if (std::holds_alternative<Header>(state_))
    return ReadRequest{0, facts_.header.size + kPreviousTagSizeSize, true};
  if (std::holds_alternative<TagStart>(state_))
    return ReadRequest{facts_.end, kTagStart, true};
  if (const auto *whole = std::get_if<WholeTag>(&state_))
    return ReadRequest{facts_.end, whole->tag.tag_size() + kPreviousTagSizeSize, true};
  return std::nullopt;
}

void FileProbe::supply(Bytes bytes) {
  if (std::holds_alternative<Signature>(state_)) {
    take_signature(bytes);
  } else if (std::holds_alternative<OtherFormat>(state_)) {
    looks_like_ = flv::looks_like(bytes);
    set_state(Done{});
  } else if (std::holds_alternative<Header>(state_)) {
    take_header(bytes);
  } else if (std::holds_alternative<TagStart>(state_)) {
    take_tag_start(bytes);
  } else if (const auto *whole = std::get_if<WholeTag>(&state_)) {
    take_whole_tag(WholeTag(*whole), bytes);
  }
}

void FileProbe::fail(Fault::Kind kind, std::size_t value) {
  fault_ = {kind, static_cast<std::uint32_t>(value)};
  set_state(Done{});
}

void FileProbe::reach_end() {
  facts_.extent = FileFacts::Extent::Whole;
  set_state(Done{});
}

void FileProbe::take_signature(Bytes bytes) {
  // Three bytes are enough to reject a short file of another format.
  constexpr Bytes::size_type kSignature = 3;
  if (bytes.size() >= kSignature && !(bytes[0] == 'F' && bytes[1] == 'L' && bytes[2] == 'V')) {
    fault_ = {Fault::Kind::Signature, load_u24(bytes.data())};
    return set_state(OtherFormat{});
  }
  if (bytes.size() < kFileHeaderSize)
    return fail(Fault::Kind::Truncated, bytes.size());
  fault_ = read_file_header(bytes.data(), facts_.header);
  if (fault_.kind == Fault::Kind::None)
    set_state(Header{});
  else
    set_state(Done{});
}

void FileProbe::take_header(Bytes bytes) {
  if (bytes.size() < facts_.header.size + kPreviousTagSizeSize)
    return fail(Fault::Kind::Truncated, bytes.size());
  facts_.header_bytes.assign(bytes.begin(), bytes.end());
  facts_.end = bytes.size();
  set_state(TagStart{});
}

void FileProbe::take_tag_start(Bytes bytes) {
  if (bytes.size() < kTagHeaderSize)
    return reach_end();
  TagHeader tag;
  if (read_tag_header(bytes.data(), kMaxDataSize, facts_.stream_ids, tag).kind != Fault::Kind::None)
    return set_state(Done{});
  Bytes data = bytes.subspan(kTagHeaderSize);
  data = data.first(std::min<std::size_t>(data.size(), tag.data_size));
  const TagInfo info = classify(tag.type, data);
  if (info.role == Role::DecoderConfig || (tag.is_script() && is_on_metadata(data)))
    return set_state(WholeTag{tag, info});
  if (!tag.is_script() && info.role != Role::Empty) {
    facts_.audio_seen |= tag.type == TagType::Audio && is_media(info.role);
    facts_.video_seen |= tag.type == TagType::Video && is_media(info.role);
    media_bytes_ += tag.tag_size();
  } else {
    media_bytes_ += kTagStart;
  }
  pass(tag, info);
}

void FileProbe::take_whole_tag(const WholeTag &whole, Bytes bytes) {
  const TagHeader &header = whole.tag;
  if (bytes.size() < header.tag_size()) {
    if (header.is_script())
      return fail(Fault::Kind::Truncated, bytes.size());
    return reach_end();
  }
  // Configurations and repeated onMetaData tags count as media. Real files have too few of them to
  // reach the limit.
  if (!header.is_script() || facts_.metadata_tag)
    media_bytes_ += header.tag_size();
  PlacedTag tag{facts_.end, header, {bytes.begin(), bytes.end()}};
  if (header.is_script())
    take_metadata(std::move(tag));
  else
    facts_.configurations.push_back(std::move(tag));
  pass(header, whole.info);
}

// The last onMetaData tag counts, unless it is invalid or lacks the index that an earlier one has.
void FileProbe::take_metadata(PlacedTag tag) {
  amf0::Value object;
  const Status status = read_on_metadata(tag.data(), object);
  if (facts_.metadata_tag && facts_.metadata_status == Status::Ok &&
      (status != Status::Ok || (facts_.metadata.find("keyframes") && !object.find("keyframes"))))
    return;
  facts_.metadata_tag = std::move(tag);
  facts_.metadata_status = status;
  facts_.metadata = std::move(object);
}

void FileProbe::pass(const TagHeader &tag, const TagInfo &info) {
  facts_.stream_ids.note(tag);
  if (!tag.is_script())
    facts_.tags.push_back({facts_.end, tag.timestamp, is_media(info.role)});
  if (media_bytes_ > kMaxMedia)
    facts_.extent = FileFacts::Extent::Thorough;
  facts_.end += tag.tag_size() + kPreviousTagSizeSize;
  if (is_enough())
    set_state(Done{});
  else if (!std::holds_alternative<TagStart>(state_))
    set_state(TagStart{});
}

bool FileProbe::is_enough() const {
  if (facts_.extent == FileFacts::Extent::Thorough)
    return true;
  if (!facts_.metadata_tag && media_bytes_ <= kMaxMediaBeforeMetadata)
    return false;
  const bool announced = facts_.header.has_audio || facts_.header.has_video;
  return announced && (facts_.audio_seen || !facts_.header.has_audio) &&
         (facts_.video_seen || !facts_.header.has_video);
}

} // namespace flv
