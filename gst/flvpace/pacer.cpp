// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pacer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/log.h"
#include "caps_header.h"
#include "flv/format/other_format.h"
#include "tag_buffers.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_pace_debug);
#define GST_CAT_DEFAULT gst_flv_pace_debug

namespace flvpace {

using flv::Item;
using gstflv::BufferPtr;

namespace {

// The limits for holding tags at the start.
constexpr std::int32_t kMaxHoldSpan = 500; // ms
constexpr std::size_t kMaxHoldBytes = 1 << 20;

// A stream that is joined in its middle must have a tag within this many bytes.
constexpr std::uint64_t kMaxSearch = 4 << 20;

// System memory stays at its mapped address while the buffer exists.
bool stays_in_place(GstBuffer *buffer) {
  return gst_buffer_n_memory(buffer) == 1 &&
         gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), GST_ALLOCATOR_SYSMEM);
}

void add_bitrate(guint &total, const std::optional<double> &kilobits) {
  if (kilobits && *kilobits < 1e6)
    total += static_cast<guint>(std::lround(*kilobits * 1000));
}

gstflv::TagListPtr tags_of(const flv::Metadata &metadata) {
  gstflv::TagListPtr tags(gst_tag_list_new_empty());
  const auto add = [&tags](const char *name, const auto &value) {
    gst_tag_list_add(tags.get(), GST_TAG_MERGE_REPLACE, name, value, nullptr);
  };
  if (!metadata.encoder.empty() &&
      g_utf8_validate(metadata.encoder.data(), static_cast<gssize>(metadata.encoder.size()),
                      nullptr))
    add(GST_TAG_ENCODER, metadata.encoder.c_str());
  if (metadata.video_codec)
    add(GST_TAG_VIDEO_CODEC, flv::video_codec_name(*metadata.video_codec).c_str());
  if (metadata.audio_codec)
    add(GST_TAG_AUDIO_CODEC, flv::audio_codec_name(*metadata.audio_codec).c_str());
  guint bitrate = 0;
  add_bitrate(bitrate, metadata.video_data_rate);
  add_bitrate(bitrate, metadata.audio_data_rate);
  if (bitrate > 0)
    add(GST_TAG_BITRATE, bitrate);
  return gst_tag_list_is_empty(tags.get()) ? nullptr : std::move(tags);
}

} // namespace

bool Tag::is_media() const {
  return !header.is_script() && info.role != flv::Role::DecoderConfig &&
         info.role != flv::Role::Empty;
}

Settings Pacer::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

std::optional<GstClockTime> Pacer::position() const {
  const std::int64_t position = position_;
  if (position == kUnknown)
    return std::nullopt;
  return static_cast<GstClockTime>(std::max<std::int64_t>(position, 0)) * GST_MSECOND;
}

std::optional<GstClockTime> Pacer::duration() const {
  const std::int64_t duration = duration_;
  if (duration == kUnknown)
    return std::nullopt;
  return static_cast<GstClockTime>(duration);
}

void Counters::clear() {
  for (Shared<guint64> *counter :
       {&audio_tags, &video_tags, &script_tags, &key_frames, &bytes_in, &bytes_out, &bytes_skipped,
        &discontinuities, &wrong_previous_sizes, &nonzero_stream_ids})
    *counter = 0;
}

void Pacer::take_settings() {
  if (!settings_changed_.load(std::memory_order_relaxed) ||
      !settings_changed_.exchange(false, std::memory_order_acquire))
    return;
  current_.max_gap = settings().max_gap;
  timeline_.set_max_gap(current_.max_gap);
}

bool Pacer::accepts(flv::Bytes start) {
  flv::Splitter splitter;
  std::vector<Item> items;
  flv::Status status = splitter.feed(start, items);
  if (status == flv::Status::Ok && start.size() < kStartSize)
    status = splitter.finish(items);
  if (status == flv::Status::Malformed)
    not_flv(splitter.fault(), start);
  return status != flv::Status::Malformed;
}

void Pacer::clear() {
  stop();
  file_offsets_.clear();
  has_header_ = false;
  joining_ = false;
  made_up_header_ = false;
  flush();
  discont_ = false;
  video_seen_ = false;
  stream_ids_.clear();
  counters_.clear();
  duration_ = kUnknown;
  current_ = settings();
  writer_.set_mtu(current_.mtu);
  splitter_.set_max_data_size(current_.max_tag_size);
  timeline_.set_max_gap(current_.max_gap);
}

