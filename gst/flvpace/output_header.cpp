// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output_header.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/state_change.h"

GST_DEBUG_CATEGORY_EXTERN(gst_flv_pace_debug);
#define GST_CAT_DEFAULT gst_flv_pace_debug

namespace flvpace {

using gstflv::BufferPtr;

void OutputHeader::set_state(State next) {
  gstflv::change_state<Transitions>(GST_CAT_DEFAULT, element_, "OutputHeader", state_,
                                    std::move(next));
}

void OutputHeader::clear() {
  if (auto *missing = std::get_if<Missing>(&state_))
    *missing = {};
  else
    set_state(Missing{});
  stream_header_.clear();
}

void OutputHeader::set_joining(bool joins) {
  if (auto *missing = std::get_if<Missing>(&state_))
    missing->joins = joins;
}

void OutputHeader::set_caps_header(std::vector<BufferPtr> header) {
  std::get<Missing>(state_).from_caps = std::move(header);
}

bool OutputHeader::can_join(flv::Bytes start) const {
  constexpr std::array<std::uint8_t, 3> kSignature = {'F', 'L', 'V'};
  const auto *missing = std::get_if<Missing>(&state_);
  const std::size_t size = std::min(start.size(), kSignature.size());
  return missing && (missing->joins || !missing->from_caps.empty()) &&
         !std::equal(kSignature.begin(), kSignature.begin() + static_cast<std::ptrdiff_t>(size),
                     start.begin());
}

std::vector<BufferPtr> OutputHeader::create() {
  std::vector<BufferPtr> from_caps = std::move(std::get<Missing>(state_).from_caps);
  announced_ = {.has_audio = true, .has_video = true};
  set_state(Provisional{});
  return from_caps;
}

void OutputHeader::announce(bool has_audio, bool has_video) {
  const flv::FileHeader header{.has_audio = has_audio, .has_video = has_video};
  const auto bytes = flv::write_file_header(header);
  set_unsent(header, BufferPtr(gst_buffer_new_memdup(bytes.data(), bytes.size())));
}

void OutputHeader::receive(const flv::FileHeader &header, BufferPtr buffer) {
  set_unsent(header, std::move(buffer));
}

void OutputHeader::set_unsent(const flv::FileHeader &header, BufferPtr buffer) {
  announced_ = header;
  GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_DELTA_UNIT);
  stream_header_.set_file_header(gstflv::MappedBuffer(buffer.get()).bytes());
  set_state(Unsent{std::move(buffer)});
}

GstBuffer *OutputHeader::unsent() const {
  const auto *unsent = std::get_if<Unsent>(&state_);
  return unsent ? unsent->buffer.get() : nullptr;
}

} // namespace flvpace
