// SPDX-License-Identifier: LGPL-2.1-or-later
#include "amf0.h"
#include "amf0_markers.h"

namespace flv::amf0 {

namespace {

constexpr std::size_t kMaxShortString = 0xFFFF;

class Printer {
public:
  explicit Printer(std::vector<std::uint8_t> &out) : out_(out) {}

  void value(const Value &value) {
    if (!closed_)
      std::visit([this](const auto &data) { print(data); }, value.data);
  }

private:
  void print(const Null &) { out_.u8(kNull); }
  void print(const Undefined &) { out_.u8(kUndefined); }
  void print(const Unsupported &) { out_.u8(kUnsupported); }

  void print(double number) {
    out_.u8(kNumber);
    out_.f64(number);
  }

  void print(bool flag) {
    out_.u8(kBoolean);
    out_.u8(flag ? 1 : 0);
  }

  void print(const std::string &text) {
    if (text.size() > kMaxShortString) {
      out_.u8(kLongString);
      long_text(text);
    } else {
      out_.u8(kString);
      short_text(text);
    }
  }

  void print(const Object &object) {
    out_.u8(kObject);
    members(object.members);
  }

  void print(const EcmaArray &array) {
    out_.u8(kEcmaArray);
    out_.u32(static_cast<std::uint32_t>(array.members.size()));
    members(array.members);
  }

  void print(const TypedObject &object) {
    out_.u8(kTypedObject);
    short_text(object.name);
    members(object.members);
  }

  void print(const StrictArray &array) {
    out_.u8(kStrictArray);
    out_.u32(static_cast<std::uint32_t>(array.items.size()));
    for (const Value &item : array.items)
      value(item);
  }

  void print(const NumberArray &array) {
    out_.u8(kStrictArray);
    out_.u32(static_cast<std::uint32_t>(array.items.size()));
    for (const double item : array.items)
      print(item);
  }

  void print(const Reference &reference) {
    out_.u8(kReference);
    out_.u16(reference.index);
  }

  void print(const Date &date) {
    out_.u8(kDate);
    out_.f64(date.milliseconds);
    out_.u16(static_cast<std::uint16_t>(date.minutes));
  }

  void print(const Xml &xml) {
    out_.u8(kXml);
    long_text(xml.text);
  }

  void print(const Amf3 &amf3) {
    out_.u8(kAmf3);
    out_.bytes(amf3.rest);
    closed_ = true; // the bytes include all later values
  }

  void short_text(std::string_view text) {
    text = text.substr(0, kMaxShortString);
    out_.u16(static_cast<std::uint32_t>(text.size()));
    out_.text(text);
  }

  void long_text(std::string_view text) {
    out_.u32(static_cast<std::uint32_t>(text.size()));
    out_.text(text);
  }

  void members(const std::vector<Member> &list) {
    for (const Member &member : list) {
      short_text(member.name);
      value(member.value);
      if (closed_)
        return;
    }
    short_text({});
    out_.u8(kObjectEnd);
  }

  Writer out_;
  bool closed_ = false;
};

} // namespace

void write(std::vector<std::uint8_t> &out, const Value &value) {
  Printer(out).value(value);
}

void write_all(std::vector<std::uint8_t> &out, const std::vector<Value> &values) {
  Printer printer(out);
  for (const Value &value : values)
    printer.value(value);
}

} // namespace flv::amf0
