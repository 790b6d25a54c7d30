// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv_ingest.h"

#include <algorithm>
#include <utility>

#include "flv/format/metadata.h"
#include "flv/seek/start_header.h"
#include "recovery_point.h"

namespace fanout {

using flv::Item;
using flv::Role;
using flv::SharedBytes;
using flv::TagType;
using flv::Timeline;

namespace {

// Entries that are held back at most, whatever their times say.
constexpr std::size_t kMaxHeld = 1000;

Kind kind_of(Bytes tag) {
  const auto type = static_cast<TagType>(tag[0] & 0x1F);
  return type == TagType::Audio ? Kind::Audio : type == TagType::Video ? Kind::Video : Kind::None;
}

} // namespace

void FlvIngest::clear() {
  *this = {};
}

void FlvIngest::note_file_header(const flv::FileHeader &header) {
  audio_.promised = header.has_audio;
  video_.promised = header.has_video;
}

void FlvIngest::note_head(Bytes bytes) {
  flv::FileHeader file;
  if (bytes.size() >= flv::kFileHeaderSize &&
      flv::read_file_header(bytes.data(), file).kind == flv::Fault::Kind::None) {
    note_file_header(file);
    if (!std::exchange(started_, true))
      tags_.start_behind_header();
    bytes = bytes.subspan(std::min(bytes.size(), file.size + flv::kPreviousTagSizeSize));
  }
  flv::TagHeader header;
  while (bytes.size() >= flv::kTagHeaderSize &&
         flv::read_tag_header(bytes.data(), flv::kMaxDataSize, header).kind ==
             flv::Fault::Kind::None &&
         bytes.size() >= header.tag_size()) {
    note_head_tag(header, bytes.subspan(flv::kTagHeaderSize, header.data_size));
    const std::size_t size = header.tag_size() + flv::kPreviousTagSizeSize;
    bytes = bytes.subspan(std::min(bytes.size(), size));
  }
}

void FlvIngest::set_metadata(std::optional<flv::amf0::Value> metadata) {
  metadata_ = std::move(metadata);
  metadata_version_++;
}

void FlvIngest::note_head_tag(const flv::TagHeader &header, Bytes data) {
  flv::amf0::Value object;
  if (header.is_script()) {
    if (flv::read_on_metadata(data, object) == flv::Status::Ok)
      set_metadata(std::move(object));
    return;
  }
  std::vector<std::uint8_t> tag;
  flv::append_tag(tag, header.type, header.timestamp, data);
  configurations_.note_tag(tag);
}

void FlvIngest::interrupt() {
  if (started_)
    tags_.start_behind_header();
  else
    clear();
  start_stretch();
  if (held_) {
    dropped_ |= !held_->empty();
    held_->clear();
  }
  held_since_.reset();
}

flv::Status FlvIngest::take(const std::shared_ptr<const void> &owner, Bytes bytes,
                            std::vector<Entry> &out) {
  tags_.begin(owner, bytes);
  while (const auto item = tags_.next())
    take_item(*item, out);
  return tags_.end();
}

void FlvIngest::finish(std::vector<Entry> &out) {
  if (held_)
    release(out);
}

void FlvIngest::take_item(const Item &item, std::vector<Entry> &out) {
  if (item.kind == Item::Kind::Tag)
    return take_tag(item, out);
  if (item.kind != Item::Kind::FileHeader)
    return;
  if (std::exchange(started_, true) && timeline_.first())
    start_file(out);
  note_file_header(item.file);
}

// Another file begins, which may lack what this one had.
void FlvIngest::start_file(std::vector<Entry> &out) {
  finish(out);
  start_stretch();
  configurations_.clear();
  set_metadata(std::nullopt);
  audio_.last.reset();
  video_.last.reset();
  held_.emplace();
}

void FlvIngest::start_stretch() {
  if (!waiting_) {
    told_ = metadata_;
    end_ = timeline_.end() + shift_;
    dropped_ = false;
  }
  waiting_ = true;
  timeline_.splice();
}

bool FlvIngest::has(const Presence &presence) const {
  return presence.last && *presence.last >= timeline_.highest() - kSilence;
}

// Whether its kind was absent before, and can be shown from here on.
bool FlvIngest::note_frame(Kind kind, bool can_start) {
  Presence &noted = presence(kind);
  noted.absent |= !has(noted);
  noted.last = timeline_.highest();
  const bool appears = noted.absent && can_start;
  if (appears) {
    noted.absent = false;
    noted.appearance++;
  }
  return appears;
}

std::optional<StartPoint> FlvIngest::start_of(const flv::TagInfo &info, Kind kind, Bytes data) {
  const bool is_media = info.role == Role::Media || info.role == Role::KeyFrame;
  if (kind == Kind::Audio)
    return is_media ? std::optional(StartPoint::KeyFrame) : std::nullopt;
  if (info.role == Role::DecoderConfig) {
    if (info.configuration == flv::DecoderConfigKind::Sequence) {
      configured_ = true;
      nal_length_size_ = nal_length_size(data);
    }
    return std::nullopt;
  }
  if (!is_media)
    return std::nullopt;
  const bool configured = std::exchange(configured_, false);
  if (info.role == Role::KeyFrame)
    return StartPoint::KeyFrame;
  if (has_recovery_point(data, nal_length_size_))
    return StartPoint::RecoveryPoint;
  return configured ? std::optional(StartPoint::DecoderConfig) : std::nullopt;
}

bool FlvIngest::shows_all() const {
  const bool promises = audio_.promised || video_.promised;
  return (promises || (audio_.last && video_.last)) && (!audio_.promised || audio_.last) &&
         (!video_.promised || video_.last);
}

void FlvIngest::take_tag(const Item &item, std::vector<Entry> &out) {
  Entry entry = tags_.entry_of(item);
  const Bytes data = entry.bytes.subspan(flv::kTagHeaderSize, item.tag.data_size);
  if (item.tag.is_script())
    return take_script(item, data, out);
  const bool is_video = item.tag.type == TagType::Video;
  const flv::TagInfo info = flv::classify(item.tag.type, data);
  entry.is_media = info.role == Role::Media || info.role == Role::KeyFrame;
  entry.time = entry.is_media ? timeline_
                                    .media(is_video ? Timeline::Kind::Video : Timeline::Kind::Audio,
                                           item.tag.timestamp)
                                    .time
                              : timeline_.other(item.tag.timestamp).time;
  if (info.role == Role::DecoderConfig)
    configurations_.note(item.tag, info, entry.bytes);
  if (entry.is_media && is_video)
    entry.ahead = flv::composition_time(data);
  entry.kind = is_video ? Kind::Video : Kind::Audio;
  const auto start = start_of(info, entry.kind, data);
  const bool appears = entry.is_media && note_frame(entry.kind, start.has_value());
  entry.appearance = presence(entry.kind).appearance;
  pass_on({std::move(entry), start, appears, {}}, out);
}

// Metadata goes in front of what it describes, and again where it changes.
void FlvIngest::take_script(const Item &item, Bytes data, std::vector<Entry> &out) {
  Entry entry = tags_.entry_of(item);
  entry.is_media = false;
  entry.time = timeline_.other(item.tag.timestamp).time;
  flv::amf0::Value object;
  if (flv::is_on_metadata(data)) {
    if (flv::read_on_metadata(data, object) != flv::Status::Ok ||
        (metadata_ && *metadata_ == object))
      return;
    set_metadata(std::move(object));
    if (held_ || waiting_)
      return;
    auto tag = std::make_shared<const std::vector<std::uint8_t>>(metadata_tag());
    if (tag->empty())
      return;
    entry.bytes = *tag;
    entry.owner = std::move(tag);
  }
  pass_on({std::move(entry), std::nullopt, false, {}}, out);
}

void FlvIngest::pass_on(Held held, std::vector<Entry> &out) {
  if (held_) {
    if (held.start)
      held.configurations = configurations_.parts();
    if (!held_since_ && held.entry.is_media)
      held_since_ = held.entry.time;
    held_->push_back(std::move(held));
    if (shows_all() || held_->size() >= kMaxHeld ||
        (held_since_ && timeline_.highest() - *held_since_ >= kHold))
      release(out);
    return;
  }
  if (held.start && can_join(held))
    held.configurations = configurations_.parts();
  emit(std::move(held), out);
}

bool FlvIngest::can_join(const Held &held) const {
  return held.start && (held.entry.kind == Kind::Video || !has(video_));
}

void FlvIngest::emit(Held held, std::vector<Entry> &out) {
  // An inter frame behind a configuration needs the frames in front of it.
  const bool joinable = can_join(held);
  if (waiting_ && (!joinable || held.start == StartPoint::DecoderConfig)) {
    dropped_ |= held.entry.is_media;
    return;
  }
  Entry &entry = held.entry;
  // What nobody gets takes no time.
  if (waiting_ && flowing_ && dropped_)
    shift_ = std::min(shift_, end_ - entry.time);
  entry.time += shift_;
  if (waiting_ && flowing_) {
    // What was cut off in the middle of a group of pictures may have been shown later already.
    const std::int64_t late = std::max<std::int64_t>(0, shown_ + 1 - (entry.time + entry.ahead));
    shift_ += late;
    entry.time += late;
    resume(held, out);
  } else if (!waiting_ && held.appears && presence(entry.kind).announced < entry.appearance) {
    appear(entry, out);
  }
  if (joinable) {
    set_head(held.configurations, entry.kind);
    entry.head = head_;
    entry.start = *held.start;
    for (const Kind kind : {Kind::Audio, Kind::Video}) {
      const Presence &state = presence(kind);
      if (shows(kind, entry.kind))
        entry.kinds[static_cast<std::size_t>(kind)] = {state.appearance, *state.last + shift_};
    }
  }
  waiting_ = false;
  flowing_ = true;
  shown_ = std::max(shown_, entry.time + entry.ahead);
  out.push_back(std::move(entry));
}

// By now it is known what the stream has.
void FlvIngest::release(std::vector<Entry> &out) {
  std::vector<Held> all = std::move(*held_);
  held_.reset();
  held_since_.reset();
  for (Held &held : all) {
    // A configuration that came in front of the first frame belongs to it.
    const Kind kind = held.entry.kind;
    if (kind != Kind::None && has(presence(kind)))
      held.entry.appearance = presence(kind).appearance;
    emit(std::move(held), out);
  }
}

Entry FlvIngest::own_entry(std::vector<std::uint8_t> tag, std::int64_t time) const {
  const auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(tag));
  return {owner, *owner, time, true, false, nullptr};
}

