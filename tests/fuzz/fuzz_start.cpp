// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is eight bytes of settings, then a file:
//   access, snap, index source (2 bits each), measure, whether a place is requested
//   reinsert (3 bits), keyframes (2), whether the size is known
//   value, stop (UI24 each)
#include "fuzz.h"

#include "drive.h"
#include "flv/format/other_format.h"
#include "flv/seek/seek_planner.h"
#include "split.h"

using namespace flv;
using flvtest::Buffer;

namespace {

constexpr std::size_t kSettingsSize = 8;

struct Case {
  Access access = Access::Anywhere;
  bool size_known = true;
  StartSettings settings;
  Bytes file;
};

Case read_case(Bytes input) {
  Case out;
  const std::uint8_t *raw = input.data();
  out.access = static_cast<Access>((raw[0] & 3) % 3);
  StartSettings &settings = out.settings;
  if (!(raw[0] & 0x80))
    settings.request = {raw[0] & 0x40 ? StartRequest::Measure::Time : StartRequest::Measure::Offset,
                        load_u24(raw + 2), static_cast<Snap>(raw[0] >> 2 & 3)};
  settings.index = static_cast<IndexSource>((raw[0] >> 4 & 3) % 3);
  settings.reinsert = {(raw[1] & 1) != 0, (raw[1] & 2) != 0, (raw[1] & 4) != 0};
  settings.keyframes = static_cast<MetadataKeyframes>((raw[1] >> 3 & 3) % 3);
  out.size_known = (raw[1] & 0x20) != 0;
  settings.stop = load_u24(raw + 5);
  out.file = input.subspan(kSettingsSize);
  return out;
}

void look(SeekPlanner &starter, const Case &input) {
  // An entry of the index has 18 bytes, and a configuration at an entry leads to at most 64 further
  // tags.
  const std::size_t bound = 10'000 + 20 * input.file.size();
  starter.look_for(input.settings);
  std::size_t reads = 0;
  std::uint64_t kept = 0;
  while (const auto wanted = starter.next_request()) {
    REQUIRE(wanted->size > 0);
    REQUIRE(++reads <= bound);
    if (input.access == Access::Forward && wanted->offset < kept)
      starter.give_nothing();
    else
      starter.supply(flvtest::piece(input.file, *wanted));
    kept = std::max(kept, starter.keep_from());
  }
  const StartError &error = starter.error();
  REQUIRE((error.kind == StartError::Kind::None) == error.text.empty());
  for (const std::string &note : starter.notes())
    REQUIRE(!note.empty());
}

// The format is named only if the file is not FLV, and only by its first bytes.
void check_other_format(Bytes file) {
  const std::string_view format = other_format(file);
  if (file.size() >= 3 && file[0] == 'F' && file[1] == 'L' && file[2] == 'V')
    REQUIRE(format.empty());
  REQUIRE(format == other_format(file.first(std::min(file.size(), kOtherFormatBytes))));
  REQUIRE(looks_like(file).empty() == format.empty());
}

bool is_start(Bytes file, std::uint64_t position) {
  if (position >= file.size())
    return false;
  const Bytes tag = file.subspan(static_cast<std::size_t>(position));
  TagHeader header;
  if (tag.size() < kTagHeaderSize ||
      read_tag_header(tag.data(), kMaxDataSize, header).kind != Fault::Kind::None)
    return false;
  Bytes data = tag.subspan(kTagHeaderSize);
  data = data.first(std::min<std::size_t>(data.size(), header.data_size));
  const Role role = classify(header.type, data).role;
  return role == Role::KeyFrame || (header.type == TagType::Audio && role == Role::Media);
}

// In a separate file, so that the head may lack a file header.
flvtest::Split split_behind_header(Bytes first, Bytes second) {
  const Buffer before = flvtest::file_header();
  return flvtest::split(flvtest::joined({before, first, second}));
}

void check_own_index(const amf0::Value &metadata, const Case &input, const Buffer &stream) {
  const amf0::Value *size = metadata.find("filesize");
  if (size && input.size_known && input.settings.stop == 0) {
    const auto *number = std::get_if<double>(&size->data);
    REQUIRE(number && *number == static_cast<double>(stream.size()));
  }
  if (!metadata.find("keyframes") || input.access != Access::Anywhere)
    return;
  KeyframeIndex index;
  REQUIRE(read_keyframe_index(metadata, 0, index).kind == IndexFault::Kind::None);
  for (const std::uint64_t position : index.positions)
    REQUIRE(is_start(stream, position));
}

void check_metadata(const Case &input, Bytes tag, const Buffer &stream) {
  if (input.settings.keyframes == MetadataKeyframes::Original)
    return;
  const Bytes data = tag.subspan(kTagHeaderSize, load_u24(&tag[1]));
  amf0::Value object;
  REQUIRE(read_on_metadata(data, object) == Status::Ok);
  Buffer again;
  amf0::write_all(again, {{std::string("onMetaData")}, object});
  REQUIRE(again == Buffer(data.begin(), data.end()));
  if (input.settings.keyframes == MetadataKeyframes::Strip)
    REQUIRE(!object.find("keyframes"));
  else
    check_own_index(object, input, stream);
}

void check_start(const SeekPlanner &starter, const Case &input) {
  const StreamStart &start = starter.start();
  if (!start.place) {
    REQUIRE(start.head.empty() && start.position == 0 && start.time == 0);
    return;
  }
  REQUIRE(start.position == start.place->position && is_start(input.file, start.position));
  const Reinsert &reinsert = input.settings.reinsert;
  const FileFacts *facts = starter.facts();
  REQUIRE(facts);
  const std::size_t header = reinsert.header ? facts->header_bytes.size() : 0;
  REQUIRE(start.head.size() >= header);
  const Bytes tags = Bytes(start.head).subspan(header);
  const Bytes tail = input.file.subspan(static_cast<std::size_t>(start.position));
  const auto head = split_behind_header(tags, {});
  std::size_t count = 0;
  for (const Item &item : head.items) {
    REQUIRE(item.kind == Item::Kind::FileHeader || item.kind == Item::Kind::Tag);
    REQUIRE(!item.wrong_previous_size);
    if (item.kind != Item::Kind::Tag)
      continue;
    ++count;
    if (!item.tag.is_script())
      continue;
    REQUIRE(reinsert.metadata && item.tag.timestamp == 0 && count == 1);
    const Bytes tag = tags.subspan(static_cast<std::size_t>(item.begin) - 13);
    check_metadata(input, tag, flvtest::joined({start.head, tail}));
  }
  // A splitter that has received the head's script tag knows the stream id of script tags.
  const auto tags_of_head = head.tags();
  const bool has_script = !tags_of_head.empty() && tags_of_head.front().tag.is_script();
  const auto script_size = static_cast<std::size_t>(
      has_script ? tags_of_head.front().end - tags_of_head.front().begin : 0);
  const auto alone = split_behind_header(tags.first(script_size), tail);
  const auto both = split_behind_header(tags, tail);
  // A splitter without the configurations accepts only id 0 for audio and video.
  const auto has_id = [](const Item &item) { return item.tag.stream_id != 0; };
  if (std::ranges::any_of(alone.tags(), has_id) || std::ranges::any_of(tags_of_head, has_id))
    return;
  // In a search after damage, it accepts tags that the other one rejects.
  const auto is_damage = [](const Item &item) { return item.kind == Item::Kind::Damage; };
  if (std::ranges::any_of(alone.items, is_damage) || std::ranges::any_of(both.items, is_damage))
    return;
  const std::size_t configurations = count - (has_script ? 1 : 0);
  REQUIRE(both.tags().size() == configurations + alone.tags().size());
  REQUIRE(both.items.size() == configurations + alone.items.size());
}

bool same(const SeekPlanner &a, const SeekPlanner &b) {
  return a.error().kind == b.error().kind && a.error().text == b.error().text &&
         a.start().head == b.start().head && a.start().position == b.start().position &&
         a.start().place == b.start().place && a.start().time == b.start().time &&
         a.rejected() == b.rejected() && a.notes() == b.notes();
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size < kSettingsSize)
    return 0;
  const Case input = read_case({data, size});
  check_other_format(input.file);
  const std::uint64_t file_size = input.size_known ? input.file.size() : 0;
  SeekPlanner starter(input.access, file_size);
  look(starter, input);
  if (starter.error().kind == StartError::Kind::None)
    check_start(starter, input);
  SeekPlanner again(input.access, file_size);
  look(again, input);
  REQUIRE(same(starter, again));
  // The learned data does not affect a second run.
  look(starter, input);
  if (input.access == Access::Anywhere)
    REQUIRE(starter.start().position == again.start().position);
  if (starter.error().kind == StartError::Kind::None)
    check_start(starter, input);
  return 0;
}
