// SPDX-License-Identifier: LGPL-2.1-or-later
// The input is the data of a script tag.
#include "fuzz.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "flv/format/amf0_edit.h"
#include "flv/format/metadata.h"

using namespace flv;
using amf0::Value;

namespace {

// A value that is read and written is equal when it is read again, to the last byte.
void check_one(Bytes input) {
  Reader reader(input);
  Value value;
  if (amf0::read(reader, value) != Status::Ok)
    return;
  REQUIRE(reader.position() > 0);
  std::vector<std::uint8_t> written;
  amf0::write(written, value);
  Reader again(written);
  Value back;
  REQUIRE(amf0::read(again, back) == Status::Ok);
  REQUIRE(again.at_end());
  REQUIRE(back == value);
}

// The edit of an encoded object has the same result as that of the decoded object.
void check_edit(Bytes input) {
  Reader reader(input);
  Value value;
  const bool is_object = amf0::read(reader, value) == Status::Ok && value.members();
  for (const char *name : {"a", "keyframes", "duration"}) {
    const std::vector<std::uint8_t> before{1, 2, 3};
    std::vector<std::uint8_t> out = before;
    const Status status = amf0::edit(input, {{name, {amf0::Null{}}}}, out);
    REQUIRE(std::equal(before.begin(), before.end(), out.begin()));
    if (status != Status::Ok)
      REQUIRE(out.size() == before.size());
    if (!is_object)
      continue;
    REQUIRE(status == Status::Ok);
    Value expected = value;
    auto &members = *expected.members();
    const Value *first = expected.find(name);
    if (!first)
      members.insert(members.begin(), {name, {}});
    bool is_first = true;
    std::erase_if(members, [&](amf0::Member &member) {
      const std::string_view text(member.name.c_str());
      const bool padded = member.name.find_first_not_of('\0', text.size()) == std::string::npos;
      if (text != name || !padded)
        return false;
      member.value.data = amf0::Null{};
      return !std::exchange(is_first, false);
    });
    Reader again(Bytes(out).subspan(before.size()));
    Value back;
    REQUIRE(amf0::read(again, back) == Status::Ok);
    REQUIRE(back == expected);
  }
}

Status check_all(Bytes input) {
  std::vector<Value> values;
  const Status status = amf0::read_all(input, values);
  std::vector<std::uint8_t> written;
  amf0::write_all(written, values);
  std::vector<Value> back;
  if (status == Status::Ok) {
    REQUIRE(amf0::read_all(written, back) == Status::Ok);
    REQUIRE(back == values);
  }
  return status;
}

void check_index(const Value &object, std::uint64_t file_size) {
  KeyframeIndex index;
  const IndexFault fault = read_keyframe_index(object, file_size, index);
  REQUIRE(!describe(fault).empty());
  if (fault.kind != IndexFault::Kind::None) {
    REQUIRE(index.positions.empty() && index.times.empty());
    return;
  }
  REQUIRE(!index.positions.empty() && index.positions.size() == index.times.size());
  REQUIRE(file_size == 0 || index.positions.back() < file_size);
  for (std::size_t i = 0; i < index.times.size(); ++i) {
    REQUIRE(std::isfinite(index.times[i]) && index.times[i] >= 0);
    REQUIRE(i == 0 || index.positions[i] > index.positions[i - 1]);
    REQUIRE(i == 0 || index.times[i] >= index.times[i - 1]);
  }
}

void check_metadata(Bytes input) {
  Value object;
  const Status status = read_on_metadata(input, object);
  REQUIRE(status != Status::Ok || is_on_metadata(input));
  if (status != Status::Ok)
    return;
  const Metadata metadata = summarize(object);
  for (const auto &number : {metadata.duration, metadata.video_data_rate, metadata.audio_data_rate})
    REQUIRE(!number || (std::isfinite(*number) && *number > 0));
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{100'000}})
    check_index(object, size);
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const Bytes input(data, size);
  check_one(input);
  check_edit(input);
  check_metadata(input);
  const Status status = check_all(input);
  // Malformed data stays malformed, whatever data follows it.
  if (size > 0 && check_all(input.first(size / 2)) == Status::Malformed)
    REQUIRE(status == Status::Malformed);
  return 0;
}
