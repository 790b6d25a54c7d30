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
  if (whole || !header.has_video)
    return false;
  const bool is_configured = std::ranges::any_of(
      configurations, [](const PlacedTag &tag) { return tag.header.type == TagType::Video; });
  return is_configured || claims_video(metadata) || !audio_seen || !thorough;
}

std::optional<ReadRequest> FileProbe::next_request() const {
  switch (state_) {
  case State::Signature:
    return ReadRequest{0, kFileHeaderSize, true};
  case State::OtherFormat:
    return ReadRequest{0, kOtherFormatBytes, true};
  case State::Header:
    return ReadRequest{0, facts_.header.size + kPreviousTagSizeSize, true};
  case State::TagStart:
    return ReadRequest{facts_.end, kTagStart, true};
  case State::WholeTag:
    return ReadRequest{facts_.end, tag_.tag_size() + kPreviousTagSizeSize, true};
  case State::Done:
    break;
  }
  return std::nullopt;
}

void FileProbe::supply(Bytes bytes) {
  switch (state_) {
  case State::Signature:
    return take_signature(bytes);
  case State::OtherFormat:
    looks_like_ = flv::looks_like(bytes);
    state_ = State::Done;
    return;
  case State::Header:
    return take_header(bytes);
  case State::TagStart:
    return take_tag_start(bytes);
  case State::WholeTag:
    return take_whole_tag(bytes);
  case State::Done:
    break;
  }
}

void FileProbe::fail(Fault::Kind kind, std::size_t value) {
  fault_ = {kind, static_cast<std::uint32_t>(value)};
  state_ = State::Done;
}

void FileProbe::take_signature(Bytes bytes) {
  // Three bytes are enough to reject a short file of another format.
  constexpr Bytes::size_type kSignature = 3;
  if (bytes.size() >= kSignature && !(bytes[0] == 'F' && bytes[1] == 'L' && bytes[2] == 'V')) {
    fail(Fault::Kind::Signature, load_u24(bytes.data()));
    state_ = State::OtherFormat;
    return;
  }
  if (bytes.size() < kFileHeaderSize)
    return fail(Fault::Kind::Truncated, bytes.size());
  fault_ = read_file_header(bytes.data(), facts_.header);
  state_ = fault_.kind == Fault::Kind::None ? State::Header : State::Done;
}

void FileProbe::take_header(Bytes bytes) {
  if (bytes.size() < facts_.header.size + kPreviousTagSizeSize)
    return fail(Fault::Kind::Truncated, bytes.size());
  facts_.header_bytes.assign(bytes.begin(), bytes.end());
  facts_.end = bytes.size();
  state_ = State::TagStart;
}

void FileProbe::take_tag_start(Bytes bytes) {
  if (bytes.size() < kTagHeaderSize) {
    facts_.whole = true;
    state_ = State::Done;
    return;
  }
  if (read_tag_header(bytes.data(), kMaxDataSize, facts_.stream_ids, tag_).kind !=
      Fault::Kind::None) {
    state_ = State::Done;
    return;
  }
  Bytes data = bytes.subspan(kTagHeaderSize);
  data = data.first(std::min<std::size_t>(data.size(), tag_.data_size));
  info_ = classify(tag_.type, data);
  if (info_.role == Role::DecoderConfig || (tag_.is_script() && is_on_metadata(data))) {
    state_ = State::WholeTag;
    return;
  }
  if (!tag_.is_script() && info_.role != Role::Empty) {
    facts_.audio_seen |= tag_.type == TagType::Audio && is_media(info_.role);
    facts_.video_seen |= tag_.type == TagType::Video && is_media(info_.role);
    media_bytes_ += tag_.tag_size();
  } else {
    media_bytes_ += kTagStart;
  }
  pass();
}

void FileProbe::take_whole_tag(Bytes bytes) {
  if (bytes.size() < tag_.tag_size()) {
    if (tag_.is_script())
      return fail(Fault::Kind::Truncated, bytes.size());
    facts_.whole = true;
    state_ = State::Done;
    return;
  }
  // Configurations and repeated onMetaData tags count as media. Real files have too few of them to
  // reach the limit.
  if (!tag_.is_script() || facts_.metadata_tag)
    media_bytes_ += tag_.tag_size();
  PlacedTag tag{facts_.end, tag_, {bytes.begin(), bytes.end()}};
  if (tag_.is_script())
    take_metadata(std::move(tag));
  else
    facts_.configurations.push_back(std::move(tag));
  pass();
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

void FileProbe::pass() {
  facts_.stream_ids.note(tag_);
  if (!tag_.is_script())
    facts_.tags.push_back({facts_.end, tag_.timestamp, is_media(info_.role)});
  facts_.thorough = media_bytes_ > kMaxMedia;
  facts_.end += tag_.tag_size() + kPreviousTagSizeSize;
  state_ = is_enough() ? State::Done : State::TagStart;
}

bool FileProbe::is_enough() const {
  if (facts_.thorough)
    return true;
  if (!facts_.metadata_tag && media_bytes_ <= kMaxMediaBeforeMetadata)
    return false;
  const bool announced = facts_.header.has_audio || facts_.header.has_video;
  return announced && (facts_.audio_seen || !facts_.header.has_audio) &&
         (facts_.video_seen || !facts_.header.has_video);
}

} // namespace flv
