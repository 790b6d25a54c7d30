// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pacer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/state_change.h"
#include "caps_header.h"
#include "flv/format/other_format.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_pace_debug);
#define GST_CAT_DEFAULT gst_flv_pace_debug

namespace flvpace {

using flv::Item;
using gstflv::BufferPtr;

namespace {

// A stream that is joined in its middle must have a tag within this many bytes.
constexpr std::uint64_t kMaxSearch = 4 << 20;

} // namespace

void Pacer::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, element_, "Pacer", state_, std::move(next));
}

std::optional<GstClockTime> Pacer::position() const {
  const std::int64_t position = position_;
  if (position == kUnknown)
    return std::nullopt;
  return static_cast<GstClockTime>(std::max<std::int64_t>(position, 0)) * GST_MSECOND;
}

void Pacer::take_settings() {
  if (settings_.copy_max_gap())
    times_.set_max_gap(settings_.current().max_gap);
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
  discont_ = false;
  video_seen_ = false;
  reader_.clear();
  counters_.clear();
  info_.clear_duration();
  settings_.copy();
  const Settings &settings = settings_.current();
  writer_.set_mtu(settings.mtu);
  reader_.set_max_data_size(settings.max_tag_size);
  times_.set_max_gap(settings.max_gap);
}

void Pacer::stop() {
  header_.clear();
  flush();
  writer_.clear();
  reader_.free_memory();
  (void)info_.take_tags();
}

void Pacer::flush() {
  if (reader_.position() > 0)
    GST_DEBUG_OBJECT(
        element_, "flush after %" G_GUINT64_FORMAT " bytes and media time %" G_GINT64_FORMAT " ms",
        reader_.position(), std::int64_t{position_});
  writer_.flush();
  restart_at(0);
  times_.clear();
  if (auto *probing = std::get_if<Probing>(&state_))
    *probing = {};
  else
    set_state(Probing{});
  last_flow_ = GST_FLOW_OK;
  discont_ = true;
  position_ = kUnknown;
}

GstFlowReturn Pacer::jump(std::uint64_t position) {
  if (position == reader_.position())
    return GST_FLOW_OK;
  const GstFlowReturn flow = drop_half_read();
  times_.splice();
  restart_at(position);
  return flow;
}

// Drops the bytes of an unfinished tag.
GstFlowReturn Pacer::drop_half_read() {
  if (header_.is_missing())
    return GST_FLOW_OK;
  discont_ = true;
  const GstFlowReturn flow = finish_splitting(More::Follows);
  return flow == GST_FLOW_OK ? writer_.send() : flow;
}

void Pacer::restart_at(std::uint64_t position) {
  reader_.restart(header_.is_missing() ? flv::Splitter::Start::File : flv::Splitter::Start::Middle,
                  position);
}

void Pacer::interrupt() {
  const std::uint64_t position = reader_.position();
  if (last_flow_ == GST_FLOW_ERROR || position == 0)
    return;
  GST_INFO_OBJECT(element_, "upstream skipped data before byte %" G_GUINT64_FORMAT, position);
  last_flow_ = drop_half_read();
  restart_at(position);
}

void Pacer::take_stream_header(std::vector<BufferPtr> header) {
  if (header_.is_missing())
    header_.set_caps_header(std::move(header));
  else if (last_flow_ != GST_FLOW_ERROR)
    last_flow_ = take_new_tags(header);
}

