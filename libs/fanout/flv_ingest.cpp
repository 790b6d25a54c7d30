// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv_ingest.h"

#include <algorithm>
#include <utility>

#include "flv/format/metadata.h"
#include "recovery_point.h"

namespace fanout {

using flv::Item;
using flv::Role;
using flv::SharedBytes;
using flv::TagType;
using flv::Timeline;

namespace {

// The limits for holding tags: ms of media time, and tags.
constexpr flv::KindProbe::Limits kHoldLimits = {FlvIngest::kHold, 1000};

// A tag that is not part of the input.
Entry make_setup(std::vector<std::uint8_t> tag, std::int64_t time) {
  const auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(tag));
  Entry entry;
  entry.owner = owner;
  entry.bytes = *owner;
  entry.time = time;
  entry.is_tag = true;
  entry.purpose = Purpose::Setup;
  return entry;
}

std::uint32_t timestamp_of(const Entry &entry) {
  flv::TagHeader header;
  (void)flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header);
  return header.timestamp;
}

bool is_media_role(Role role) {
  return role == Role::Media || role == Role::KeyFrame;
}

} // namespace

void FlvIngest::clear() {
  *this = {};
}

void FlvIngest::note_stream_header(Bytes bytes) {
  flv::FileHeader file;
  if (bytes.size() >= flv::kFileHeaderSize &&
      flv::read_file_header(bytes.data(), file).kind == flv::Fault::Kind::None) {
    announced_ = file;
    if (!std::exchange(has_file_header_, true))
      tags_.start_after_header();
    bytes = bytes.subspan(std::min(bytes.size(), file.size + flv::kPreviousTagSizeSize));
  }
  flv::TagHeader header;
  while (bytes.size() >= flv::kTagHeaderSize &&
         flv::read_tag_header(bytes.data(), flv::kMaxDataSize, header).kind ==
             flv::Fault::Kind::None &&
         bytes.size() >= header.tag_size()) {
    note_header_tag(header, bytes.subspan(flv::kTagHeaderSize, header.data_size));
    const std::size_t size = header.tag_size() + flv::kPreviousTagSizeSize;
    bytes = bytes.subspan(std::min(bytes.size(), size));
  }
}

void FlvIngest::set_metadata(std::optional<flv::amf0::Value> metadata) {
  metadata_ = std::move(metadata);
  metadata_version_++;
}

void FlvIngest::note_header_tag(const flv::TagHeader &header, Bytes data) {
  flv::amf0::Value object;
  if (header.is_script()) {
    if (flv::read_on_metadata(data, object) == flv::Status::Ok)
      set_metadata(std::move(object));
    return;
  }
  std::vector<std::uint8_t> tag;
  flv::append_tag(tag, header.type, header.timestamp, data);
  configs_.note_tag(tag);
}

void FlvIngest::interrupt() {
  if (has_file_header_)
    tags_.start_after_header();
  else
    clear();
  splice();
  auto *probing = std::get_if<Probing>(&state_);
  if (!probing)
    return;
  if (probing->previous)
    probing->previous->dropped |= !probing->held.empty();
  probing->held.clear();
  probing->first_media.reset();
  probing->probe.drop_media();
}

flv::Status FlvIngest::take(const std::shared_ptr<const void> &owner, Bytes bytes,
                            std::vector<Entry> &out) {
  tags_.begin(owner, bytes);
  while (const auto item = tags_.next())
    take_item(*item, out);
  return tags_.end();
}

void FlvIngest::finish(std::vector<Entry> &out) {
  if (std::holds_alternative<Probing>(state_))
    release(out);
}

void FlvIngest::take_item(const Item &item, std::vector<Entry> &out) {
  if (item.kind == Item::Kind::Tag)
    return take_tag(item, out);
  if (item.kind != Item::Kind::FileHeader)
    return;
  if (std::exchange(has_file_header_, true) && timeline_.first())
    start_file(out);
  announced_ = item.file;
}

// A new file may lack the kinds, configurations and metadata of the previous file.
void FlvIngest::start_file(std::vector<Entry> &out) {
  finish(out);
  splice();
  configs_.clear();
  set_metadata(std::nullopt);
  audio_.last.reset();
  video_.last.reset();
  set_state(Probing{{}, {}, {}, std::move(std::get<AwaitKeyframe>(state_).previous)});
}

void FlvIngest::splice() {
  if (std::holds_alternative<Flowing>(state_))
    set_state(AwaitKeyframe{Section{metadata_, timeline_.end() + time_offset_, false}});
  timeline_.splice();
}

bool FlvIngest::is_present(const Presence &presence) const {
  return presence.last && *presence.last >= timeline_.highest() - kSilence;
}

// Returns whether the kind appears: it was absent, and a decoder can start at this frame.
bool FlvIngest::note_frame(Kind kind, bool can_start) {
  Presence &noted = presence(kind);
  noted.absent |= !is_present(noted);
  noted.last = timeline_.highest();
  const bool appears = noted.absent && can_start;
  if (appears) {
    noted.absent = false;
    noted.appearance++;
  }
  return appears;
}

