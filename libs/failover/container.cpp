// SPDX-License-Identifier: LGPL-2.1-or-later
#include "container.h"

#include <algorithm>
#include <string_view>

#include "flv/format/other_format.h"
#include "mpegts_packet.h"

namespace failover {

using namespace std::string_view_literals;

namespace {

constexpr std::size_t kSureOfPackets = 4; // consecutive sync bytes that show a transport stream

Detection known(Container container) {
  return {.kind = Detection::Kind::Known, .container = container, .other = {}};
}

} // namespace

const char *name_of(Container container) {
  switch (container) {
  case Container::Flv:
    return "FLV";
  case Container::MpegTs:
    return "MPEG-TS";
  case Container::Matroska:
    return "Matroska";
  }
  return "";
}

std::string names_of(ContainerSet set) {
  std::string names;
  for (const Container container : {Container::Flv, Container::MpegTs, Container::Matroska}) {
    if (set.contains(container))
      names.append(names.empty() ? "" : " or ").append(name_of(container));
  }
  return names;
}

std::optional<std::size_t> find_packet(Bytes bytes, std::size_t packets) {
  for (std::size_t first = 0; first < kPacketSize; first++) {
    if (bytes.size() < first + (packets - 1) * kPacketSize + 1)
      return std::nullopt;
    bool synced = true;
    for (std::size_t packet = 0; packet < packets && synced; packet++)
      synced = bytes[first + packet * kPacketSize] == kSyncByte;
    if (synced)
      return first;
  }
  return std::nullopt;
}

Detection detect(Bytes start) {
  const std::string_view text(reinterpret_cast<const char *>(start.data()), start.size());
  constexpr std::string_view kFlv = "FLV"sv;
  constexpr std::string_view kEbml = "\x1A\x45\xDF\xA3"sv;
  if (text.starts_with(kFlv))
    return known(Container::Flv);
  if (text.starts_with(kEbml))
    return known(Container::Matroska);
  if (kFlv.starts_with(text) || kEbml.starts_with(text))
    return {};
  if (find_packet(start, kSureOfPackets))
    return known(Container::MpegTs);
  const std::string_view other = flv::other_format(start);
  const bool is_other = !other.empty() && other != "MPEG-TS"sv;
  if (!is_other && start.size() < kDetectionBytes)
    return {};
  return {.kind = Detection::Kind::Unknown,
          .container = Container::Flv,
          .other = std::string(is_other ? other : ""sv)};
}

} // namespace failover
