// SPDX-License-Identifier: LGPL-2.1-or-later
// Viewers that write into memory, and whether what they wrote is the stream that they are for.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "fanout/client_cursor.h"
#include "frames.h"
#include "split.h"

namespace flvtest {

class Audience {
public:
  Audience(fanout::Framing framing, const fanout::Backlog &backlog) : cursor(framing, backlog) {}

  fanout::ClientCursor cursor;
  Buffer out;

  // Writes at most `most` bytes; how many there were.
  std::size_t write(const fanout::Backlog &backlog, const fanout::CursorSettings &settings,
                    std::size_t most = SIZE_MAX) {
    cursor.prepare_write(backlog, settings, *batch_);
    return take(backlog, most);
  }

  std::size_t write_last(const fanout::Backlog &backlog, std::size_t most = SIZE_MAX) {
    cursor.prepare_close(backlog, *batch_);
    return take(backlog, most);
  }

  // All that there is, `most` bytes at a time.
  Audience &write_all(const fanout::Backlog &backlog, const fanout::CursorSettings &settings,
                      std::size_t most = SIZE_MAX) {
    while (write(backlog, settings, most) > 0)
      continue;
    return *this;
  }

  Audience &leave(const fanout::Backlog &backlog, std::size_t most = SIZE_MAX) {
    while (write_last(backlog, most) > 0)
      continue;
    return *this;
  }

private:
  std::size_t take(const fanout::Backlog &backlog, std::size_t most) {
    const std::size_t size = std::min(most, batch_->size());
    std::size_t left = size;
    for (const iovec &part : batch_->parts()) {
      const Bytes bytes(static_cast<const std::uint8_t *>(part.iov_base), part.iov_len);
      append(out, bytes.first(std::min(left, bytes.size())));
      left -= std::min(left, bytes.size());
    }
    cursor.on_written(backlog, size);
    return size;
  }

  std::unique_ptr<fanout::WriteBatch> batch_ = std::make_unique<fanout::WriteBatch>();
};

// --- Entries that can be told apart ---

inline constexpr std::uint32_t kNumberMark = 0xFEEDFACE;

// A tag's entry with its number at the end of the data.
inline fanout::Entry numbered(fanout::Entry entry, std::size_t number) {
  if (!entry.is_tag)
    return entry;
  flv::TagHeader header;
  (void)flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header);
  Buffer data;
  append(data, entry.bytes.subspan(flv::kTagHeaderSize, header.data_size));
  flv::Writer writer(data);
  writer.u32(kNumberMark);
  writer.u32(static_cast<std::uint32_t>(number));
  auto tag = std::make_shared<Buffer>();
  flv::append_tag(*tag, header.type, header.timestamp, data);
  constexpr std::ptrdiff_t kStreamId = 8; // and three bytes of it
  std::copy_n(entry.bytes.begin() + kStreamId, 3, tag->begin() + kStreamId);
  entry.bytes = *tag;
  entry.owner = std::move(tag);
  return entry;
}

// --- What has to be so of every viewer's output ---

// Takes WebSocket's frames away: what binary messages held. `fault` if they are no frames, or if a
// message holds something else than whole tags.
inline Buffer unframed(Bytes bytes, std::vector<Message> &others, std::string &fault) {
  Buffer out;
  while (!bytes.empty() && fault.empty()) {
    const auto message = take_message(bytes);
    if (!message) {
      fault = "no whole message";
    } else if (message->opcode != Opcode::Binary) {
      others.push_back(*message);
    } else {
      const auto start = out.empty() ? Buffer() : file_header();
      for (const flv::Item &item : split(joined({start, message->payload})).items) {
        if (item.kind != flv::Item::Kind::Tag && item.kind != flv::Item::Kind::FileHeader)
          fault = "a message that is not of whole tags";
      }
      append(out, message->payload);
    }
  }
  return out;
}

// Follows a stream of numbered() entries. `fault` says what is wrong with it.
class Follower {
public:
  Follower(const std::vector<fanout::Entry> &all, bool rebase) : all_(all), rebase_(rebase) {}

  std::string fault;
  std::size_t jumps = 0; // entries that are wanted were left out
  std::size_t tags = 0;  // of the history
  bool repeats_needlessly = false;
  // Configurations are at the time of what they are for. Those that waited through a skip are not
  // where pictures are shown in another order than they come.
  bool knows_fronts = true;

