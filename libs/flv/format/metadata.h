// SPDX-License-Identifier: LGPL-2.1-or-later
// onMetaData (Video File Format Specification 10.1, E.5) and the keyframe index that producers put
// into it: `keyframes`, with the lists `filepositions` and `times`.
#pragma once

#include <optional>
#include <string>

#include "amf0.h"
#include "tag.h"

namespace flv {

// Where key frames stand, as the producer says: nothing here was held against the file. Both lists
// have the same length, at least 1.
struct KeyframeIndex {
  std::vector<std::uint64_t> positions; // bytes from the start of the file, strictly increasing
  std::vector<double> times;            // seconds, finite and not negative, never decreasing
};

// Why there is no usable index, with the entry that was wrong.
struct IndexFault {
  enum class Kind : std::uint8_t {
    None,
    Missing,       // no `keyframes`, or one of its lists is missing or no list
    Empty,         // both lists are empty
    Lengths,       // value, other: their lengths
    NotANumber,    // the entry is no number, infinite or NaN
    Negative,      // value: the entry's number
    NotAscending,  // value, other: the entry's number and the one before it
    BeyondTheFile, // value: the position, other: the size of the file
  };
  Kind kind = Kind::None;
  std::size_t entry = 0; // counted from 0
  double value = 0;
  double other = 0;
};

// One line for people, with the number that was wrong.
[[nodiscard]] std::string describe(const IndexFault &fault);

// What the usual members of onMetaData say. Whatever is missing, or of another type than it should
// be, is nullopt or empty.
struct Metadata {
  std::optional<double> duration;           // seconds
  std::optional<double> file_size;          // bytes
  std::optional<double> video_data_rate;    // kbit/s
  std::optional<double> audio_data_rate;    // kbit/s
  std::optional<std::uint32_t> video_codec; // CodecID or FourCC
  std::optional<std::uint32_t> audio_codec; // SoundFormat or FourCC
  std::string encoder;                      // "encoder", else "metadatacreator"
};

// The object of an onMetaData script tag, from the tag's data. A leading "@setDataFrame", as RTMP
// carries it, and the zero byte of an AMF3 script tag are passed over.
// Malformed or NeedMore: it is another event (see is_on_metadata), or its AMF cannot be read.
[[nodiscard]] Status read_on_metadata(Bytes data, amf0::Value &object);

// Whether a script tag's data begins an onMetaData event. Nothing behind its name is looked at.
[[nodiscard]] bool is_on_metadata(Bytes data);

[[nodiscard]] Metadata summarize(const amf0::Value &object);

// Reads and checks the keyframe index. `file_size` in bytes, 0 where it is unknown.
[[nodiscard]] IndexFault read_keyframe_index(const amf0::Value &object, std::uint64_t file_size,
                                             KeyframeIndex &index);

} // namespace flv
