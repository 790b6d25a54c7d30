// SPDX-License-Identifier: LGPL-2.1-or-later
#include "amf0_edit.h"

#include <algorithm>

#include "amf0_markers.h"

namespace flv::amf0 {

namespace {

// A member in the object's bytes: its name, then its value.
struct Found {
  std::string name; // without NULs at its end
  std::size_t begin = 0;
  std::size_t value = 0;
  std::size_t end = 0;
};

struct Layout {
  std::size_t count = 0; // the position of the member count; 0: the object has none
  std::size_t first = 0; // the position of the first member
  std::vector<Found> members;
  std::size_t end = 0; // of the last member
  bool has_end_marker = false;
};

// Moves `reader` behind the marker of the object, its class name and its count.
Status enter(Reader &reader, Layout &layout) {
  std::uint8_t marker = 0;
  std::uint32_t size = 0;
  if (!reader.u8(marker))
    return Status::NeedMore;
  switch (marker) {
  case kObject:
    break;
  case kEcmaArray:
    layout.count = reader.position();
    if (!reader.skip(4))
      return Status::NeedMore;
    break;
  case kTypedObject:
    if (!reader.u16(size) || !reader.skip(size))
      return Status::NeedMore;
    break;
  default:
    return Status::Malformed;
  }
  layout.first = reader.position();
  return Status::Ok;
}

bool is_end_marker(Reader reader) {
  std::uint32_t marker = 0;
  return reader.u24(marker) && marker == kObjectEnd;
}

// The data can end inside the end marker.
bool is_cut_end_marker(Reader reader) {
  std::uint32_t name = 0;
  return reader.left() == 2 && reader.u16(name) && name == 0;
}

// Whether the value would include bytes that follow it: an AMF3 value, or an object without an end
// marker.
bool is_open(Bytes value) {
  std::vector<std::uint8_t> longer(value.begin(), value.end());
  Writer(longer).u24(kObjectEnd);
  Reader reader(longer);
  Value again;
  return read(reader, again) != Status::Ok || reader.position() != value.size();
}

Status read_member(Reader &reader, Found &member) {
  member.begin = reader.position();
  std::uint32_t size = 0;
  Bytes name;
  if (!reader.u16(size) || !reader.bytes(size, name))
    return Status::NeedMore;
  while (!name.empty() && name.back() == 0)
    name = name.first(name.size() - 1);
  member.name.assign(name.begin(), name.end());
  member.value = reader.position();
  Value value;
  const Status status = read(reader, value);
  member.end = reader.position();
  return status;
}

Status read_layout(Bytes object, Layout &layout) {
  Reader reader(object);
  if (const Status status = enter(reader, layout); status != Status::Ok)
    return status;
  while (!reader.at_end() && !is_end_marker(reader) && !is_cut_end_marker(reader)) {
    Found member;
    if (const Status status = read_member(reader, member); status != Status::Ok)
      return status;
    if (layout.members.size() == kMaxValues)
      return Status::Malformed;
    layout.members.push_back(std::move(member));
  }
  layout.end = reader.position();
  layout.has_end_marker = is_end_marker(reader);
  return Status::Ok;
}

void append(std::vector<std::uint8_t> &out, Bytes object, std::size_t begin, std::size_t end) {
  Writer(out).bytes(object.subspan(begin, end - begin));
}

void append_member(std::vector<std::uint8_t> &out, const Edit &edit) {
  const std::string_view name = std::string_view(edit.name).substr(0, 0xFFFF);
  Writer writer(out);
  writer.u16(static_cast<std::uint32_t>(name.size()));
  writer.text(name);
  write(out, edit.value);
}

// Whether the last member stays, and would include an end marker that follows it.
bool keeps_open_end(Bytes object, const Layout &layout, const std::vector<Edit> &edits) {
  if (layout.members.empty())
    return false;
  const Found &last = layout.members.back();
  return std::ranges::find(edits, last.name, &Edit::name) == edits.end() &&
         is_open(object.subspan(last.value, last.end - last.value));
}

} // namespace

Status edit(Bytes object, const std::vector<Edit> &edits, std::vector<std::uint8_t> &out) {
  Layout layout;
  if (const Status status = read_layout(object, layout); status != Status::Ok)
    return status;
  const std::size_t begin = out.size();
  append(out, object, 0, layout.first);
  std::uint32_t count = 0;
  for (const Edit &edit : edits) {
    if (std::ranges::find(layout.members, edit.name, &Found::name) != layout.members.end())
      continue;
    append_member(out, edit);
    ++count;
  }
  std::vector<bool> is_done(edits.size());
  for (const Found &member : layout.members) {
    const auto edit = std::ranges::find(edits, member.name, &Edit::name);
    if (edit == edits.end()) {
      append(out, object, member.begin, member.end);
      ++count;
      continue;
    }
    const auto index = static_cast<std::size_t>(edit - edits.begin());
    if (is_done[index])
      continue;
    is_done[index] = true;
    append(out, object, member.begin, member.value);
    write(out, edit->value);
    ++count;
  }
  if (layout.count > 0)
    store_u32(&out[begin + layout.count], count);
  if (layout.has_end_marker)
    append(out, object, layout.end, object.size());
  else if (!keeps_open_end(object, layout, edits))
    Writer(out).u24(kObjectEnd);
  return Status::Ok;
}

} // namespace flv::amf0