  Follower &follow(Bytes stream) {
    if (stream.empty())
      return *this;
    const Split result = split(stream);
    if (result.status != flv::Status::Ok)
      fault = "not FLV";
    for (std::size_t i = 0; i < result.items.size() && fault.empty(); ++i)
      take(result.items[i], bytes_of(result.items[i], stream), i);
    return *this;
  }

private:
  void take(const flv::Item &item, Bytes bytes, std::size_t index) {
    if (item.kind == flv::Item::Kind::FileHeader)
      fault = index == 0 ? "" : "a second file header";
    else if (item.kind != flv::Item::Kind::Tag)
      fault = "not of whole tags";
    else if (item.wrong_previous_size)
      fault = "a wrong PreviousTagSize";
    else if (const auto number = number_of(bytes))
      take_entry(item.tag, *number);
    else
      take_front(item.tag, bytes);
  }

  [[nodiscard]] std::optional<std::size_t> number_of(Bytes tag) const {
    if (tag.size() < flv::kTagHeaderSize + 12)
      return std::nullopt;
    const std::uint8_t *mark = tag.data() + tag.size() - 12;
    const std::size_t number = flv::load_u32(mark + 4);
    if (flv::load_u32(mark) != kNumberMark || number >= all_.size() ||
        !same_but_time(all_[number].bytes, tag))
      return std::nullopt;
    return number;
  }

