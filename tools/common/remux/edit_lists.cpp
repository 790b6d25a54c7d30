// SPDX-License-Identifier: LGPL-2.1-or-later
// ISO 14496-12: 8.2.2 mvhd, 8.4.2 mdhd, 8.4.3 hdlr, 8.6.6 elst.
#include "edit_lists.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "flv/format/codec.h"

namespace remux {

namespace {

using Span = std::span<std::uint8_t>;

constexpr std::size_t kHeader = 8;
constexpr std::size_t kLargestMovie = 256U << 20;
constexpr std::uint32_t kMovie = flv::fourcc("moov");

std::uint64_t load_u64(const std::uint8_t *p) {
  return std::uint64_t{flv::load_u32(p)} << 32 | flv::load_u32(p + 4);
}

struct Box {
  std::uint32_t type = 0;
  Span whole;
  Span content;
};

// The box at the start of `bytes`. nullopt: there is no whole box.
std::optional<Box> first_box(Span bytes) {
  if (bytes.size() < kHeader)
    return std::nullopt;
  std::uint64_t size = flv::load_u32(bytes.data());
  std::size_t header = kHeader;
  if (size == 1 && bytes.size() >= 2 * kHeader) {
    size = load_u64(bytes.data() + kHeader);
    header = 2 * kHeader;
  }
  if (size == 0)
    size = bytes.size();
  if (size < header || size > bytes.size())
    return std::nullopt;
  const Span whole = bytes.first(static_cast<std::size_t>(size));
  return Box{flv::load_u32(bytes.data() + 4), whole, whole.subspan(header)};
}

template <typename Visit> void for_each_box(Span bytes, Visit visit) {
  while (const auto box = first_box(bytes)) {
    visit(*box);
    bytes = bytes.subspan(box->whole.size());
  }
}

// The fields of mvhd and mdhd.
struct Times {
  std::uint32_t scale = 0; // units per second
  std::uint64_t duration = 0;
  std::size_t duration_at = 0;
  bool is_long = false;
};

std::optional<Times> read_times(Span content) {
  constexpr std::size_t kShortSize = 20;
  constexpr std::size_t kLongSize = 32;
  if (content.size() < kShortSize)
    return std::nullopt;
  const std::uint8_t *data = content.data();
  if (data[0] == 0)
    return Times{flv::load_u32(data + 12), flv::load_u32(data + 16), 16, false};
  if (content.size() < kLongSize)
    return std::nullopt;
  return Times{flv::load_u32(data + 20), load_u64(data + 24), 24, true};
}

std::int64_t to_ns(std::int64_t units, std::uint32_t scale) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (scale == 0)
    return 0;
  const std::int64_t whole = units / scale;
  return whole * kSecond + units % scale * kSecond / scale;
}

struct Edit {
  std::uint64_t empty = 0; // units of the movie, before the media
  std::int64_t start = 0;  // units of the media
};

// Later edits are not used.
Edit read_edits(Span content) {
  Edit edit;
  if (content.size() < kHeader)
    return edit;
  const bool is_long = content[0] == 1;
  const std::size_t size = is_long ? 20 : 12;
  const std::size_t count = flv::load_u32(content.data() + 4);
  content = content.subspan(kHeader);
  for (std::size_t i = 0; i < count && content.size() >= size; ++i) {
    const std::uint8_t *data = content.data();
    const std::uint64_t duration = is_long ? load_u64(data) : flv::load_u32(data);
    const auto start = is_long ? static_cast<std::int64_t>(load_u64(data + 8))
                               : static_cast<std::int32_t>(flv::load_u32(data + 4));
    if (start >= 0) {
      edit.start = start;
      break;
    }
    edit.empty += duration;
    content = content.subspan(size);
  }
  return edit;
}

class Movie {
public:
  EditLists take(Span content) {
    for_each_box(content, [this](const Box &box) {
      if (box.type == flv::fourcc("mvhd")) {
        movie_ = box.content;
        movie_times_ = read_times(box.content);
      } else if (box.type == flv::fourcc("trak")) {
        take_track(box.content);
      }
      lists_.is_fragmented |= box.type == flv::fourcc("mvex");
    });
    if (movie_times_ && longest_ > 0)
      extend_durations();
    return std::move(lists_);
  }

private:
  void take_track(Span content) {
    Edit edit;
    std::optional<Times> media;
    EditLists::Track track;
    for_each_box(content, [&](const Box &box) {
      if (box.type == flv::fourcc("edts")) {
        for_each_box(box.content, [&edit](const Box &list) {
          if (list.type == flv::fourcc("elst"))
            edit = read_edits(list.content);
        });
        std::ranges::copy(std::string_view("free"), box.whole.begin() + 4);
      } else if (box.type == flv::fourcc("mdia")) {
        for_each_box(box.content, [&](const Box &inner) {
          if (inner.type == flv::fourcc("mdhd") && (media = read_times(inner.content)))
            media_.emplace_back(inner.content, *media);
          else if (inner.type == flv::fourcc("hdlr") && inner.content.size() >= 12)
            track.handler = flv::load_u32(inner.content.data() + 8);
        });
      }
    });
    if (media) {
      track.shift = -to_ns(edit.start, media->scale);
      longest_ =
          std::max(longest_, to_ns(static_cast<std::int64_t>(media->duration), media->scale));
    }
    if (movie_times_)
      track.shift += to_ns(static_cast<std::int64_t>(edit.empty), movie_times_->scale);
    lists_.tracks.push_back(track);
  }