std::optional<StartPoint> FlvIngest::start_of(const flv::TagInfo &info, Kind kind, Bytes data) {
  const bool is_media = is_media_role(info.role);
  if (kind == Kind::Audio)
    return is_media ? std::optional(StartPoint::KeyFrame) : std::nullopt;
  if (info.role == Role::DecoderConfig) {
    if (info.configuration == flv::DecoderConfigKind::Sequence) {
      is_after_config_ = true;
      nal_length_size_ = nal_length_size(data);
    }
    return std::nullopt;
  }
  if (!is_media)
    return std::nullopt;
  const bool is_after_config = std::exchange(is_after_config_, false);
  if (info.role == Role::KeyFrame)
    return StartPoint::KeyFrame;
  if (has_recovery_point(data, nal_length_size_))
    return StartPoint::RecoveryPoint;
  return is_after_config ? std::optional(StartPoint::DecoderConfig) : std::nullopt;
}

void FlvIngest::take_tag(const Item &item, std::vector<Entry> &out) {
  Entry entry = tags_.entry_of(item);
  const Bytes data = entry.bytes.subspan(flv::kTagHeaderSize, item.tag.data_size);
  if (item.tag.is_script())
    return take_script(item, data, out);
  const bool is_video = item.tag.type == TagType::Video;
  const flv::TagInfo info = flv::classify(item.tag.type, data);
  const bool is_media = is_media_role(info.role);
  entry.purpose = is_media ? Purpose::Media : Purpose::Setup;
  entry.time = is_media ? timeline_
                              .media(is_video ? Timeline::Kind::Video : Timeline::Kind::Audio,
                                     item.tag.timestamp)
                              .time
                        : timeline_.other(item.tag.timestamp).time;
  if (info.role == Role::DecoderConfig)
    configs_.note(item.tag, info, entry.bytes);
  if (is_media && is_video)
    entry.composition_time = flv::composition_time(data);
  entry.kind = is_video ? Kind::Video : Kind::Audio;
  const auto start = start_of(info, entry.kind, data);
  const bool appears = is_media && note_frame(entry.kind, start.has_value());
  entry.appearance = presence(entry.kind).appearance;
  hold_or_emit({std::move(entry), start, appears, {}}, out);
}

// Metadata is part of the setup of a section. In a section, only new metadata is emitted.
void FlvIngest::take_script(const Item &item, Bytes data, std::vector<Entry> &out) {
  Entry entry = tags_.entry_of(item);
  entry.purpose = Purpose::Setup;
  entry.time = timeline_.other(item.tag.timestamp).time;
  flv::amf0::Value object;
  if (flv::is_on_metadata(data)) {
    if (flv::read_on_metadata(data, object) != flv::Status::Ok ||
        (metadata_ && *metadata_ == object))
      return;
    set_metadata(std::move(object));
    if (!std::holds_alternative<Flowing>(state_))
      return;
    auto tag = std::make_shared<const std::vector<std::uint8_t>>(current_metadata_tag());
    if (tag->empty())
      return;
    entry.bytes = *tag;
    entry.owner = std::move(tag);
  }
  hold_or_emit({std::move(entry), std::nullopt, false, {}}, out);
}

void FlvIngest::hold_or_emit(ParsedTag tag, std::vector<Entry> &out) {
  if (auto *probing = std::get_if<Probing>(&state_))
    return hold(*probing, std::move(tag), out);
  if (can_join(tag))
    tag.configs = configs_.parts();
  emit(std::move(tag), out);
}

void FlvIngest::hold(Probing &probing, ParsedTag tag, std::vector<Entry> &out) {
  if (tag.start)
    tag.configs = configs_.parts();
  if (tag.entry.is_media()) {
    if (!probing.first_media)
      probing.first_media = tag.entry.time;
    probing.probe.note_media(tag.entry.kind == Kind::Video ? TagType::Video : TagType::Audio,
                             timeline_.highest() - *probing.first_media);
  }
  probing.held.push_back(std::move(tag));
  if (is_held_enough(probing))
    release(out);
}

bool FlvIngest::is_held_enough(const Probing &probing) const {
  return probing.probe.has_reached(kHoldLimits, probing.held.size()) ||
         probing.probe.knows_kinds(announced_, flv::KindProbe::Unannounced::Both);
}

void FlvIngest::release(std::vector<Entry> &out) {
  auto probing = std::move(std::get<Probing>(state_));
  set_state(AwaitKeyframe{std::move(probing.previous)});
  for (ParsedTag &tag : probing.held) {
    // A configuration from before the first frame belongs to that frame's appearance.
    const Kind kind = tag.entry.kind;
    if (kind != Kind::None && is_present(presence(kind)))
      tag.entry.appearance = presence(kind).appearance;
    emit(std::move(tag), out);
  }
}

bool FlvIngest::can_join(const ParsedTag &tag) const {
  return tag.start && (tag.entry.kind == Kind::Video || !is_present(video_));
}

