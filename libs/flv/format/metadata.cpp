// SPDX-License-Identifier: LGPL-2.1-or-later
#include "metadata.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "codec.h"

namespace flv {

namespace {

constexpr std::string_view kOnMetaData = "onMetaData";
constexpr std::string_view kSetDataFrame = "@setDataFrame";
constexpr std::uint8_t kStringMarker = 2;
// Bytes. A double represents every integer up to this value exactly.
constexpr double kMaxPosition = 9007199254740992.0;

bool take_name(Reader &reader, std::string_view name) {
  Reader ahead = reader;
  std::uint8_t marker = 0;
  std::uint32_t size = 0;
  Bytes raw;
  if (!ahead.u8(marker) || marker != kStringMarker || !ahead.u16(size) || !ahead.bytes(size, raw))
    return false;
  while (!raw.empty() && raw.back() == 0)
    raw = raw.first(raw.size() - 1);
  if (!std::equal(raw.begin(), raw.end(), name.begin(), name.end()))
    return false;
  reader = ahead;
  return true;
}

// Moves `reader` from the tag's first byte to the metadata object.
bool enter(Reader &reader) {
  Reader ahead = reader;
  std::uint8_t first = 0;
  if (ahead.u8(first) && first == 0)
    reader = ahead;
  (void)take_name(reader, kSetDataFrame);
  return take_name(reader, kOnMetaData);
}

std::optional<double> number_of(const amf0::Value *value) {
  const auto *number = value ? std::get_if<double>(&value->data) : nullptr;
  if (!number || !std::isfinite(*number))
    return std::nullopt;
  return *number;
}

std::optional<double> rate_of(const amf0::Value *value) {
  const auto number = number_of(value);
  return number && *number > 0 ? number : std::nullopt;
}

// A codec is a number. Some producers write the FourCC as text.
std::optional<std::uint32_t> codec_of(const amf0::Value *value) {
  if (const auto number = number_of(value)) {
    if (*number >= 0 && *number <= 0xFFFFFFFF)
      return static_cast<std::uint32_t>(*number);
    return std::nullopt;
  }
  const auto *text = value ? std::get_if<std::string>(&value->data) : nullptr;
  if (text && text->size() == 4)
    return fourcc(*text);
  return std::nullopt;
}

std::string text_of(const amf0::Value *value) {
  const auto *text = value ? std::get_if<std::string>(&value->data) : nullptr;
  return text ? text->substr(0, text->find('\0')) : std::string();
}

// Reads a list of numbers. Some producers write lists as ECMA arrays with the names "0", "1", ...
// An item that is not a number becomes NaN, which check() reports.
bool list_of(const amf0::Value *value, std::vector<double> &numbers) {
  if (!value)
    return false;
  const auto append = [&numbers](const amf0::Value &item) {
    const auto *number = std::get_if<double>(&item.data);
    numbers.push_back(number ? *number : std::nan(""));
  };
  if (const auto *list = std::get_if<amf0::NumberArray>(&value->data)) {
    numbers = list->items;
  } else if (const auto *mixed = std::get_if<amf0::StrictArray>(&value->data)) {
    for (const amf0::Value &item : mixed->items)
      append(item);
  } else if (const auto *array = std::get_if<amf0::EcmaArray>(&value->data)) {
    for (const amf0::Member &member : array->members)
      append(member.value);
  } else {
    return false;
  }
  return true;
}

IndexFault check(const std::vector<double> &numbers, bool strictly) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double number = numbers[i];
    if (!std::isfinite(number))
      return {IndexFault::Kind::NotANumber, i, number, 0};
    if (number < 0)
      return {IndexFault::Kind::Negative, i, number, 0};
    if (i > 0 && (strictly ? number <= numbers[i - 1] : number < numbers[i - 1]))
      return {IndexFault::Kind::NotAscending, i, number, numbers[i - 1]};
  }
  return {};
}

} // namespace