void Pacer::stop() {
  flush();
  writer_.clear();
  slice_pool_.clear();
  stream_header_.clear();
  upstream_header_.clear();
  file_header_buffer_.reset();
  tags_.reset();
}

void Pacer::flush() {
  if (splitter_.position() > 0)
    GST_DEBUG_OBJECT(
        element_, "flush after %" G_GUINT64_FORMAT " bytes and media time %" G_GINT64_FORMAT " ms",
        splitter_.position(), std::int64_t{position_});
  writer_.flush();
  splitter_.reset(has_header_ ? flv::Splitter::Start::Middle : flv::Splitter::Start::File);
  chunks_.reset(0);
  timeline_.clear();
  hold_.emplace();
  flushed_ = has_header_ && !file_header_buffer_;
  last_flow_ = GST_FLOW_OK;
  scheduled_ = false;
  video_sent_ = false;
  audio_sent_ = false;
  discont_ = true;
  needs_segment_ = false;
  position_ = kUnknown;
}

GstFlowReturn Pacer::jump(std::uint64_t position) {
  if (position == splitter_.position())
    return GST_FLOW_OK;
  const GstFlowReturn flow = drop_half_read();
  timeline_.splice();
  restart_at(position);
  return flow;
}

// Drops the bytes of an unfinished tag.
GstFlowReturn Pacer::drop_half_read() {
  if (!has_header_)
    return GST_FLOW_OK;
  discont_ = true;
  const GstFlowReturn flow = finish_splitting(More::Follows);
  return flow == GST_FLOW_OK ? writer_.send() : flow;
}

void Pacer::restart_at(std::uint64_t position) {
  splitter_.reset(has_header_ ? flv::Splitter::Start::Middle : flv::Splitter::Start::File,
                  position);
  chunks_.reset(position);
}

void Pacer::interrupt() {
  const std::uint64_t position = splitter_.position();
  if (last_flow_ == GST_FLOW_ERROR || position == 0)
    return;
  GST_INFO_OBJECT(element_, "upstream skipped data before byte %" G_GUINT64_FORMAT, position);
  last_flow_ = drop_half_read();
  restart_at(position);
}

void Pacer::take_stream_header(std::vector<BufferPtr> header) {
  if (!has_header_)
    upstream_header_ = std::move(header);
  else if (last_flow_ != GST_FLOW_ERROR)
    last_flow_ = take_new_tags(header);
}

// Inserts the tags of `header` that the stream header lacks.
GstFlowReturn Pacer::take_new_tags(const std::vector<BufferPtr> &header) {
  const std::vector<flv::SharedBytes> known = stream_header_.parts();
  const auto is_known = [&known](flv::Bytes tag) {
    return std::ranges::any_of(
        known, [tag](const flv::SharedBytes &part) { return std::ranges::equal(*part, tag); });
  };
  const std::uint64_t position = splitter_.position();
  GstFlowReturn flow = GST_FLOW_OK;
  for (const BufferPtr &buffer : header) {
    const gstflv::MappedBuffer map(buffer.get());
    if (flow != GST_FLOW_OK || is_file_header(buffer.get()) || is_known(map.bytes()))
      continue;
    flow = drop_half_read();
    restart_at(position);
    if (flow == GST_FLOW_OK)
      flow = split(buffer, map.bytes());
    if (flow == GST_FLOW_OK)
      flow = drop_half_read();
    restart_at(position);
  }
  return flow;
}

// A sink that returns to PAUSED needs data to preroll, and the pipeline waits for the sink.
template <typename Waiting> GstFlowReturn Pacer::wait(Waiting waiting) {
  for (;;) {
    switch (waiting()) {
    case Wait::Over:
      return GST_FLOW_OK;
    case Wait::Preroll:
      writer_.send_gap();
      break;
    case Wait::Flushing:
      return GST_FLOW_FLUSHING;
    }
  }
}

void Pacer::leave_for(std::uint64_t position) {
  splitter_.reset(has_header_ ? flv::Splitter::Start::Middle : flv::Splitter::Start::File,
                  position);
  chunks_.reset(position);
  timeline_.splice();
  last_flow_ = GST_FLOW_OK;
  discont_ = true;
  if (hold_)
    hold_.emplace();
  else
    needs_segment_ = true;
}