// Those who were there before get what the new stretch needs.
void FlvIngest::resume(const Held &held, std::vector<Entry> &out) {
  const std::int64_t time = held.entry.time;
  if (metadata_ != told_) {
    if (std::vector<std::uint8_t> tag = metadata_tag(); !tag.empty())
      out.push_back(own_entry(std::move(tag), time));
  }
  flv::TagHeader header;
  (void)flv::read_tag_header(held.entry.bytes.data(), flv::kMaxDataSize, header);
  for (const SharedBytes &configuration : held.configurations) {
    std::vector<std::uint8_t> tag = *configuration;
    flv::store_timestamp(tag.data(), header.timestamp);
    const Kind kind = kind_of(tag);
    out.push_back(own_entry(std::move(tag), time));
    out.back().kind = kind;
    out.back().appearance = presence(kind).appearance;
  }
}

// A kind appears, for the first time or again, behind a place at which one can join. Viewers that
// were not told of it get what they lack.
void FlvIngest::appear(Entry &entry, std::vector<Entry> &out) {
  flv::TagHeader header;
  (void)flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header);
  const auto push = [&](std::vector<std::uint8_t> tag) {
    flv::store_timestamp(tag.data(), header.timestamp);
    out.push_back(own_entry(std::move(tag), entry.time));
    out.back().kind = entry.kind;
    out.back().appearance = entry.appearance;
    out.back().is_repeat = true;
  };
  if (std::vector<std::uint8_t> tag = metadata_tag(); !tag.empty())
    push(std::move(tag));
  std::vector<SharedBytes> configurations;
  for (const SharedBytes &configuration : head_input_.configurations) {
    if (kind_of(*configuration) != entry.kind)
      configurations.push_back(configuration);
  }
  for (const SharedBytes &configuration : configurations_.parts()) {
    if (kind_of(*configuration) != entry.kind)
      continue;
    push(*configuration);
    configurations.push_back(configuration);
  }
  const bool audio = head_->has_audio || entry.kind == Kind::Audio;
  const bool video = head_->has_video || entry.kind == Kind::Video;
  entry.extension =
      std::make_shared<const Extension>(Extension{head_, new_head(configurations, audio, video)});
}

