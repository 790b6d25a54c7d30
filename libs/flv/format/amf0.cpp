// SPDX-License-Identifier: LGPL-2.1-or-later
#include "amf0.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "amf0_markers.h"

namespace flv::amf0 {

namespace {

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// A recursive descent parser. Limits for the depth and the number of values bound the stack and the
// memory that hostile data can use. A declared count is only compared with the bytes that are left.
class Parser {
public:
  explicit Parser(Reader &reader) : reader_(reader) {}

  Status value(Value &out, unsigned depth) {
    if (depth > kMaxDepth || ++values_ > kMaxValues)
      return Status::Malformed;
    std::uint8_t marker = 0;
    if (!reader_.u8(marker))
      return Status::NeedMore;
    switch (marker) {
    case kNumber:
      return number(out.data.emplace<double>());
    case kBoolean:
      return boolean(out.data.emplace<bool>());
    case kString:
      return short_text(out.data.emplace<std::string>());
    case kObject:
      return members(out.data.emplace<Object>().members, depth);
    case kNull:
      out.data.emplace<Null>();
      return Status::Ok;
    case kUndefined:
      out.data.emplace<Undefined>();
      return Status::Ok;
    case kReference:
      return reference(out.data.emplace<Reference>());
    case kEcmaArray:
      if (!reader_.skip(4))
        return Status::NeedMore;
      return members(out.data.emplace<EcmaArray>().members, depth);
    case kStrictArray:
      return strict_array(out, depth);
    case kDate:
      return date(out.data.emplace<Date>());
    case kLongString:
      return long_text(out.data.emplace<std::string>());
    case kUnsupported:
      out.data.emplace<Unsupported>();
      return Status::Ok;
    case kXml:
      return long_text(out.data.emplace<Xml>().text);
    case kTypedObject: {
      auto &object = out.data.emplace<TypedObject>();
      if (const Status status = short_text(object.name); status != Status::Ok)
        return status;
      return members(object.members, depth);
    }
    case kAmf3:
      return rest(out.data.emplace<Amf3>().rest);
    default:
      return Status::Malformed;
    }
  }

private:
  Status number(double &out) { return reader_.f64(out) ? Status::Ok : Status::NeedMore; }

  Status boolean(bool &out) {
    std::uint8_t raw = 0;
    if (!reader_.u8(raw))
      return Status::NeedMore;
    out = raw != 0;
    return Status::Ok;
  }

  Status text(std::size_t size, std::string &out) {
    Bytes raw;
    if (!reader_.bytes(size, raw))
      return Status::NeedMore;
    out.assign(raw.begin(), raw.end());
    return Status::Ok;
  }

  Status short_text(std::string &out) {
    std::uint32_t size = 0;
    return reader_.u16(size) ? text(size, out) : Status::NeedMore;
  }

  Status long_text(std::string &out) {
    std::uint32_t size = 0;
    return reader_.u32(size) ? text(size, out) : Status::NeedMore;
  }

  Status reference(Reference &out) {
    std::uint32_t index = 0;
    if (!reader_.u16(index))
      return Status::NeedMore;
    out.index = static_cast<std::uint16_t>(index);
    return Status::Ok;
  }

  Status date(Date &out) {
    std::uint32_t minutes = 0;
    if (!reader_.f64(out.milliseconds) || !reader_.u16(minutes))
      return Status::NeedMore;
    out.minutes = static_cast<std::int16_t>(minutes);
    return Status::Ok;
  }

  Status rest(std::vector<std::uint8_t> &out) {
    Bytes raw;
    if (!reader_.bytes(reader_.left(), raw))
      return Status::NeedMore;
    out.assign(raw.begin(), raw.end());
    return Status::Ok;
  }

