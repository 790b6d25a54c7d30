// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes members of an encoded AMF0 object without decoding and encoding the others.
#pragma once

#include <string>
#include <vector>

#include "amf0.h"

namespace flv::amf0 {

// The new value of a member. If the object has no member with this name, it is added.
struct Edit {
  std::string name;
  Value value;
};

// Appends `object` to `out`, with the edits. `object` starts with an Object, EcmaArray or
// TypedObject, and can continue with other data. These bytes change:
//  - The first member with the name of an edit gets the new value. NULs at the end of its name are
//    ignored, but kept. Other members with that name are removed.
//  - A member that is added is the first one.
//  - The count of an EcmaArray is that of its members.
//  - A missing end marker is added, unless it would become a part of the last member: of an AMF3
//    value, which includes all later bytes, or of an object that also lacks its end marker.
//
// Ok: `object` was appended. Otherwise it is malformed or truncated, and `out` is unchanged.
[[nodiscard]] Status edit(Bytes object, const std::vector<Edit> &edits,
                          std::vector<std::uint8_t> &out);

} // namespace flv::amf0