std::vector<std::uint8_t> FlvIngest::metadata_tag(bool audio, bool video) const {
  std::vector<std::uint8_t> tag;
  if (!metadata_)
    return tag;
  std::vector<std::uint8_t> data;
  flv::amf0::write_all(data, {{std::string("onMetaData")}, flv::live(*metadata_, audio, video)});
  if (data.size() <= flv::kMaxDataSize)
    flv::append_tag(tag, TagType::Script, 0, data);
  return tag;
}

JoinHeaderPtr FlvIngest::new_head(const std::vector<SharedBytes> &configurations, bool audio,
                                  bool video) const {
  JoinHeader head;
  flv::FileHeader file;
  file.has_audio = head.has_audio = audio;
  file.has_video = head.has_video = video;
  const auto header = flv::write_file_header(file);
  head.opening.assign(header.begin(), header.end());
  const std::vector<std::uint8_t> metadata = metadata_tag(audio, video);
  head.opening.insert(head.opening.end(), metadata.begin(), metadata.end());
  for (const SharedBytes &tag : configurations) {
    if (kind_of(*tag) == Kind::Audio ? audio : video)
      head.configurations.push_back(*tag);
  }
  if (audio && video) {
    head.audio_alone = new_head(configurations, true, false);
    head.video_alone = new_head(configurations, false, true);
  }
  return std::make_shared<const JoinHeader>(std::move(head));
}

// Whether the stream has the kind where it begins with a frame of kind `first`, which may have been
// held back until the other kind was far ahead.
bool FlvIngest::shows(Kind kind, Kind first) const {
  return kind == first || has(kind == Kind::Video ? video_ : audio_);
}

void FlvIngest::set_head(const std::vector<SharedBytes> &configurations, Kind first) {
  for (const Kind kind : {Kind::Audio, Kind::Video}) {
    if (shows(kind, first))
      presence(kind).announced = presence(kind).appearance;
  }
  JoinHeaderInput input{shows(Kind::Audio, first), shows(Kind::Video, first), metadata_version_,
                        configurations};
  if (head_ && input == head_input_)
    return;
  head_input_ = std::move(input);
  JoinHeaderPtr head = new_head(configurations, head_input_.has_audio, head_input_.has_video);
  if (!head_ || *head_ != *head)
    head_ = std::move(head);
}

} // namespace fanout