GstFlowReturn Pacer::take(BufferPtr buffer, flv::Nanoseconds arrival) {
  arrival_ = arrival;
  if (last_flow_ != GST_FLOW_ERROR)
    last_flow_ = take_chunk(buffer);
  return last_flow_;
}

GstFlowReturn Pacer::take_chunk(const BufferPtr &buffer) {
  const gstflv::MappedBuffer map(buffer.get());
  if (!map) {
    GST_ELEMENT_ERROR(element_, RESOURCE, READ, (nullptr), ("a buffer could not be mapped"));
    return GST_FLOW_ERROR;
  }
  take_settings();
  counters_.bytes_in.add(map.bytes().size());
  GstFlowReturn flow = begins_in_the_middle(map.bytes()) ? join() : GST_FLOW_OK;
  if (flow == GST_FLOW_OK)
    flow = split(buffer, map.bytes());
  if (flow == GST_FLOW_OK && made_up_header_ && hold_ && hold_->tags.empty() &&
      splitter_.position() > kMaxSearch)
    flow = found_no_tag();
  return flow;
}

GstFlowReturn Pacer::split(const BufferPtr &buffer, flv::Bytes bytes) {
  chunk_ = buffer.get();
  chunk_bytes_ = bytes;
  chunk_stays_in_place_ = stays_in_place(chunk_);
  chunk_begin_ = splitter_.position();
  splices_.restart(chunk_begin_);
  file_offsets_.note(chunk_begin_, chunk_);
  chunks_.append(chunk_, chunk_bytes_);
  const std::uint64_t end = chunk_begin_ + bytes.size();
  GstFlowReturn flow = GST_FLOW_OK;
  flv::Status status = flv::Status::Ok;
  while (flow == GST_FLOW_OK && status == flv::Status::Ok && splitter_.position() < end) {
    status = split_more();
    flow = handle_items(More::Follows);
  }
  if (flow == GST_FLOW_OK)
    flow = writer_.send();
  else if (splitter_.position() < end) // skips the rest of the chunk
    restart_at(end);
  chunk_ = nullptr;
  again_.reset();
  if (flow == GST_FLOW_OK && status == flv::Status::Malformed)
    flow = not_flv(splitter_.fault(), chunk_begin_ == 0 ? chunk_bytes_ : flv::Bytes());
  if (flow == GST_FLOW_OK)
    chunks_.drop_before(splitter_.keep_from());
  return flow;
}

// Finds the next items. After a tag with a wrong PreviousTagSize, reads no further before the
// caller has searched the tag for a splice. So the result does not depend on how much of the stream
// has arrived.
flv::Status Pacer::split_more() {
  const std::uint64_t position = splitter_.position();
  items_.clear();
  flv::Status status = flv::Status::Ok;
  if (chunk_ && position >= chunk_begin_) {
    flv::Bytes unread = chunk_bytes_.subspan(static_cast<std::size_t>(position - chunk_begin_));
    status = splitter_.feed_to_wrong_size(unread, items_);
  } else {
    const gstflv::MappedBuffer again(again_.get());
    flv::Bytes unread = again.bytes().subspan(static_cast<std::size_t>(position - again_begin_));
    status = splitter_.feed_to_wrong_size(unread, items_);
  }
  splices_.note_read(splitter_.position());
  return status;
}

// Whether the stream does not start with a file header, but may be joined in its middle.
bool Pacer::begins_in_the_middle(flv::Bytes start) const {
  constexpr std::array<std::uint8_t, 3> kSignature = {'F', 'L', 'V'};
  const std::size_t size = std::min(start.size(), kSignature.size());
  return !has_header_ && splitter_.position() == 0 && (joining_ || !upstream_header_.empty()) &&
         !std::equal(kSignature.begin(), kSignature.begin() + static_cast<std::ptrdiff_t>(size),
                     start.begin());
}

// Creates a file header, and inserts the tags in upstream's caps. The file header announces all
// kinds until the kinds of the stream are known.
GstFlowReturn Pacer::join() {
  GST_INFO_OBJECT(element_, "the stream started before: a file header is made for it");
  announce({.has_audio = true, .has_video = true});
  made_up_header_ = true;
  restart_at(0);
  return take_new_tags(std::exchange(upstream_header_, {}));
}