  // An empty name and an end marker end the object. Without an end marker, the end of the data ends
  // it. An empty name before another marker is the name of a member.
  Status members(std::vector<Member> &out, unsigned depth) {
    while (!reader_.at_end()) {
      Member member;
      if (const Status status = short_text(member.name); status != Status::Ok)
        return status;
      if (member.name.empty()) {
        Reader ahead = reader_;
        std::uint8_t marker = 0;
        if (!ahead.u8(marker))
          return Status::Ok;
        if (marker == kObjectEnd) {
          reader_ = ahead;
          return Status::Ok;
        }
      }
      if (const Status status = value(member.value, depth + 1); status != Status::Ok)
        return status;
      out.push_back(std::move(member));
    }
    return Status::Ok;
  }

  Status strict_array(Value &out, unsigned depth) {
    std::uint32_t count = 0;
    if (!reader_.u32(count))
      return Status::NeedMore;
    // A value has at least one byte, its marker.
    if (count > reader_.left())
      return Status::NeedMore;
    NumberArray numbers;
    while (numbers.items.size() < count) {
      Reader ahead = reader_;
      std::uint8_t marker = 0;
      double item = 0;
      if (!ahead.u8(marker))
        return Status::NeedMore;
      if (marker != kNumber)
        break;
      if (!ahead.f64(item))
        return Status::NeedMore;
      numbers.items.push_back(item);
      reader_ = ahead;
    }
    if (count > 0 && numbers.items.size() == count) {
      out.data = std::move(numbers);
      return Status::Ok;
    }
    auto &items = out.data.emplace<StrictArray>().items;
    values_ += numbers.items.size();
    if (values_ > kMaxValues)
      return Status::Malformed;
    for (const double item : numbers.items)
      items.push_back({item});
    while (items.size() < count) {
      Value item;
      if (const Status status = value(item, depth + 1); status != Status::Ok)
        return status;
      items.push_back(std::move(item));
    }
    return Status::Ok;
  }

  Reader &reader_;
  std::size_t values_ = 0;
};

std::string_view unpadded(std::string_view name) {
  while (!name.empty() && name.back() == '\0')
    name.remove_suffix(1);
  return name;
}

} // namespace

bool Object::operator==(const Object &) const = default;
bool EcmaArray::operator==(const EcmaArray &) const = default;
bool TypedObject::operator==(const TypedObject &) const = default;
bool StrictArray::operator==(const StrictArray &) const = default;

bool NumberArray::operator==(const NumberArray &other) const {
  return std::equal(items.begin(), items.end(), other.items.begin(), other.items.end(), same);
}

bool Date::operator==(const Date &other) const {
  return same(milliseconds, other.milliseconds) && minutes == other.minutes;
}

bool Value::operator==(const Value &other) const {
  const auto *number = std::get_if<double>(&data);
  const auto *other_number = std::get_if<double>(&other.data);
  if (number && other_number)
    return same(*number, *other_number);
  return data == other.data;
}

const std::vector<Member> *Value::members() const {
  if (const auto *object = std::get_if<Object>(&data))
    return &object->members;
  if (const auto *array = std::get_if<EcmaArray>(&data))
    return &array->members;
  if (const auto *typed = std::get_if<TypedObject>(&data))
    return &typed->members;
  return nullptr;
}

std::vector<Member> *Value::members() {
  return const_cast<std::vector<Member> *>(std::as_const(*this).members());
}

const Value *Value::find(std::string_view name) const {
  const auto *list = members();
  if (!list)
    return nullptr;
  const auto found = std::find_if(list->begin(), list->end(), [name](const Member &member) {
    return unpadded(member.name) == name;
  });
  return found == list->end() ? nullptr : &found->value;
}

Value *Value::find(std::string_view name) {
  return const_cast<Value *>(std::as_const(*this).find(name));
}

Status read(Reader &reader, Value &value) {
  return Parser(reader).value(value, 0);
}

Status read_all(Bytes data, std::vector<Value> &values) {
  Reader reader(data);
  Parser parser(reader);
  while (!reader.at_end()) {
    Reader ahead = reader;
    std::uint32_t marker = 0;
    if (ahead.u24(marker) && marker == kObjectEnd && ahead.at_end())
      return Status::Ok;
    Value value;
    if (const Status status = parser.value(value, 0); status != Status::Ok)
      return status;
    values.push_back(std::move(value));
  }
  return Status::Ok;
}

} // namespace flv::amf0
