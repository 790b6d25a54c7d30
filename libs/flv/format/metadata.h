// SPDX-License-Identifier: LGPL-2.1-or-later
// onMetaData (Video File Format Specification 10.1, E.5), and the keyframe index that producers add
// to it: the member `keyframes` with the lists `filepositions` and `times`.
#pragma once

#include <optional>
#include <string>

#include "amf0.h"
#include "tag.h"

namespace flv {

// The positions of keyframes, as the producer lists them. They are not compared with the file. Both
// lists have the same length, at least 1.
struct KeyframeIndex {
  std::vector<std::uint64_t> positions; // bytes from the start of the file, strictly increasing
  std::vector<double> times;            // seconds, finite and not negative, never decreasing
};

// The reason why an index is not usable, and the wrong entry.
struct IndexFault {
  enum class Kind : std::uint8_t {
    None,
    Missing,       // `keyframes` or one of its lists is missing, or has a wrong type
    Empty,         // both lists are empty
    Lengths,       // value, other: the lengths of the lists
    NotANumber,    // the entry is not a number, or is infinite or NaN
    Negative,      // value: the entry
    NotAscending,  // value, other: the entry and the entry before it
    BeyondTheFile, // value: the position, other: the size of the file
  };
  Kind kind = Kind::None;
  std::size_t entry = 0; // counted from 0
  double value = 0;
  double other = 0;
};

// One line for an error message, with the wrong number.
[[nodiscard]] std::string describe(const IndexFault &fault);

// The common members of onMetaData. A member that is missing or has a wrong type is nullopt or
// empty.
struct Metadata {
  std::optional<double> duration;           // seconds
  std::optional<double> file_size;          // bytes
  std::optional<double> video_data_rate;    // kbit/s
  std::optional<double> audio_data_rate;    // kbit/s
  std::optional<std::uint32_t> video_codec; // CodecID or FourCC
  std::optional<std::uint32_t> audio_codec; // SoundFormat or FourCC
  std::string encoder;                      // "encoder", else "metadatacreator"
};

// Reads the object from the data of an onMetaData script tag. Skips a leading "@setDataFrame",
// which RTMP adds, and the zero byte of an AMF3 script tag.
// Malformed or NeedMore: the event is not onMetaData (see is_on_metadata), or its AMF is invalid or
// truncated.
[[nodiscard]] Status read_on_metadata(Bytes data, amf0::Value &object);

// The bytes of that data from the object on. Empty: the event is not onMetaData.
[[nodiscard]] Bytes on_metadata_object(Bytes data);

// Whether the data of a script tag starts with the name onMetaData. Reads nothing after the name.
[[nodiscard]] bool is_on_metadata(Bytes data);

[[nodiscard]] Metadata summarize(const amf0::Value &object);

// Reads and checks the keyframe index. `file_size` is in bytes; 0: unknown.
[[nodiscard]] IndexFault read_keyframe_index(const amf0::Value &object, std::uint64_t file_size,
                                             KeyframeIndex &index);

} // namespace flv
