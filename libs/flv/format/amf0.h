// SPDX-License-Identifier: LGPL-2.1-or-later
// AMF0, the data format of script tags: Adobe, Action Message Format AMF 0, and annex E.4.4 of the
// Video File Format Specification 10.1.
#pragma once

#include <string>
#include <variant>

#include "bytes.h"

namespace flv::amf0 {

// The bounds of what is read: deeper or larger data is malformed, however well it is written. Real
// metadata is four levels deep and has less than a hundred values beside its lists of numbers.
inline constexpr unsigned kMaxDepth = 32;
inline constexpr std::size_t kMaxValues = 65536;

struct Member;

// Names in the order in which they stand; a name may stand twice.
struct Object {
  std::vector<Member> members;
  bool operator==(const Object &) const;
};

// An associative array: an object with a count in front. The count is often wrong; it is ignored
// when read and right when written.
struct EcmaArray {
  std::vector<Member> members;
  bool operator==(const EcmaArray &) const;
};

// An object with the name of its class.
struct TypedObject {
  std::string name;
  std::vector<Member> members;
  bool operator==(const TypedObject &) const;
};

struct Value;

struct StrictArray {
  std::vector<Value> items;
  bool operator==(const StrictArray &) const;
};

// A strict array that holds numbers only, and at least one: the lists of a keyframe index.
struct NumberArray {
  std::vector<double> items;
  bool operator==(const NumberArray &) const;
};

struct Null {
  bool operator==(const Null &) const = default;
};

struct Undefined {
  bool operator==(const Undefined &) const = default;
};

struct Unsupported {
  bool operator==(const Unsupported &) const = default;
};

// Points at the object with this number, counted from the start of the message.
struct Reference {
  std::uint16_t index = 0;
  bool operator==(const Reference &) const = default;
};

struct Date {
  double milliseconds = 0;  // since 1970
  std::int16_t minutes = 0; // of the time zone; the specification wants 0
  bool operator==(const Date &) const;
};

struct Xml {
  std::string text;
  bool operator==(const Xml &) const = default;
};

// The switch to AMF3. What follows is not read: these are all the bytes to the end of the data,
// ends of enclosing objects included.
struct Amf3 {
  std::vector<std::uint8_t> rest;
  bool operator==(const Amf3 &) const = default;
};

// NaN equals NaN here: two values are equal if they are written alike.
struct Value {
  std::variant<Null, double, bool, std::string, Object, EcmaArray, StrictArray, NumberArray,
               Undefined, Reference, Date, Unsupported, Xml, TypedObject, Amf3>
      data;

  // The members of an object of whatever kind; nullptr for all else.
  [[nodiscard]] const std::vector<Member> *members() const;
  [[nodiscard]] std::vector<Member> *members();
  // The first member of that name, trailing NULs of padded names aside; nullptr if there is none.
  [[nodiscard]] const Value *find(std::string_view name) const;
  [[nodiscard]] Value *find(std::string_view name);

  bool operator==(const Value &) const;
};

struct Member {
  std::string name;
  Value value;
  bool operator==(const Member &) const = default;
};

// Reads one value. `reader` stands behind it afterwards; when the answer is not Ok, at or before
// the byte that was wrong. The end of the data also ends an object that lacks its end marker.
// NeedMore: the data ends inside the value.
[[nodiscard]] Status read(Reader &reader, Value &value);

// Reads `data` to its end: the values of a script tag, its name first. One object end that is left
// over behind them is passed over, for some producers write one too many.
[[nodiscard]] Status read_all(Bytes data, std::vector<Value> &values);

// Appends `value`. Strings over 65 535 bytes are written as long strings, and names are cut there.
void write(std::vector<std::uint8_t> &out, const Value &value);
void write_all(std::vector<std::uint8_t> &out, const std::vector<Value> &values);

} // namespace flv::amf0
