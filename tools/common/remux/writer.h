// SPDX-License-Identifier: LGPL-2.1-or-later
// Writes a container: tracks and samples in, bytes out. Pure functions of their input.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "track.h"

namespace remux {

using Output = std::vector<std::uint8_t>;

class Writer {
public:
  Writer() = default;
  virtual ~Writer() = default;
  Writer(const Writer &) = delete;
  Writer &operator=(const Writer &) = delete;

  // Appends the bytes before the first sample. Clients that join later get them, too. `duration`:
  // ns; nullopt: unknown.
  virtual void begin(const std::vector<Track> &tracks, std::optional<std::int64_t> duration,
                     Output &out) = 0;
  // Appends the bytes of one sample. The decoding times of a track never decrease. Returns whether
  // a client can join at these bytes.
  [[nodiscard]] virtual bool write(const Sample &sample, Output &out) = 0;
  // Adds a track after the last one. Returns false if the container lists all tracks at its start.
  [[nodiscard]] virtual bool add(const Track &track, Output &out) = 0;
  // The track's configuration changes before the next sample.
  virtual void change(std::size_t index, const Track &track, Output &out) = 0;
  // Appends the bytes after the last sample.
  virtual void end(Output &out) = 0;
};

[[nodiscard]] std::unique_ptr<Writer> make_flv_writer();
[[nodiscard]] std::unique_ptr<Writer> make_matroska_writer(Format format);
[[nodiscard]] std::unique_ptr<Writer> make_ts_writer();
[[nodiscard]] std::unique_ptr<Writer> make_ogg_writer();
[[nodiscard]] std::unique_ptr<Writer> make_mp3_writer();
[[nodiscard]] std::unique_ptr<Writer> make_writer(Format format);

} // namespace remux
