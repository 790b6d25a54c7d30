// SPDX-License-Identifier: LGPL-2.1-or-later
// The type markers before AMF0 values (AMF 0, 2.1), for the reader and the writer.
#pragma once

#include <cstdint>

namespace flv::amf0 {

enum Marker : std::uint8_t {
  kNumber = 0,
  kBoolean = 1,
  kString = 2,
  kObject = 3,
  kNull = 5,
  kUndefined = 6,
  kReference = 7,
  kEcmaArray = 8,
  kObjectEnd = 9,
  kStrictArray = 10,
  kDate = 11,
  kLongString = 12,
  kUnsupported = 13,
  kXml = 15,
  kTypedObject = 16,
  kAmf3 = 17,
};

} // namespace flv::amf0
