// SPDX-License-Identifier: LGPL-2.1-or-later
#include "virtual_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "flv/format/amf0_edit.h"
#include "start_header.h"

namespace flv {

namespace {

// The position in the stored file. nullopt: there is none before the first keyframe.
std::optional<std::uint64_t> first_configuration(const IndexScan &scan) {
  const auto &tags = scan.configurations();
  auto first = std::ranges::find(tags, TagType::Video, &IndexScan::Stretch::type);
  if (first == tags.end())
    first = tags.begin();
  if (first == tags.end() || first->position > scan.index().positions.front())
    return std::nullopt;
  return first->position;
}

// Positions in the stored file. The times are timestamps: decoders compare them with those of the
// tags. If timestamps restart, the times continue.
KeyframeIndex listed_index(const IndexScan &scan) {
  const KeyframeIndex keyframes = reduced(scan.index(), kMaxListedKeyframes - 1);
  const std::int64_t base = first_time(scan);
  const auto listed = [](std::int64_t ms) {
    return static_cast<double>(std::max<std::int64_t>(ms, 0)) / 1000;
  };
  KeyframeIndex index;
  if (const auto first = first_configuration(scan)) {
    index.positions.push_back(*first);
    index.times.push_back(listed(base));
  }
  for (std::size_t i = 0; i < keyframes.positions.size(); ++i) {
    index.positions.push_back(keyframes.positions[i]);
    index.times.push_back(listed(base + std::llround(keyframes.times[i] * 1000)));
  }
  return index;
}

// The parts of `between` that are not onMetaData. Their positions in the virtual file are not known
// yet.
std::vector<VirtualFile::Copy> kept_parts(Bytes between, std::uint64_t first_tag) {
  std::vector<VirtualFile::Copy> parts;
  std::size_t begin = 0;
  std::size_t at = 0;
  const auto keep_to = [&](std::size_t end) {
    if (end > begin)
      parts.push_back({0, first_tag + begin, end - begin});
  };
  TagHeader header;
  while (between.size() - at >= kTagHeaderSize &&
         read_tag_header(&between[at], kMaxDataSize, header).kind == Fault::Kind::None) {
    const Bytes data = between.subspan(at + kTagHeaderSize);
    const std::size_t end = std::min(between.size(), at + header.tag_size() + kPreviousTagSizeSize);
    if (header.is_script() &&
        is_on_metadata(data.first(std::min<std::size_t>(data.size(), header.data_size)))) {
      keep_to(at);
      begin = end;
    }
    at = end;
  }
  keep_to(between.size());
  return parts;
}

amf0::Value keyframes_of(const KeyframeIndex &index) {
  amf0::NumberArray positions;
  for (const std::uint64_t position : index.positions)
    positions.items.push_back(static_cast<double>(position));
  return {amf0::Object{
      {{"filepositions", {std::move(positions)}}, {"times", {amf0::NumberArray{index.times}}}}}};
}

std::vector<amf0::Edit> edits_of(const VirtualFile &file, const FileFacts &facts, double duration) {
  std::vector<amf0::Edit> edits{{"duration", {duration}},
                                {"filesize", {static_cast<double>(file.size())}},
                                {"hasKeyframes", {true}},
                                {"keyframes", keyframes_of(file.index)}};
  if (facts.metadata.find("lastkeyframelocation"))
    edits.push_back({"lastkeyframelocation", {static_cast<double>(file.index.positions.back())}});
  if (facts.metadata.find("lastkeyframetimestamp"))
    edits.push_back({"lastkeyframetimestamp", {file.index.times.back()}});
  return edits;
}

// The data of the script tag, for a file whose own onMetaData is missing or cannot be read.
std::vector<std::uint8_t> new_metadata(const std::vector<amf0::Edit> &edits,
                                       const IndexScan &scan) {
  amf0::EcmaArray object{{{"hasVideo", {scan.video_seen()}}, {"hasAudio", {scan.audio_seen()}}}};
  for (const amf0::Edit &edit : edits)
    object.members.push_back({edit.name, edit.value});
  std::vector<std::uint8_t> data;
  amf0::write_all(data, {{std::string("onMetaData")}, {std::move(object)}});
  return data;
}

std::vector<std::uint8_t> metadata_data(const FileFacts &facts, const IndexScan &scan,
                                        const std::vector<amf0::Edit> &edits) {
  std::vector<std::uint8_t> data;
  if (facts.metadata_tag && facts.metadata_status == Status::Ok) {
    amf0::write(data, {std::string("onMetaData")});
    const Bytes object = on_metadata_object(facts.metadata_tag->data());
    if (amf0::edit(object, edits, data) == Status::Ok && data.size() <= kMaxDataSize)
      return data;
  }
  return new_metadata(edits, scan);
}

std::vector<std::uint8_t> file_header(FileFacts facts, const IndexScan &scan) {
  facts.audio_seen |= scan.audio_seen();
  facts.video_seen |= scan.video_seen();
  facts.extent = FileFacts::Extent::Whole;
  std::vector<std::uint8_t> header;
  append_file_header(header, facts);
  return header;
}

// Positions in the stored file become positions in the virtual file. In a damaged file, onMetaData
// can include bytes that the scan reads as tags of their own. Those are not in the virtual file.
KeyframeIndex moved(const KeyframeIndex &stored, const VirtualFile &file) {
  KeyframeIndex index;
  for (std::size_t i = 0; i < stored.positions.size(); ++i) {
    if (const auto position = file.from_stored(stored.positions[i])) {
      index.positions.push_back(*position);
      index.times.push_back(stored.times[i]);
    }
  }
  return index;
}

} // namespace

std::optional<std::uint64_t> VirtualFile::to_stored(std::uint64_t position) const {
  if (position > size())
    return std::nullopt;
  if (position >= head.size())
    return position - head.size() + body_offset;
  for (const Copy &copy : copies) {
    if (position >= copy.position && position - copy.position < copy.size)
      return position - copy.position + copy.stored;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> VirtualFile::from_stored(std::uint64_t stored) const {
  if (stored >= body_offset)
    return stored - body_offset <= body_size ? std::optional(stored - body_offset + head.size())
                                             : std::nullopt;
  for (const Copy &copy : copies) {
    if (stored >= copy.stored && stored - copy.stored < copy.size)
      return stored - copy.stored + copy.position;
  }
  return std::nullopt;
}

std::int64_t first_time(const IndexScan &scan) {
  constexpr std::int64_t kRange = std::int64_t{1} << 32U;
  const std::int64_t first = scan.timeline().first().value_or(0);
  return first >= kRange / 2 && first < kRange ? first - kRange : first;
}

double duration_of(const IndexScan &scan) {
  const Timeline &timeline = scan.timeline();
  return static_cast<double>(timeline.end() - timeline.first().value_or(0)) / 1000;
}

KeyframeIndex spaced(const KeyframeIndex &index, double spacing) {
  KeyframeIndex kept;
  for (std::size_t i = 0; i < index.positions.size(); ++i) {
    if (!kept.times.empty() && index.times[i] - kept.times.back() < spacing)
      continue;
    kept.positions.push_back(index.positions[i]);
    kept.times.push_back(index.times[i]);
  }
  return kept;
}

KeyframeIndex reduced(const KeyframeIndex &index, std::size_t count) {
  KeyframeIndex kept = index;
  for (double spacing = 1; kept.positions.size() > count; spacing *= 2)
    kept = spaced(index, spacing);
  return kept;
}

std::optional<VirtualFile> make_virtual_file(const FileFacts &facts, const IndexScan &scan,
                                             std::uint64_t file_size, Bytes between) {
  if (!scan.video_seen() || scan.index().positions.empty())
    return std::nullopt;
  VirtualFile file;
  file.body_offset = facts.first_tag() + between.size();
  if (facts.metadata_tag && facts.metadata_tag->position == facts.first_tag())
    file.body_offset = facts.first_tag() + facts.metadata_tag->header.tag_size() +
                       std::uint64_t{kPreviousTagSizeSize};
  file.body_offset = std::min(file.body_offset, file_size);
  file.body_size = file_size - file.body_offset;
  file.copies = kept_parts(between, facts.first_tag());
  const KeyframeIndex stored = listed_index(scan);
  const std::uint32_t stream_id = facts.metadata_tag ? facts.metadata_tag->header.stream_id : 0;
  // The size of a number does not depend on its value, so the second pass does not change sizes.
  for (int pass = 0; pass < 2; ++pass) {
    file.index = moved(stored, file);
    if (file.index.positions.empty())
      return std::nullopt;
    std::vector<std::uint8_t> head = file_header(facts, scan);
    append_tag(head, TagType::Script, 0,
               metadata_data(facts, scan, edits_of(file, facts, duration_of(scan))), stream_id);
    std::uint64_t at = head.size();
    for (VirtualFile::Copy &copy : file.copies) {
      copy.position = std::exchange(at, at + copy.size);
      const auto begin = static_cast<std::size_t>(copy.stored - facts.first_tag());
      Writer(head).bytes(between.subspan(begin, static_cast<std::size_t>(copy.size)));
    }
    file.head = std::move(head);
  }
  return file;
}

} // namespace flv