void FlvIngest::emit(ParsedTag tag, std::vector<Entry> &out) {
  Entry &entry = tag.entry;
  const bool joinable = can_join(tag);
  if (auto *waiting = std::get_if<AwaitKeyframe>(&state_)) {
    // An inter frame after a configuration refers to frames that are dropped.
    if (!joinable || tag.start == StartPoint::DecoderConfig) {
      if (waiting->previous)
        waiting->previous->dropped |= entry.is_media();
      return;
    }
    const auto previous = std::move(waiting->previous);
    set_state(Flowing{});
    start_section(previous, tag, out);
  } else {
    entry.time += time_offset_;
    if (tag.appears && presence(entry.kind).announced < entry.appearance)
      emit_repeated_setup(entry, out);
  }
  if (joinable)
    set_join_header(entry, *tag.start, tag.configs);
  latest_presentation_ = std::max(latest_presentation_, entry.time + entry.composition_time);
  out.push_back(std::move(entry));
}

// Places the first tag of a section in media time, and emits the setup that clients need.
void FlvIngest::start_section(const std::optional<Section> &previous, ParsedTag &tag,
                              std::vector<Entry> &out) {
  Entry &entry = tag.entry;
  // Dropped media does not advance the media time.
  if (previous && previous->dropped)
    time_offset_ = std::min(time_offset_, previous->end - entry.time);
  entry.time += time_offset_;
  if (!previous)
    return;
  // A section that ends within a group of pictures may have a later presentation time.
  const std::int64_t delay =
      std::max<std::int64_t>(0, latest_presentation_ + 1 - (entry.time + entry.composition_time));
  time_offset_ += delay;
  entry.time += delay;
  if (metadata_ != previous->metadata) {
    if (std::vector<std::uint8_t> metadata = current_metadata_tag(); !metadata.empty())
      out.push_back(make_setup(std::move(metadata), entry.time));
  }
  emit_setup(tag, out);
}

// The clients of the previous section need the configurations of the new one.
void FlvIngest::emit_setup(const ParsedTag &tag, std::vector<Entry> &out) {
  for (const SharedBytes &config : tag.configs) {
    std::vector<std::uint8_t> copy = *config;
    flv::store_timestamp(copy.data(), timestamp_of(tag.entry));
    const Kind kind = kind_of(copy);
    out.push_back(make_setup(std::move(copy), tag.entry.time));
    out.back().kind = kind;
    out.back().appearance = presence(kind).appearance;
  }
}

// The kind of `entry` appears after a start point. Clients whose header does not announce the kind
// need metadata and configurations before its first frame.
void FlvIngest::emit_repeated_setup(Entry &entry, std::vector<Entry> &out) {
  const auto push = [&](std::vector<std::uint8_t> tag) {
    flv::store_timestamp(tag.data(), timestamp_of(entry));
    out.push_back(make_setup(std::move(tag), entry.time));
    out.back().kind = entry.kind;
    out.back().appearance = entry.appearance;
    out.back().purpose = Purpose::RepeatedSetup;
  };
  if (std::vector<std::uint8_t> tag = current_metadata_tag(); !tag.empty())
    push(std::move(tag));
  JoinHeaderInput input{header_->has_audio || entry.kind == Kind::Audio,
                        header_->has_video || entry.kind == Kind::Video,
                        {}};
  for (const SharedBytes &config : header_input_.configs) {
    if (kind_of(*config) != entry.kind)
      input.configs.push_back(config);
  }
  for (const SharedBytes &config : configs_.parts()) {
    if (kind_of(*config) != entry.kind)
      continue;
    push(*config);
    input.configs.push_back(config);
  }
  entry.extension =
      std::make_shared<const Extension>(Extension{header_, make_join_header(metadata_, input)});
}

void FlvIngest::set_join_header(Entry &entry, StartPoint start, const DecoderConfigs &configs) {
  update_header(configs, entry.kind);
  entry.join_header = header_;
  entry.start = start;
  for (const Kind kind : {Kind::Audio, Kind::Video}) {
    const Presence &state = presence(kind);
    if (is_announced(kind, entry.kind))
      entry.kinds[static_cast<std::size_t>(kind)] = {state.appearance, *state.last + time_offset_};
  }
}

// Whether the header of a start point announces the kind. `first` is the kind of the start point.
// It is always announced: it may have been held until the other kind was far ahead.
bool FlvIngest::is_announced(Kind kind, Kind first) const {
  return kind == first || is_present(kind == Kind::Video ? video_ : audio_);
}

void FlvIngest::update_header(const DecoderConfigs &configs, Kind first) {
  for (const Kind kind : {Kind::Audio, Kind::Video}) {
    if (is_announced(kind, first))
      presence(kind).announced = presence(kind).appearance;
  }
  JoinHeaderInput input{is_announced(Kind::Audio, first), is_announced(Kind::Video, first),
                        configs};
  if (header_ && header_version_ == metadata_version_ && input == header_input_)
    return;
  header_input_ = std::move(input);
  header_version_ = metadata_version_;
  JoinHeaderPtr header = make_join_header(metadata_, header_input_);
  if (!header_ || *header_ != *header)
    header_ = std::move(header);
}

} // namespace fanout
