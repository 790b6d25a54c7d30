// SPDX-License-Identifier: LGPL-2.1-or-later
// Splits FLV into elementary streams, with enhanced FLV and negative composition times, which
// flvdemux of GStreamer 1.22 does not read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flv/stream/splitter.h"
#include "flv_payload.h"
#include "host.h"

namespace remux {

class FlvDemux final : public Body {
public:
  // `element` is borrowed. Adds its sink pad. Its src pads come later, and then no-more-pads.
  explicit FlvDemux(GstElement *element);
  void stop() override {}

private:
  struct Stream {
    GstPad *pad = nullptr; // borrowed from the element
    std::optional<Codec> codec;
    std::vector<std::uint8_t> config;
    GstFlowReturn flow = GST_FLOW_OK;
  };
  // Signalled: no-more-pads.
  enum class Pads { Growing, Signalled };

  static GstFlowReturn on_buffer(GstPad *pad, GstObject *parent, GstBuffer *buffer) noexcept;
  static gboolean on_event(GstPad *pad, GstObject *parent, GstEvent *event) noexcept;

  [[nodiscard]] GstFlowReturn take(flv::Bytes bytes);
  [[nodiscard]] GstFlowReturn take_items(const std::vector<flv::Item> &items);
  [[nodiscard]] GstFlowReturn take_tag(const flv::TagHeader &header, flv::Bytes data);
  void take_metadata(flv::Bytes data);
  void take_config(Stream &stream, const FlvPayload &payload, bool is_video);
  void add_pad(Stream &stream, const FlvPayload &payload, bool is_video);
  void send_caps(Stream &stream, const FlvPayload &payload);
  void push_event(GstEvent *event); // takes it
  void finish();
  void flush();
  void check_pads();
  [[nodiscard]] std::int64_t unwrap(std::uint32_t timestamp);
  [[nodiscard]] GstFlowReturn combined_flow() const;

  GstElement *element_;
  flv::Splitter splitter_;
  std::vector<std::uint8_t> bytes_; // from begin_ on
  std::uint64_t begin_ = 0;
  flv::FileHeader file_;
  Stream video_;
  Stream audio_;
  Pads pads_ = Pads::Growing;
  std::optional<std::int64_t> first_time_; // ms
  std::optional<std::int64_t> last_time_;  // ms
  int width_ = 0;                          // in onMetaData
  int height_ = 0;
  double frame_rate_ = 0;
};

} // namespace remux
