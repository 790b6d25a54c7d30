// SPDX-License-Identifier: LGPL-2.1-or-later
// Computes decoding times from presentation times, for containers that store only the latter.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace remux {

// The decoding times are the presentation times in ascending order, delayed by the reorder depth,
// so that no picture is presented before it is decoded. The delay is before the first picture,
// which gets a decoding time before its presentation time.
class DtsRestorer {
public:
  // `depth`: the reorder depth; nullopt: it is measured at the start of the stream. `duration`: ns
  // of a picture; 0: unknown.
  DtsRestorer(std::optional<std::size_t> depth, std::int64_t duration)
      : depth_(depth), duration_(duration) {}

  // The next picture in decoding order. Appends the decoding times that are known now, of this
  // picture and of earlier ones, in decoding order.
  void push(std::int64_t pts, std::vector<std::int64_t> &dts);
  // Appends the decoding times of all other pictures.
  void finish(std::vector<std::int64_t> &dts);

private:
  void begin(std::vector<std::int64_t> &dts);
  void append(std::int64_t pts, std::vector<std::int64_t> &dts);
  [[nodiscard]] std::size_t measured_depth() const;
  [[nodiscard]] std::int64_t shortest_step() const;

  std::optional<std::size_t> depth_;
  std::int64_t duration_;
  std::vector<std::int64_t> start_; // the first pictures, until the depth is known
  bool has_begun_ = false;
  std::multiset<std::int64_t> waiting_; // presentation times that are not used yet
  std::optional<std::int64_t> last_;
};

} // namespace remux
