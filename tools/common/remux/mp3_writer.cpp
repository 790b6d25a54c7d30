// SPDX-License-Identifier: LGPL-2.1-or-later
// MP3 has no container: the frames follow each other.
#include "writer.h"

#include <optional>

namespace remux {

namespace {

class Mp3Writer final : public Writer {
public:
  void begin(const std::vector<Track> &, std::optional<std::int64_t>, Output &) override {}
  bool write(const Sample &sample, Output &out) override {
    out.insert(out.end(), sample.data.begin(), sample.data.end());
    return true;
  }
  bool add(const Track &, Output &) override { return false; }
  void change(std::size_t, const Track &, Output &) override {}
  void end(Output &) override {}
};

} // namespace

std::unique_ptr<Writer> make_mp3_writer() {
  return std::make_unique<Mp3Writer>();
}

std::unique_ptr<Writer> make_writer(Format format) {
  switch (format) {
  case Format::Flv:
    return make_flv_writer();
  case Format::Matroska:
  case Format::WebM:
    return make_matroska_writer(format);
  case Format::MpegTs:
    return make_ts_writer();
  case Format::Ogg:
    return make_ogg_writer();
  case Format::Mp3:
    break;
  }
  return make_mp3_writer();
}

} // namespace remux