  static bool same_but_time(Bytes a, Bytes b) {
    const auto is_time = [](std::size_t i) { return i >= 4 && i < 8; };
    if (a.size() != b.size())
      return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] != b[i] && !is_time(i))
        return false;
    }
    return true;
  }

  [[nodiscard]] bool is_other_time(std::uint32_t time, std::uint32_t expected) const {
    return rebase_ ? time != expected : time > expected;
  }

  void take_front(const flv::TagHeader &header, Bytes tag) {
    if (header.is_script()) {
      // A kind that was absent for a while may be announced where the stream goes on.
      const bool announces = std::any_of(all_.begin(), all_.end(), [](const auto &each) {
        return each.head && each.head->has_audio != each.head->has_video;
      });
      fault = started_ && !announces ? "a head's script data in mid-stream" : "";
      return;
    }
    front_.emplace_back(tag.begin(), tag.end());
    front_times_.push_back(header.timestamp);
  }

  [[nodiscard]] bool is_in_time(const fanout::Entry &entry) const {
    return !entry.is_media || !rebase_ || entry.time >= floor_;
  }

  [[nodiscard]] std::uint32_t expected(const fanout::Entry &entry) const {
    flv::TagHeader header;
    (void)flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header);
    return rebase_ ? static_cast<std::uint32_t>(std::max(entry.time, floor_) - base_)
                   : header.timestamp;
  }

  // Of a kind in a stretch: whether its entries come. They come from the start of the stretch on,
  // or from where the kind appears, or not at all.
  enum class State : std::uint8_t { Open, Comes, LeftOut };
  struct Told {
    State state = State::Open;
    std::uint32_t appearance = 0; // the last one that was left out
  };
  using ToldKinds = std::array<Told, 3>;

  // Whether an entry may be left out.
  [[nodiscard]] bool may_skip(const fanout::Entry &entry, ToldKinds &told) const {
    if (entry.is_repeat || !is_in_time(entry))
      return true;
    Told &kind = told[static_cast<std::size_t>(entry.kind)];
    if (entry.kind == fanout::Kind::None || kind.state == State::Comes)
      return false;
    kind = {State::LeftOut, std::max(kind.appearance, entry.appearance)};
    return true;
  }

  // Whether it may come.
  [[nodiscard]] bool may_come(const fanout::Entry &entry, ToldKinds &told) const {
    Told &kind = told[static_cast<std::size_t>(entry.kind)];
    if (entry.is_repeat)
      return kind.state != State::Comes;
    const bool appears = kind.state != State::LeftOut || entry.appearance > kind.appearance;
    if (!is_in_time(entry) || !appears)
      return false;
    kind.state = State::Comes;
    return true;
  }

  // What lies between `from` and `number` is left out, and that comes.
  [[nodiscard]] bool follows(std::size_t from, std::size_t number, ToldKinds &told) const {
    for (std::size_t each = from; each < number; ++each) {
      if (!may_skip(all_[each], told))
        return false;
    }
    return may_come(all_[number], told);
  }

  void take_entry(const flv::TagHeader &header, std::size_t number) {
    const fanout::Entry &entry = all_[number];
    if (number < next_) {
      fault = "out of order";
      return;
    }
    const bool goes_on = started_ && front_.empty() && header.timestamp == expected(entry);
    ToldKinds told = told_;
    if (goes_on && follows(next_, number, told)) {
      told_ = told;
      consider_stretch(entry, number);
    } else if (goes_on && after_skip_ && follows(next_, number, *after_skip_)) {
      told_ = *std::exchange(after_skip_, std::nullopt);
      jumps++;
    } else {
      after_skip_.reset();
      start_stretch(header, number);
    }
    note(header, entry, number);
  }

  // Where timestamps stay, a viewer that skips to a place to join looks like one that leaves out a
  // kind. Which it was, the next entries tell.
  void consider_stretch(const fanout::Entry &entry, std::size_t number) {
    ToldKinds told{};
    if (!rebase_ && entry.head && number > next_ && may_come(entry, told))
      after_skip_ = told;
    else if (after_skip_ && !follows(next_, number, *after_skip_))
      after_skip_.reset();
  }

  // The place to join need not come itself: its kind may be one that is left out.
  void start_stretch(const flv::TagHeader &header, std::size_t number) {
    const std::int64_t base = base_;
    const std::int64_t floor = floor_;
    fault = "a stretch does not start where one can join, or at another time";
    for (std::size_t join = number + 1; join-- > next_ && !fault.empty();) {
      if (all_[join].head)
        try_stretch(header, join, number);
      if (!fault.empty()) {
        base_ = base;
        floor_ = floor;
      }
    }
    jumps += started_ ? 1 : 0;
    started_ = true;
    front_.clear();
    front_times_.clear();
  }

  void try_stretch(const flv::TagHeader &header, std::size_t join, std::size_t number) {
    const fanout::Entry &place = all_[join];
    base_ = started_ ? place.time - (std::max(last_, shown_ - place.ahead) + 1) : place.time;
    floor_ = place.time;
    ToldKinds told{};
    if (header.timestamp != expected(all_[number]) || !follows(join, number, told))
      return;
    check_front(place, join);
    if (!fault.empty())
      return;
    told_ = told;
  }

  // All heads that a viewer may get at a place.
  [[nodiscard]] std::vector<fanout::JoinHeaderPtr> heads_at(std::size_t join) const {
    std::vector<fanout::JoinHeaderPtr> heads{all_[join].head};
    for (std::size_t each = join + 1; each < all_.size(); ++each) {
      if (all_[each].extension && *all_[each].extension->base == *all_[join].head)
        heads.push_back(all_[each].extension->full);
    }
    for (std::size_t i = 0, count = heads.size(); i < count; ++i) {
      for (const auto &alone : {heads[i]->audio_alone, heads[i]->video_alone}) {
        if (alone)
          heads.push_back(alone);
      }
    }
    return heads;
  }

  void check_front(const fanout::Entry &place, std::size_t join) {
    for (const fanout::JoinHeaderPtr &head : heads_at(join)) {
      fault.clear();
      check_front(place, head->configurations);
      if (!fault.empty())
        continue;
      configurations_ = head->configurations;
      changed_ = false;
      return;
    }
  }

  // The configurations, where the viewer lacks them. Those of a stretch that it skipped before it
  // got anything else of it may stand in front.
  void check_front(const fanout::Entry &entry, const std::vector<Buffer> &wanted) {
    const bool known = started_ && !changed_ && wanted == configurations_;
    const bool repeats = known && !front_.empty() && front_.size() == wanted.size();
    if (front_.empty() && known)
      return;
    if (front_.size() < wanted.size()) {
      fault = "configurations are missing";
      return;
    }
    const std::size_t others = front_.size() - wanted.size();
    for (std::size_t i = 0; i < wanted.size() && fault.empty(); ++i) {
      if (!same_but_time(front_[others + i], wanted[i]))
        fault = "another configuration than the head's";
      else if (knows_fronts && is_other_time(front_times_[others + i], expected(entry)))
        fault = "a configuration at another time than what it is for";
    }
    repeats_needlessly |= repeats && fault.empty();
  }

  void note(const flv::TagHeader &header, const fanout::Entry &entry, std::size_t number) {
    tags++;
    next_ = number + 1;
    last_ = std::max(last_, std::max(entry.time, floor_) - base_);
    shown_ = std::max(shown_, std::max(entry.time, floor_) - base_ + entry.ahead);
    changed_ = (changed_ || (!entry.is_media && !header.is_script() && header.data_size > 0)) &&
               !entry.head;
    if (entry.head)
      configurations_ = entry.head->configurations;
  }

  const std::vector<fanout::Entry> &all_;
  bool rebase_;
  bool started_ = false;
  std::size_t next_ = 0;
  ToldKinds told_{};
  std::optional<ToldKinds> after_skip_; // the same, if the last left out entries were skipped
  std::int64_t base_ = 0;
  std::int64_t floor_ = 0;
  std::int64_t last_ = 0;
  std::int64_t shown_ = -1;
  bool changed_ = false; // a configuration came by since the last head
  std::vector<Buffer> configurations_;
  std::vector<Buffer> front_;
  std::vector<std::uint32_t> front_times_;
};

} // namespace flvtest