// Inserts the tags of `header` that the stream header lacks.
GstFlowReturn Pacer::take_new_tags(const std::vector<BufferPtr> &header) {
  const std::vector<flv::SharedBytes> known = header_.parts();
  const auto is_known = [&known](flv::Bytes tag) {
    return std::ranges::any_of(
        known, [tag](const flv::SharedBytes &part) { return std::ranges::equal(*part, tag); });
  };
  const std::uint64_t position = reader_.position();
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

void Pacer::leave_for(std::uint64_t position) {
  restart_at(position);
  times_.splice();
  last_flow_ = GST_FLOW_OK;
  discont_ = true;
  if (auto *probing = std::get_if<Probing>(&state_))
    *probing = {};
  else
    writer_.outdate_segment();
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
  const bool joins = reader_.position() == 0 && header_.can_join(map.bytes());
  GstFlowReturn flow = joins ? join() : GST_FLOW_OK;
  if (flow == GST_FLOW_OK)
    flow = split(buffer, map.bytes());
  if (flow == GST_FLOW_OK && has_found_no_tag())
    flow = found_no_tag();
  return flow;
}

GstFlowReturn Pacer::split(const BufferPtr &buffer, flv::Bytes bytes) {
  reader_.begin_chunk(buffer.get(), bytes);
  GstFlowReturn flow = handle_items(More::Follows);
  if (flow == GST_FLOW_OK)
    flow = writer_.send();
  else if (reader_.position() < reader_.end()) // skips the rest of the chunk
    restart_at(reader_.end());
  if (flow == GST_FLOW_OK && reader_.is_malformed())
    flow = not_flv(reader_.fault(), reader_.start());
  reader_.end_chunk();
  if (flow == GST_FLOW_OK)
    reader_.release_read_bytes();
  return flow;
}

// Creates a file header, and inserts the tags in upstream's caps.
GstFlowReturn Pacer::join() {
  GST_INFO_OBJECT(element_, "the stream started before: a file header is made for it");
  const std::vector<BufferPtr> from_caps = header_.create();
  restart_at(0);
  return take_new_tags(from_caps);
}

bool Pacer::has_found_no_tag() const {
  if (!header_.is_provisional() || reader_.position() <= kMaxSearch)
    return false;
  const auto *probing = std::get_if<Probing>(&state_);
  return probing && probing->tags.empty();
}

GstFlowReturn Pacer::found_no_tag() {
  FLV_ELEMENT_ERROR(element_, STREAM, WRONG_TYPE,
                    ("Not an FLV stream: there is no whole tag in the first %" G_GUINT64_FORMAT
                     " bytes.",
                     guint64{reader_.position()}),
                    (nullptr));
  return GST_FLOW_ERROR;
}

// The incomplete tag at the end may contain a splice, with more tags after it.
GstFlowReturn Pacer::finish_splitting(More more) {
  GstFlowReturn flow = handle_items(more);
  while (flow == GST_FLOW_OK && reader_.finish(more))
    flow = handle_items(more);
  if (flow == GST_FLOW_OK && reader_.is_malformed())
    return not_flv(reader_.fault(), {});
  if (flow != GST_FLOW_OK) // downstream does not want the rest
    restart_at(reader_.end());
  return flow;
}

GstFlowReturn Pacer::handle_items(More more) {
  GstFlowReturn flow = GST_FLOW_OK;
  while (const Item *item = reader_.next()) {
    flow = item->kind == Item::Kind::Tag ? handle_tag(*item, more) : handle(*item);
    if (flow != GST_FLOW_OK) {
      reader_.drop_items();
      break;
    }
  }
  return flow;
}

GstFlowReturn Pacer::handle(const Item &item) {
  switch (item.kind) {
  case Item::Kind::FileHeader:
    handle_file_header(item);
    break;
  case Item::Kind::Tag:
    break;
  case Item::Kind::Damage:
    return report_damage(item);
  case Item::Kind::Truncated:
    FLV_ELEMENT_WARNING(element_, STREAM, DEMUX,
                        ("The stream ends inside a tag: the last %" G_GUINT64_FORMAT
                         " bytes, from byte %" G_GUINT64_FORMAT " on, are not sent.",
                         item.end - item.begin, reader_.file_offset(item.begin)),
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
  const guint64 byte = reader_.file_offset(item.begin);
  if (settings_.current().on_corrupt == OnCorrupt::Fail) {
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

void Pacer::handle_file_header(const Item &item) {
  if (item.wrong_previous_size)
    counters_.wrong_previous_sizes.add(1);
  if (header_.is_missing()) {
    header_.receive(item.file, reader_.take(item));
    return;
  }
  GST_DEBUG_OBJECT(element_, "dropping the file header at byte %" G_GUINT64_FORMAT, item.begin);
  times_.splice();
}

GstFlowReturn Pacer::handle_tag(const Item &item, More more) {
  Tag tag;
  tag.header = item.tag;
  tag.position = reader_.file_offset(item.begin);
  tag.arrival = arrival_;
  reader_.cut_out(item, more, tag);
  if (tag.header.stream_id != 0)
    report_stream_id(tag);
  tag.discont = std::exchange(discont_, false);
  if (item.wrong_previous_size)
    counters_.wrong_previous_sizes.add(1);
  if (auto *probing = std::get_if<Probing>(&state_)) {
    hold(*probing, std::move(tag));
    return is_held_enough(*probing) ? release() : GST_FLOW_OK;
  }
  place(tag);
  note_head(tag);
  return deliver(tag);
}

void Pacer::report_stream_id(const Tag &tag) {
  if (counters_.nonzero_stream_ids == 0)
    FLV_ELEMENT_WARNING(element_, STREAM, DEMUX,
                        ("The tag at byte %" G_GUINT64_FORMAT
                         " has stream id %u, not 0; tags are passed on with their stream ids.",
                         tag.position, tag.header.stream_id),
                        (nullptr));
  counters_.nonzero_stream_ids.add(1);
}

} // namespace flvpace
