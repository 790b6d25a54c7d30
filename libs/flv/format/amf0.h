// SPDX-License-Identifier: LGPL-2.1-or-later
// AMF0, the data format of script tags. Specifications: Adobe, Action Message Format AMF 0; Video
// File Format Specification 10.1, annex E.4.4.
#pragma once

#include <string>
#include <variant>

#include "bytes.h"

namespace flv::amf0 {

// Limits of the parser. Data over a limit is malformed. Real metadata has four levels and fewer
// than a hundred values, lists of numbers not counted.
inline constexpr unsigned kMaxDepth = 32;
inline constexpr std::size_t kMaxValues = 65536;

struct Member;

// Members are in the order of the data. A name can occur more than once.
struct Object {
  std::vector<Member> members;
  bool operator==(const Object &) const;
};

// An associative array: an object that starts with a member count. The reader ignores the count,
// because it is often wrong. The writer writes the correct count.
struct EcmaArray {
  std::vector<Member> members;
  bool operator==(const EcmaArray &) const;
};

// An object with a class name.
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

// A strict array of one or more numbers and nothing else, such as a list of a keyframe index.
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

// Refers to the object with this index, counted from the start of the message.
struct Reference {
  std::uint16_t index = 0;
  bool operator==(const Reference &) const = default;
};

struct Date {
  double milliseconds = 0;  // since 1970
  std::int16_t minutes = 0; // of the time zone; the specification requires 0
  bool operator==(const Date &) const;
};

struct Xml {
  std::string text;
  bool operator==(const Xml &) const = default;
};

// The switch to AMF3, and all later bytes of the data. They are not parsed and include the end
// markers of enclosing objects.
struct Amf3 {
  std::vector<std::uint8_t> rest;
  bool operator==(const Amf3 &) const = default;
};

// Two values are equal if their encodings are equal: NaN equals NaN.
struct Value {
  std::variant<Null, double, bool, std::string, Object, EcmaArray, StrictArray, NumberArray,
               Undefined, Reference, Date, Unsupported, Xml, TypedObject, Amf3>
      data;

  // The members of an Object, EcmaArray or TypedObject; nullptr for other types.
  [[nodiscard]] const std::vector<Member> *members() const;
  [[nodiscard]] std::vector<Member> *members();
  // The first member with this name, or nullptr. NULs at the end of a member's name are ignored.
  [[nodiscard]] const Value *find(std::string_view name) const;
  [[nodiscard]] Value *find(std::string_view name);

  bool operator==(const Value &) const;
};

struct Member {
  std::string name;
  Value value;
  bool operator==(const Member &) const = default;
};

// Reads one value. Ok: `reader` is after the value. Otherwise: `reader` is at or before the first
// wrong byte. NeedMore: the data ends inside the value. An object without an end marker ends at the
// end of the data.
[[nodiscard]] Status read(Reader &reader, Value &value);

// Reads all values of `data`, the data of a script tag. The first value is the name of the event.
// Ignores one extra object end marker at the end of the data, because some producers write one.
[[nodiscard]] Status read_all(Bytes data, std::vector<Value> &values);

// Appends `value`. Writes strings over 65 535 bytes as long strings. Truncates names to 65 535
// bytes.
void write(std::vector<std::uint8_t> &out, const Value &value);
void write_all(std::vector<std::uint8_t> &out, const std::vector<Value> &values);

} // namespace flv::amf0
