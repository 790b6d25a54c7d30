// SPDX-License-Identifier: LGPL-2.1-or-later
#include "served_file.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "file_reader.h"

namespace flvserve {

namespace {

using fanout::ByteSchedule;
using flv::StartError;

constexpr std::uint64_t kEndOfTime = 1'000'000'000'000; // ms; after the end of every file
constexpr std::size_t kMaxTags = 20'000;                // that find_end() reads
constexpr std::int64_t kKeyframeTime = 500;             // ms

// A keyframe has many of the bytes of its group of pictures, and all of them must be there when the
// first picture is shown. So half of a group's bytes are due in its first 500 ms. With less, a
// client's buffer would lose the time that a large keyframe takes.
ByteSchedule::Points paced(const std::vector<flv::BytePoint> &points) {
  ByteSchedule::Points out;
  for (std::size_t i = 0; i < points.size(); i++) {
    const auto time = static_cast<std::int64_t>(points[i].time);
    out.push_back({points[i].position, time});
    if (i + 1 == points.size() || points[i + 1].time < points[i].time)
      continue;
    const std::uint64_t size = points[i + 1].position - points[i].position;
    if (static_cast<std::int64_t>(points[i + 1].time) - time > 2 * kKeyframeTime && size > 1)
      out.push_back({points[i].position + size / 2, time + kKeyframeTime});
  }
  return out;
}

std::string seconds_text(std::uint64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(ms) / 1000);
  return text;
}

std::string text_of(flv::Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

// As a sentence.
std::string sentence(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text + ".";
}

std::size_t memory_of(const flv::KeyframeIndex &index) {
  return index.positions.capacity() * sizeof index.positions[0] +
         index.times.capacity() * sizeof index.times[0];
}

} // namespace

ServedFile::ServedFile(const flvhttp::FileVersion &version, flv::IndexedFile &file, bool may_scan)
    : version_(version), is_flv_(file.is_flv()), body_size_(version.size),
      planner_(flv::Access::Anywhere, file.is_flv() ? file.size() : version.size) {
  if (!is_flv_) {
    reason_ = file.reason();
    return;
  }
  if (file.index().positions.empty())
    reason_ = may_scan ? "the file has no key frame" : file.reason();
  if (const auto &made = file.virtual_file()) {
    head_ = std::make_shared<const std::vector<std::uint8_t>>(made->head);
    body_offset_ = made->body_offset;
    body_size_ = made->body_size;
  }
  // The index of a virtual file is complete.
  may_scan_ = may_scan && !head_;
  index_ = file.index();
  if (auto table = ByteSchedule::make_table(paced(file.byte_points())); table && !table->empty())
    schedule_ = std::move(table);
}

std::uint64_t ServedFile::size() const {
  return (head_ ? head_->size() : 0) + body_size_;
}

// The planner has its own copy of the index, and the metadata.
std::size_t ServedFile::memory() const {
  constexpr std::size_t kCopies = 2;
  std::size_t size = sizeof *this + kCopies * memory_of(index_);
  if (head_)
    size += kCopies * head_->size();
  if (schedule_)
    size += schedule_->capacity() * sizeof(ByteSchedule::Point);
  return size;
}

Parts ServedFile::parts(const flvhttp::FilePtr &stored) const {
  Parts parts;
  if (head_)
    parts.emplace_back(flvhttp::SharedBytes{head_, 0, head_->size()});
  parts.emplace_back(flvhttp::FileRange{stored, body_offset_, body_size_});
  return parts;
}

// --- Starts ---

std::optional<StartRefusal> ServedFile::plan(const Parts &parts, const flv::StartRequest &request,
                                             const std::atomic<bool> *stop) {
  flv::StartSettings settings;
  settings.request = request;
  settings.index = may_scan_ ? flv::IndexSource::Auto : flv::IndexSource::Metadata;
  settings.reinsert = {false, false, true};
  settings.keyframes = flv::MetadataKeyframes::Original;
  planner_.look_for(settings);
  FileReader reader(parts);
  while (const auto wanted = planner_.next_request()) {
    if (!stop && planner_.is_scanning())
      return StartRefusal{StartRefusal::Kind::NeedsScan, ""};
    if (stop && *stop)
      return StartRefusal{StartRefusal::Kind::ReadError, "The server ends."};
    reader.expect(planner_.take_likely_requests());
    const auto bytes = reader.read(*wanted);
    if (!bytes)
      return StartRefusal{StartRefusal::Kind::ReadError, "The file cannot be read."};
    planner_.supply(*bytes);
  }
  return std::nullopt;
}

ServedFile::Found ServedFile::find_start(const flvhttp::FilePtr &stored, const WantsStart &wanted,
                                         const std::atomic<bool> *stop) {
  using Kind = StartRefusal::Kind;
  if (!reason_.empty())
    return StartRefusal{Kind::NoStart, sentence(reason_)};
  const bool by_time = wanted.measure == WantsStart::Measure::Time;
  if (by_time && !index_.times.empty() &&
      static_cast<double>(wanted.value) < index_.times.front() * 1000)
    return WantsFile{wanted.end};
  const std::lock_guard lock(mutex_);
  const Parts all = parts(stored);
  const flv::StartRequest request{by_time ? flv::StartRequest::Measure::Time
                                          : flv::StartRequest::Measure::Offset,
                                  wanted.value, by_time ? flv::Snap::Previous : flv::Snap::Next};
  if (auto refused = plan(all, request, stop))
    return *std::move(refused);
  if (const StartError error = planner_.error(); error.kind != StartError::Kind::None) {
    if (by_time && error.kind == StartError::Kind::Place) // before the first keyframe
      return WantsFile{wanted.end};
    return refusal(all, error, stop);
  }
  const flv::StreamStart start = planner_.start();
  if (!start.place)
    return WantsFile{wanted.end};
  return start_of(all, start);
}

void ServedFile::prepare(const flvhttp::FilePtr &stored, const std::atomic<bool> &stop) {
  if (may_scan_)
    (void)find_start(stored, {WantsStart::Measure::Time, kEndOfTime, {}}, &stop);
}

StartRefusal ServedFile::refusal(const Parts &parts, const StartError &error,
                                 const std::atomic<bool> *stop) {
  using Kind = StartRefusal::Kind;
  if (error.kind != StartError::Kind::Place)
    return {Kind::NoStart, sentence(error.text)};
  std::string text = sentence(error.text);
  const flv::StartRequest last{flv::StartRequest::Measure::Time, kEndOfTime, flv::Snap::Previous};
  if (!plan(parts, last, stop)) {
    const char *what = planner_.facts()->has_video() ? "key frame" : "audio start";
    if (const flv::StreamStart start = planner_.start(); start.place)
      text = std::string("The last ") + what + " is at byte " +
             std::to_string(start.place->position) + ", " + seconds_text(start.time) + ".";
  }
  return {Kind::NotHere, text};
}

// onMetaData is sent from the file, because it can be large and has the index that players use for
// their next requests.
FileStart ServedFile::start_of(const Parts &parts, const flv::StreamStart &start) const {
  const flv::FileFacts &facts = *planner_.facts();
  FileStart found;
  found.position = start.place->position;
  found.head.emplace_back(text_of(flv::write_stream_head(facts, {}, {}, {true, false, false},
                                                         flv::MetadataKeyframes::Original)));
  std::string behind;
  if (facts.metadata_tag && facts.metadata_status == flv::Status::Ok) {
    const flv::PlacedTag &tag = *facts.metadata_tag;
    // Decoders detect a text stream if the timestamp of script data is not 0.
    flv::TagHeader header = tag.header;
    header.timestamp = 0;
    const auto bytes = flv::write_tag_header(header);
    std::get<std::string>(found.head.back()) += text_of(bytes);
    for (flvhttp::Part &part : slice(parts, tag.position + flv::kTagHeaderSize, header.data_size))
      found.head.push_back(std::move(part));
    std::vector<std::uint8_t> previous_size;
    flv::Writer(previous_size).u32(header.tag_size());
    behind = text_of(previous_size);
  }
  behind += text_of(start.head);
  found.head.emplace_back(std::move(behind));
  return found;
}

// --- Ends ---

std::optional<std::uint64_t> ServedFile::find_end(const flvhttp::FilePtr &stored,
                                                  std::uint64_t from, std::uint64_t end) {
  if (end >= size())
    return size();
  const Parts all = parts(stored);
  FileReader reader(all);
  std::uint64_t position = from;
  if (from == 0) {
    const auto bytes = reader.read({0, flv::kFileHeaderSize, false});
    flv::FileHeader header;
    if (!bytes || bytes->size() < flv::kFileHeaderSize ||
        flv::read_file_header(bytes->data(), header).kind != flv::Fault::Kind::None)
      return std::nullopt;
    position = header.size + flv::kPreviousTagSizeSize;
  }
  std::optional<std::uint64_t> found;
  const auto next = std::ranges::upper_bound(index_.positions, end);
  if (next != index_.positions.begin() && *std::prev(next) > position)
    found = position = *std::prev(next);
  for (std::size_t tags = 0; tags < kMaxTags; tags++) {
    const auto bytes = reader.read({position, flv::kTagHeaderSize, true});
    flv::TagHeader header;
    if (!bytes || bytes->size() < flv::kTagHeaderSize ||
        flv::read_tag_header(bytes->data(), flv::kMaxDataSize, header).kind !=
            flv::Fault::Kind::None)
      break;
    position += header.tag_size() + flv::kPreviousTagSizeSize;
    if (position > end)
      break;
    found = position;
  }
  return found;
}

} // namespace flvserve