  // By more than pictures are reordered: the end is compared with presentation times. The tracks
  // get the same duration, because qtdemux leaves out tracks that are much shorter than the movie.
  void extend_durations() {
    lists_.duration = longest_;
    extend(movie_, *movie_times_);
    for (const auto &[content, times] : media_)
      extend(content, times);
  }

  void extend(Span content, const Times &times) const {
    constexpr std::int64_t kSecond = 1'000'000'000;
    constexpr std::int64_t kReserve = 10;
    const auto duration = static_cast<std::uint64_t>(longest_ / kSecond + kReserve) * times.scale;
    std::uint8_t *at = content.data() + times.duration_at;
    if (times.is_long) {
      flv::store_u32(at, static_cast<std::uint32_t>(duration >> 32));
      at += 4;
    }
    if (times.is_long || duration < UINT32_MAX)
      flv::store_u32(at, static_cast<std::uint32_t>(duration));
  }

  EditLists lists_;
  Span movie_;
  std::optional<Times> movie_times_;
  std::vector<std::pair<Span, Times>> media_;
  std::int64_t longest_ = 0; // ns
};

} // namespace

std::int64_t EditLists::shift_of(std::uint32_t handler, std::size_t number) const {
  for (const Track &track : tracks) {
    if (track.handler == handler && number-- == 0)
      return track.shift;
  }
  return 0;
}

EditLists take_edit_lists(std::span<std::uint8_t> movie) {
  const auto box = first_box(movie);
  return box && box->type == kMovie ? Movie().take(box->content) : EditLists();
}

void MovieFinder::reset() {
  held_.clear();
  skip_ = 0;
}

MovieFinder::Found MovieFinder::feed(flv::Bytes bytes) {
  Found found;
  const auto pass = [&](std::size_t size) {
    found.bytes.insert(found.bytes.end(), held_.begin(),
                       held_.begin() + static_cast<std::ptrdiff_t>(size));
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(size));
  };
  held_.insert(held_.end(), bytes.begin(), bytes.end());
  while (!is_done_ && !held_.empty()) {
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, held_.size()));
    pass(skipped);
    skip_ -= skipped;
    if (held_.size() < 2 * kHeader)
      return found;
    std::uint64_t size = flv::load_u32(held_.data());
    if (size == 1)
      size = load_u64(held_.data() + kHeader);
    const bool is_movie = flv::load_u32(held_.data() + 4) == kMovie;
    if (size < kHeader || (is_movie && size > kLargestMovie)) {
      is_done_ = true;
    } else if (!is_movie) {
      skip_ = size;
    } else if (held_.size() < size) {
      return found;
    } else {
      const std::size_t at = found.bytes.size();
      pass(static_cast<std::size_t>(size));
      found.movie = std::span(found.bytes).subspan(at);
      is_done_ = true;
    }
  }
  const bool has_movie = found.movie.has_value();
  const std::size_t at = has_movie ? found.bytes.size() - found.movie->size() : 0;
  const std::size_t size = has_movie ? found.movie->size() : 0;
  pass(held_.size());
  if (has_movie)
    found.movie = std::span(found.bytes).subspan(at, size);
  return found;
}

} // namespace remux