// Sets the file header to send.
void Pacer::announce(const flv::FileHeader &header) {
  has_header_ = true;
  file_header_ = header;
  const auto bytes = flv::write_file_header(header);
  file_header_buffer_.reset(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  GST_BUFFER_FLAG_SET(file_header_buffer_.get(),
                      GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_DELTA_UNIT);
  stream_header_.set_file_header(bytes);
}

GstFlowReturn Pacer::found_no_tag() {
  FLV_ELEMENT_ERROR(element_, STREAM, WRONG_TYPE,
                    ("Not an FLV stream: there is no whole tag in the first %" G_GUINT64_FORMAT
                     " bytes.",
                     guint64{splitter_.position()}),
                    (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn Pacer::finish() {
  // Downstream has stopped earlier: the rest of the data is not the end of the stream.
  if (last_flow_ != GST_FLOW_OK)
    return last_flow_;
  GstFlowReturn flow = finish_splitting(More::EndOfStream);
  if (flow == GST_FLOW_OK && hold_)
    flow = has_no_tag() ? no_tag() : release();
  if (flow == GST_FLOW_OK)
    flow = writer_.send();
  if (flow == GST_FLOW_OK && scheduled_)
    flow = wait([this] { return pacing_.wait_for_end(timeline_.end()); });
  return flow;
}

// The incomplete tag at the end may contain a splice, with more tags after it.
GstFlowReturn Pacer::finish_splitting(More more) {
  const std::uint64_t end = splitter_.position();
  GstFlowReturn flow = GST_FLOW_OK;
  bool finished = false;
  while (flow == GST_FLOW_OK && !finished) {
    finished = splitter_.position() == end;
    if (!finished) {
      (void)split_more(); // cannot fail in the middle of a stream
    } else {
      items_.clear();
      if (splitter_.finish(items_) == flv::Status::Malformed)
        return not_flv(splitter_.fault(), {});
      for (Item &item : items_) {
        // Upstream interrupted this tag. It is not damaged.
        if (more == More::Follows && item.kind == Item::Kind::Truncated)
          item.kind = Item::Kind::Skipped;
      }
    }
    flow = handle_items(more);
    finished = finished && splitter_.position() == end;
  }
  again_.reset();
  return flow;
}

// Whether the stream had bytes after its file header, but no tag.
bool Pacer::has_no_tag() const {
  return hold_->tags.empty() && counters_.bytes_skipped > 0 &&
         counters_.audio_tags + counters_.video_tags + counters_.script_tags == 0;
}

GstFlowReturn Pacer::no_tag() {
  FLV_ELEMENT_ERROR(element_, STREAM, DEMUX,
                    ("There is no whole tag in the %" G_GUINT64_FORMAT
                     " bytes after the FLV file header.",
                     guint64{counters_.bytes_skipped}),
                    (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn Pacer::handle_items(More more) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (const Item &item : items_) {
    if (const auto splice = find_splice(item)) {
      split_again(*splice);
      return drop_cut_tag(item, *splice); // the items after it are invalid
    }
    flow = item.kind == Item::Kind::Tag ? handle_tag(item, more) : handle(item);
    if (flow != GST_FLOW_OK)
      break;
  }
  return flow;
}

// The position of another publisher's file header inside the item's tag.
std::optional<std::uint64_t> Pacer::find_splice(const Item &item) {
  if (item.kind != Item::Kind::Truncated &&
      (item.kind != Item::Kind::Tag || !item.wrong_previous_size))
    return std::nullopt;
  const auto size = static_cast<std::size_t>(item.end - item.begin);
  std::optional<std::size_t> at;
  if (chunk_ && item.begin >= chunk_begin_) {
    const auto offset = static_cast<std::size_t>(item.begin - chunk_begin_);
    at = splices_.find(chunk_bytes_.subspan(offset, size), current_.max_tag_size);
  } else {
    const BufferPtr tag = chunks_.take(item.begin, item.end);
    at = splices_.find(gstflv::MappedBuffer(tag.get()).bytes(), current_.max_tag_size);
  }
  return at ? std::optional(item.begin + *at) : std::nullopt;
}

GstFlowReturn Pacer::drop_cut_tag(const Item &tag, std::uint64_t splice) {
  const flv::Fault fault{flv::Fault::Kind::CutShort,
                         static_cast<std::uint32_t>(splice - tag.begin)};
  const GstFlowReturn flow = report_damage(
      {.kind = Item::Kind::Damage, .begin = tag.begin, .end = tag.begin, .fault = fault});
  if (flow != GST_FLOW_OK)
    return flow;
  return handle({.kind = Item::Kind::Skipped, .begin = tag.begin, .end = splice});
}

// The next item begins at `position`, which was parsed as the inside of a tag.
void Pacer::split_again(std::uint64_t position) {
  const bool is_in_chunk = chunk_ && position >= chunk_begin_;
  if (!is_in_chunk && !again_) {
    again_ = chunks_.take(position, chunk_ ? chunk_begin_ : splitter_.position());
    again_begin_ = position;
  }
  splitter_.reset(flv::Splitter::Start::Middle, position);
  splitter_.set_stream_ids(stream_ids_);
}

GstFlowReturn Pacer::handle(const Item &item) {
  switch (item.kind) {
  case Item::Kind::FileHeader:
    return handle_file_header(item);
  case Item::Kind::Tag:
    break;
  case Item::Kind::Damage:
    return report_damage(item);
  case Item::Kind::Truncated:
    FLV_ELEMENT_WARNING(element_, STREAM, DEMUX,
                        ("The stream ends inside a tag: the last %" G_GUINT64_FORMAT
                         " bytes, from byte %" G_GUINT64_FORMAT " on, are not sent.",
                         item.end - item.begin, file_offsets_.of(item.begin)),
                        (nullptr));
    [[fallthrough]];
  case Item::Kind::Skipped:
    counters_.bytes_skipped.add(item.end - item.begin);
    discont_ = true;
    break;
  }
  return GST_FLOW_OK;
}

GstFlowReturn Pacer::report_damage(const Item &item) {
  const std::string why = flv::describe(item.fault);
  const guint64 byte = file_offsets_.of(item.begin);
  if (current_.on_corrupt == OnCorrupt::Fail) {
    if (writer_.send() == GST_FLOW_FLUSHING)
      return GST_FLOW_FLUSHING;
    FLV_ELEMENT_ERROR(element_, STREAM, DEMUX,
                      ("Damaged at byte %" G_GUINT64_FORMAT ": %s.", byte, why.c_str()), (nullptr));
    return GST_FLOW_ERROR;
  }
  FLV_ELEMENT_WARNING(element_, STREAM, DEMUX,
                      ("Damaged at byte %" G_GUINT64_FORMAT ": %s; continuing with the next tag.",
                       byte, why.c_str()),
                      (nullptr));
  return GST_FLOW_OK;
}

// `start`: the available bytes of the stream's start.
GstFlowReturn Pacer::not_flv(const flv::Fault &fault, flv::Bytes start) {
  const std::string why = flv::describe(fault) + flv::looks_like(start);
  FLV_ELEMENT_ERROR(element_, STREAM, WRONG_TYPE, ("Not an FLV file: %s.", why.c_str()), (nullptr));
  return GST_FLOW_ERROR;
}

GstFlowReturn Pacer::handle_file_header(const Item &item) {
  if (item.wrong_previous_size)
    counters_.wrong_previous_sizes.add(1);
  if (has_header_) {
    GST_DEBUG_OBJECT(element_, "dropping the file header at byte %" G_GUINT64_FORMAT, item.begin);
    stream_ids_.clear();
    timeline_.splice();
    return GST_FLOW_OK;
  }
  has_header_ = true;
  upstream_header_.clear();
  file_header_ = item.file;
  file_header_buffer_ = chunks_.take(item.begin, item.end);
  GST_BUFFER_FLAG_SET(file_header_buffer_.get(),
                      GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_DELTA_UNIT);
  stream_header_.set_file_header(gstflv::MappedBuffer(file_header_buffer_.get()).bytes());
  return GST_FLOW_OK;
}

GstFlowReturn Pacer::handle_tag(const Item &item, More more) {
  Tag tag;
  tag.header = item.tag;
  tag.position = file_offsets_.of(item.begin);
  tag.size = static_cast<std::size_t>(item.end - item.begin);
  tag.arrival = arrival_;
  cut_out(item, tag);
  // Only the last tag of a stream may lack its PreviousTagSize.
  if (const std::size_t whole = item.tag.tag_size() + flv::kPreviousTagSizeSize;
      tag.size < whole && (more == More::Follows || item.end < splitter_.position())) {
    tag.buffer = completed(tag.buffer.get(), item.tag.tag_size());
    tag.size = whole;
  }
  note_stream_id(tag);
  tag.discont = std::exchange(discont_, false);
  if (item.wrong_previous_size)
    counters_.wrong_previous_sizes.add(1);
  if (hold_) {
    hold(std::move(tag));
    return is_held_enough() ? release() : GST_FLOW_OK;
  }
  place(tag);
  note_head(tag);
  return deliver(std::move(tag));
}

// Sets the tag's buffer and info. Shares the memory of the current chunk if the chunk holds the
// tag.
void Pacer::cut_out(const Item &item, Tag &tag) {
  const auto classify = [&item](flv::Bytes bytes) {
    return flv::classify(item.tag.type, bytes.subspan(flv::kTagHeaderSize, item.tag.data_size));
  };
  if (!chunk_ || item.begin < chunk_begin_) {
    tag.buffer = chunks_.take(item.begin, item.end);
    tag.info = classify(gstflv::MappedBuffer(tag.buffer.get()).bytes());
    return;
  }
  const auto offset = static_cast<gsize>(item.begin - chunk_begin_);
  tag.info = classify(chunk_bytes_.subspan(offset, tag.size));
  if (chunk_stays_in_place_)
    tag.buffer = slice_pool_.cut(chunk_, chunk_bytes_, offset, tag.size);
  else
    tag.buffer.reset(gst_buffer_copy_region(chunk_, GST_BUFFER_COPY_MEMORY, offset, tag.size));
}

void Pacer::note_stream_id(const Tag &tag) {
  stream_ids_.note(tag.header);
  const std::uint32_t id = tag.header.stream_id;
  if (id == 0)
    return;
  if (counters_.nonzero_stream_ids == 0)
    FLV_ELEMENT_WARNING(element_, STREAM, DEMUX,
                        ("The tag at byte %" G_GUINT64_FORMAT
                         " has stream id %u, not 0; tags are passed on with their stream ids.",
                         tag.position, id),
                        (nullptr));
  counters_.nonzero_stream_ids.add(1);
}

void Pacer::hold(Tag tag) {
  hold_->bytes += tag.header.tag_size();
  if (tag.is_media()) {
    (tag.header.type == flv::TagType::Video ? hold_->video_seen : hold_->audio_seen) = true;
    if (!hold_->first_timestamp)
      hold_->first_timestamp = tag.header.timestamp;
    const auto span = static_cast<std::int32_t>(tag.header.timestamp - *hold_->first_timestamp);
    hold_->span = std::max(hold_->span, span);
  }
  hold_->tags.push_back(std::move(tag));
}

bool Pacer::is_held_enough() const {
  if (hold_->bytes >= kMaxHoldBytes || hold_->span >= kMaxHoldSpan)
    return true;
  if (flushed_)
    return hold_->first_timestamp.has_value();
  // A file header that announces neither audio nor video is wrong.
  const bool announced = file_header_.has_audio || file_header_.has_video;
  return announced && (hold_->audio_seen || !file_header_.has_audio) &&
         (hold_->video_seen || !file_header_.has_video);
}

// Sends caps, segment and file header, then the held tags.
GstFlowReturn Pacer::release() {
  if (std::exchange(made_up_header_, false))
    announce({.has_audio = hold_->audio_seen, .has_video = hold_->video_seen});
  std::vector<Tag> tags = std::move(hold_->tags);
  hold_.reset();
  for (Tag &tag : tags) {
    place(tag);
    note_head(tag);
    if (tag.head_change == flv::StreamHeader::Change::Changed)
      tag.head_change = flv::StreamHeader::Change::Repeated; // the caps that follow contain it
  }
  scheduled_ = timeline_.first().has_value();
  const Departure departure = pacing_.start(timeline_.first().value_or(0));
  GstFlowReturn flow = writer_.send_caps(stream_header_.parts());
  if (flow == GST_FLOW_OK)
    flow = writer_.send_segment(departure);
  if (flow == GST_FLOW_OK)
    flow = send_file_header(departure.due);
  send_tags();
  for (Tag &tag : tags) {
    if (flow != GST_FLOW_OK)
      return flow;
    flow = deliver(std::move(tag));
  }
  return flow;
}

// Sends the file header, even in PAUSED, so that sinks can preroll. After a flush, the file header
// was already sent, and sinks get a GAP event instead.
GstFlowReturn Pacer::send_file_header(flv::Nanoseconds due) {
  if (!file_header_buffer_) {
    flushed_ = false;
    writer_.send_gap();
    return GST_FLOW_OK;
  }
  const gsize size = gst_buffer_get_size(file_header_buffer_.get());
  GstFlowReturn flow = writer_.queue(BufferPtr(gst_buffer_copy(file_header_buffer_.get())), due);
  if (flow == GST_FLOW_OK)
    flow = writer_.send();
  if (flow != GST_FLOW_OK)
    return flow;
  file_header_buffer_.reset();
  counters_.bytes_out.add(size);
  return flow;
}

// Handles a GAP event from upstream. Its timestamps are not valid downstream.
gboolean Pacer::send_gap() {
  if (writer_.has_segment())
    writer_.send_gap();
  return TRUE;
}

void Pacer::send_tags() {
  if (tags_)
    writer_.send_event(gstflv::EventPtr(gst_event_new_tag(tags_.release())));
}

// Computes the tag's media time, and rewrites its timestamp if necessary.
void Pacer::place(Tag &tag) {
  take_settings();
  const bool video = tag.header.type == flv::TagType::Video;
  const std::uint32_t timestamp = tag.header.timestamp;
  const flv::Timeline::MediaTime place =
      tag.is_media()
          ? timeline_.media(video ? flv::Timeline::Kind::Video : flv::Timeline::Kind::Audio,
                            timestamp)
          : timeline_.other(timestamp);
  tag.time = place.time;
  video_seen_ |= video && flv::is_media(tag.info.role);
  if (place.discontinuity) {
    counters_.discontinuities.add(1);
    report_discontinuity(tag, place.timestamp);
  }

  std::uint32_t wanted = timestamp;
  if (current_.retimestamp == Retimestamp::Continuous)
    wanted = place.timestamp;
  else if (current_.retimestamp == Retimestamp::Zero)
    wanted = static_cast<std::uint32_t>(
        timeline_.first() ? std::max<std::int64_t>(place.time - *timeline_.first(), 0) : 0);
  // Script data at timestamp 0 describes the whole stream. At another timestamp, decoders read it
  // as text.
  if (tag.header.is_script() && timestamp == 0)
    wanted = 0;
  if (wanted == timestamp)
    return;
  tag.header.timestamp = wanted;
  tag.buffer = retimestamped(tag.buffer.get(), wanted);
}

// `timestamp`: the tag's timestamp on the continuous timeline.
void Pacer::report_discontinuity(const Tag &tag, std::uint32_t timestamp) {
  GST_INFO_OBJECT(element_,
                  "discontinuity at byte %" G_GUINT64_FORMAT ": timestamp %u continues as %u",
                  tag.position, tag.header.timestamp, timestamp);
  gst_element_post_message(
      element_, gst_message_new_element(
                    GST_OBJECT(element_),
                    gst_structure_new("flvpace-discontinuity", "byte", G_TYPE_UINT64, tag.position,
                                      "old-timestamp", G_TYPE_UINT, tag.header.timestamp,
                                      "new-timestamp", G_TYPE_UINT, timestamp, nullptr)));
}

void Pacer::note_head(Tag &tag) {
  if (tag.is_media())
    return;
  const gstflv::MappedBuffer map(tag.buffer.get());
  tag.head_change = stream_header_.note(tag.header, tag.info, map.bytes());
  if (tag.header.is_script() && tag.head_change == flv::StreamHeader::Change::Changed)
    note_metadata(map.bytes().subspan(flv::kTagHeaderSize, tag.header.data_size));
}

void Pacer::note_metadata(flv::Bytes data) {
  flv::amf0::Value object;
  if (flv::read_on_metadata(data, object) != flv::Status::Ok) {
    GST_INFO_OBJECT(element_, "onMetaData cannot be read; it is passed on as it is");
    return;
  }
  const flv::Metadata metadata = flv::summarize(object);
  tags_ = tags_of(metadata);
  constexpr double kLongest = 1e9; // seconds
  const std::int64_t duration = metadata.duration && *metadata.duration < kLongest
                                    ? std::llround(*metadata.duration * GST_SECOND)
                                    : kUnknown;
  if (duration == duration_)
    return;
  duration_ = duration;
  gst_element_post_message(element_, gst_message_new_duration_changed(GST_OBJECT(element_)));
}

GstFlowReturn Pacer::deliver(Tag tag) {
  GstFlowReturn flow = GST_FLOW_OK;
  if (tag.is_media() && !scheduled_) {
    scheduled_ = true;
    flow = writer_.send();
    if (flow == GST_FLOW_OK)
      flow = writer_.send_segment(pacing_.start(tag.time));
    if (flow != GST_FLOW_OK)
      return flow;
  }
  std::optional<Departure> departure = pacing_.try_leave(tag.time, tag.arrival);
  if (!departure) {
    flow = writer_.send();
    departure.emplace();
    if (flow == GST_FLOW_OK)
      flow = wait([&] { return pacing_.wait(*departure); });
    if (flow != GST_FLOW_OK)
      return flow;
  }
  if (departure->needs_segment || needs_segment_ || departure->speed != writer_.speed()) {
    needs_segment_ = false;
    flow = writer_.send();
    if (flow == GST_FLOW_OK)
      flow = writer_.send_segment(*departure);
    if (flow != GST_FLOW_OK)
      return flow;
  }
  log_departure(tag, *departure);
  if (is_first_of_its_kind(tag))
    pacing_.renew_segment();
  set_flags(tag);
  count(tag);
  flow = writer_.queue(std::move(tag.buffer), departure->due);
  if (flow != GST_FLOW_OK || tag.head_change != flv::StreamHeader::Change::Changed)
    return flow;
  // The caps follow the tag. Sinks do not send a buffer that is in the caps' stream header, but
  // clients that have already joined need the tag.
  flow = writer_.send();
  if (flow == GST_FLOW_OK)
    flow = writer_.send_caps(stream_header_.parts());
  send_tags();
  return flow;
}

void Pacer::log_departure(const Tag &tag, const Departure &departure) const {
  GST_LOG_OBJECT(element_,
                 "tag of type %u at byte %" G_GUINT64_FORMAT
                 ": %zu bytes, timestamp %u, due at %" GST_TIME_FORMAT ", late by %" G_GINT64_FORMAT
                 " us",
                 static_cast<unsigned>(tag.header.type), tag.position, tag.size,
                 tag.header.timestamp, GST_TIME_ARGS(departure.due), departure.late / 1000);
  if (departure.late > flv::Schedule::kTolerance)
    GST_DEBUG_OBJECT(element_,
                     "late tag: the one at byte %" G_GUINT64_FORMAT
                     ", timestamp %u, is sent %" G_GINT64_FORMAT " ms after it was due",
                     tag.position, tag.header.timestamp, departure.late / 1'000'000);
}

// Whether the tag is the first media of its kind since the start or a flush.
bool Pacer::is_first_of_its_kind(const Tag &tag) {
  const bool video = tag.header.type == flv::TagType::Video;
  return tag.is_media() && !std::exchange(video ? video_sent_ : audio_sent_, true);
}

void Pacer::set_flags(const Tag &tag) const {
  const bool start = tag.info.role == flv::Role::KeyFrame ||
                     (tag.header.type == flv::TagType::Audio && !video_seen_);
  if (!start)
    GST_BUFFER_FLAG_SET(tag.buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  if (tag.head_change != flv::StreamHeader::Change::None)
    GST_BUFFER_FLAG_SET(tag.buffer.get(), GST_BUFFER_FLAG_HEADER);
  if (tag.discont)
    GST_BUFFER_FLAG_SET(tag.buffer.get(), GST_BUFFER_FLAG_DISCONT);
}

void Pacer::count(const Tag &tag) {
  if (tag.header.is_script())
    counters_.script_tags.add(1);
  else if (tag.header.type == flv::TagType::Audio)
    counters_.audio_tags.add(1);
  else
    counters_.video_tags.add(1);
  if (tag.info.role == flv::Role::KeyFrame)
    counters_.key_frames.add(1);
  counters_.bytes_out.add(tag.size);
  if (tag.is_media())
    position_ = std::max<std::int64_t>(tag.time, position_);
}

} // namespace flvpace