std::string describe(const IndexFault &fault) {
  std::array<char, 160> text{};
  const auto print = [&text](const char *pattern, auto... numbers) {
    std::snprintf(text.data(), text.size(), pattern, numbers...);
  };
  switch (fault.kind) {
  case IndexFault::Kind::None:
    return "no fault";
  case IndexFault::Kind::Missing:
    return "onMetaData has no keyframe index";
  case IndexFault::Kind::Empty:
    return "the keyframe index has 0 entries";
  case IndexFault::Kind::Lengths:
    print("the keyframe index has %.0f positions and %.0f times", fault.value, fault.other);
    break;
  case IndexFault::Kind::NotANumber:
    print("entry %zu of the keyframe index is not a number", fault.entry);
    break;
  case IndexFault::Kind::Negative:
    print("entry %zu of the keyframe index is negative: %.15g", fault.entry, fault.value);
    break;
  case IndexFault::Kind::NotAscending:
    print("entry %zu of the keyframe index, %.15g, does not come after %.15g", fault.entry,
          fault.value, fault.other);
    break;
  case IndexFault::Kind::BeyondTheFile:
    print("entry %zu of the keyframe index, position %.15g, is beyond the file's %.15g bytes",
          fault.entry, fault.value, fault.other);
    break;
  }
  return text.data();
}

Status read_on_metadata(Bytes data, amf0::Value &object) {
  Reader reader(data);
  if (!enter(reader))
    return Status::Malformed;
  if (const Status status = amf0::read(reader, object); status != Status::Ok)
    return status;
  return object.members() ? Status::Ok : Status::Malformed;
}

Bytes on_metadata_object(Bytes data) {
  Reader reader(data);
  return enter(reader) ? data.subspan(reader.position()) : Bytes();
}

bool is_on_metadata(Bytes data) {
  Reader reader(data);
  return enter(reader);
}

Metadata summarize(const amf0::Value &object) {
  Metadata metadata;
  metadata.duration = rate_of(object.find("duration"));
  metadata.file_size = rate_of(object.find("filesize"));
  metadata.video_data_rate = rate_of(object.find("videodatarate"));
  metadata.audio_data_rate = rate_of(object.find("audiodatarate"));
  metadata.video_codec = codec_of(object.find("videocodecid"));
  metadata.audio_codec = codec_of(object.find("audiocodecid"));
  metadata.encoder = text_of(object.find("encoder"));
  if (metadata.encoder.empty())
    metadata.encoder = text_of(object.find("metadatacreator"));
  return metadata;
}

IndexFault read_keyframe_index(const amf0::Value &object, std::uint64_t file_size,
                               KeyframeIndex &index) {
  const amf0::Value *keyframes = object.find("keyframes");
  std::vector<double> positions;
  std::vector<double> times;
  if (!keyframes || !list_of(keyframes->find("filepositions"), positions) ||
      !list_of(keyframes->find("times"), times))
    return {IndexFault::Kind::Missing, 0, 0, 0};
  if (positions.size() != times.size())
    return {IndexFault::Kind::Lengths, 0, static_cast<double>(positions.size()),
            static_cast<double>(times.size())};
  if (positions.empty())
    return {IndexFault::Kind::Empty, 0, 0, 0};
  for (double &position : positions)
    position = std::trunc(position);
  if (const IndexFault fault = check(positions, true); fault.kind != IndexFault::Kind::None)
    return fault;
  if (const IndexFault fault = check(times, false); fault.kind != IndexFault::Kind::None)
    return fault;
  const double size = file_size > 0 ? static_cast<double>(file_size) : kMaxPosition;
  if (positions.back() >= size) {
    std::size_t entry = positions.size() - 1;
    while (entry > 0 && positions[entry - 1] >= size)
      --entry;
    return {IndexFault::Kind::BeyondTheFile, entry, positions[entry], size};
  }
  index.positions.assign(positions.size(), 0);
  for (std::size_t i = 0; i < positions.size(); ++i)
    index.positions[i] = static_cast<std::uint64_t>(positions[i]);
  index.times = std::move(times);
  return {};
}

} // namespace flv
