// SPDX-License-Identifier: LGPL-2.1-or-later
// A client that receives into memory, and a check that it has received a valid stream.
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

class TestClient {
public:
  TestClient(fanout::Framing framing, const fanout::Backlog &backlog) : cursor(framing, backlog) {}

  fanout::ClientCursor cursor;
  Buffer out;

  // Writes at most `max_size` bytes. Returns the number of bytes.
  std::size_t write(const fanout::Backlog &backlog, const fanout::CursorSettings &settings,
                    std::size_t max_size = SIZE_MAX) {
    cursor.prepare_write(backlog, settings, *batch_);
    return take(backlog, max_size);
  }

  std::size_t write_close(const fanout::Backlog &backlog, std::size_t max_size = SIZE_MAX) {
    cursor.prepare_close(backlog, *batch_);
    return take(backlog, max_size);
  }

  // Writes until nothing is left, at most `max_size` bytes at a time.
  TestClient &write_all(const fanout::Backlog &backlog, const fanout::CursorSettings &settings,
                        std::size_t max_size = SIZE_MAX) {
    while (write(backlog, settings, max_size) > 0)
      continue;
    return *this;
  }

  // Closes the client: writes the rest of a partial write and the queued bytes.
  TestClient &close(const fanout::Backlog &backlog, std::size_t max_size = SIZE_MAX) {
    while (write_close(backlog, max_size) > 0)
      continue;
    return *this;
  }

private:
  std::size_t take(const fanout::Backlog &backlog, std::size_t max_size) {
    const std::size_t size = std::min(max_size, batch_->size());
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

// --- Entries with a number ---

inline constexpr std::uint32_t kNumberMark = 0xFEEDFACE;

// Appends the number to the data of the entry's tag.
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
  constexpr std::ptrdiff_t kStreamId = 8; // 3 bytes
  std::copy_n(entry.bytes.begin() + kStreamId, 3, tag->begin() + kStreamId);
  entry.bytes = *tag;
  entry.owner = std::move(tag);
  return entry;
}

// --- The received stream ---

// Returns the payloads of the binary messages. Sets `fault` if `bytes` are not WebSocket frames, or
// if a message has anything but whole tags.
inline Buffer unframed(Bytes bytes, std::vector<Message> &others, std::string &fault) {
  Buffer out;
  while (!bytes.empty() && fault.empty()) {
    const auto message = take_message(bytes);
    if (!message) {
      fault = "an incomplete message";
    } else if (message->opcode != Opcode::Binary) {
      others.push_back(*message);
    } else {
      const auto start = out.empty() ? Buffer() : file_header();
      for (const flv::Item &item : split(joined({start, message->payload})).items) {
        if (item.kind != flv::Item::Kind::Tag && item.kind != flv::Item::Kind::FileHeader)
          fault = "a message with an incomplete tag";
      }
      append(out, message->payload);
    }
  }
  return out;
}

// Checks a received stream of numbered() entries. `fault` is the first violation.
class StreamChecker {
public:
  StreamChecker(const std::vector<fanout::Entry> &all, bool rebase) : all_(all), rebase_(rebase) {}

  std::string fault;
  std::size_t skips = 0; // times that wanted entries are missing
  std::size_t tags = 0;  // from the backlog
  bool repeats_needlessly = false;
  // Whether to check the timestamps of configurations. They are those of the next entry, except
  // after a second skip in a stream with B-frames.
  bool checks_config_times = true;

  StreamChecker &check(Bytes stream) {
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
      fault = "an incomplete tag";
    else if (item.wrong_previous_size)
      fault = "a wrong PreviousTagSize";
    else if (const auto number = number_of(bytes))
      take_entry(item.tag, *number);
    else
      take_setup(item.tag, bytes);
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

  void take_setup(const flv::TagHeader &header, Bytes tag) {
    if (header.is_script()) {
      // The header of a later start point may announce a kind that was absent.
      const bool announces = std::any_of(all_.begin(), all_.end(), [](const auto &each) {
        return each.join_header && each.join_header->has_audio != each.join_header->has_video;
      });
      fault = started_ && !announces ? "a header's script data within the stream" : "";
      return;
    }
    setup_.emplace_back(tag.begin(), tag.end());
    setup_times_.push_back(header.timestamp);
  }

  [[nodiscard]] bool is_in_time(const fanout::Entry &entry) const {
    return !entry.is_media() || !rebase_ || entry.time >= floor_;
  }

  [[nodiscard]] std::uint32_t expected(const fanout::Entry &entry) const {
    flv::TagHeader header;
    (void)flv::read_tag_header(entry.bytes.data(), flv::kMaxDataSize, header);
    return rebase_ ? static_cast<std::uint32_t>(std::max(entry.time, floor_) - base_)
                   : header.timestamp;
  }

  // The entries of one kind between two skips. The client receives them from the start point on, or
  // from an appearance of the kind on, or not at all.
  enum class State : std::uint8_t { Unknown, Received, Omitted };
  struct KindProgress {
    State state = State::Unknown;
    std::uint32_t appearance = 0; // the last omitted one
  };
  using Progress = std::array<KindProgress, 3>;

  // Whether the client may omit the entry.
  [[nodiscard]] bool may_omit(const fanout::Entry &entry, Progress &progress) const {
    if (entry.is_repeat() || !is_in_time(entry))
      return true;
    KindProgress &kind = progress[static_cast<std::size_t>(entry.kind)];
    if (entry.kind == fanout::Kind::None || kind.state == State::Received)
      return false;
    kind = {State::Omitted, std::max(kind.appearance, entry.appearance)};
    return true;
  }

  // Whether the client may receive the entry.
  [[nodiscard]] bool may_receive(const fanout::Entry &entry, Progress &progress) const {
    KindProgress &kind = progress[static_cast<std::size_t>(entry.kind)];
    if (entry.is_repeat())
      return kind.state != State::Received;
    const bool appears = kind.state != State::Omitted || entry.appearance > kind.appearance;
    if (!is_in_time(entry) || !appears)
      return false;
    kind.state = State::Received;
    return true;
  }

  // Whether the client may omit the entries from `from` to `number`, and receive `number`.
  [[nodiscard]] bool follows(std::size_t from, std::size_t number, Progress &progress) const {
    for (std::size_t each = from; each < number; ++each) {
      if (!may_omit(all_[each], progress))
        return false;
    }
    return may_receive(all_[number], progress);
  }

  void take_entry(const flv::TagHeader &header, std::size_t number) {
    const fanout::Entry &entry = all_[number];
    if (number < next_) {
      fault = "out of order";
      return;
    }
    const bool continues = started_ && setup_.empty() && header.timestamp == expected(entry);
    Progress progress = progress_;
    if (continues && follows(next_, number, progress)) {
      progress_ = progress;
      consider_skip(entry, number);
    } else if (continues && after_skip_ && follows(next_, number, *after_skip_)) {
      progress_ = *std::exchange(after_skip_, std::nullopt);
      skips++;
    } else {
      after_skip_.reset();
      start_section(header, number);
    }
    note(header, entry, number);
  }

  // With unchanged timestamps, a skip to a start point looks like an omitted kind. The next entries
  // show which one it is.
  void consider_skip(const fanout::Entry &entry, std::size_t number) {
    Progress progress{};
    if (!rebase_ && entry.join_header && number > next_ && may_receive(entry, progress))
      after_skip_ = progress;
    else if (after_skip_ && !follows(next_, number, *after_skip_))
      after_skip_.reset();
  }

  // The client may omit the start point itself, if its header does not announce the kind.
  void start_section(const flv::TagHeader &header, std::size_t number) {
    const std::int64_t base = base_;
    const std::int64_t floor = floor_;
    fault = "no start point before this entry, or a wrong timestamp";
    for (std::size_t join = number + 1; join-- > next_ && !fault.empty();) {
      if (all_[join].join_header)
        try_start(header, join, number);
      if (!fault.empty()) {
        base_ = base;
        floor_ = floor;
      }
    }
    skips += started_ ? 1 : 0;
    started_ = true;
    setup_.clear();
    setup_times_.clear();
  }

  void try_start(const flv::TagHeader &header, std::size_t join, std::size_t number) {
    const fanout::Entry &start = all_[join];
    base_ = started_
                ? start.time - (std::max(last_, latest_presentation_ - start.composition_time) + 1)
                : start.time;
    floor_ = start.time;
    Progress progress{};
    if (header.timestamp != expected(all_[number]) || !follows(join, number, progress))
      return;
    check_setup(start, join);
    if (!fault.empty())
      return;
    progress_ = progress;
  }

  // All headers that a client may receive at a start point.
  [[nodiscard]] std::vector<fanout::JoinHeaderPtr> headers_at(std::size_t join) const {
    std::vector<fanout::JoinHeaderPtr> headers{all_[join].join_header};
    for (std::size_t each = join + 1; each < all_.size(); ++each) {
      if (all_[each].extension && *all_[each].extension->base == *all_[join].join_header)
        headers.push_back(all_[each].extension->full);
    }
    for (std::size_t i = 0, count = headers.size(); i < count; ++i) {
      for (const auto &alone : {headers[i]->audio_alone, headers[i]->video_alone}) {
        if (alone)
          headers.push_back(alone);
      }
    }
    return headers;
  }

  void check_setup(const fanout::Entry &start, std::size_t join) {
    for (const fanout::JoinHeaderPtr &header : headers_at(join)) {
      fault.clear();
      check_setup(start, header->decoder_configs);
      if (!fault.empty())
        continue;
      configurations_ = header->decoder_configs;
      changed_ = false;
      return;
    }
  }

  // The client has to receive the configurations that it lacks. Before them, it may receive those
  // of a start point that it skipped afterwards.
  void check_setup(const fanout::Entry &entry, const std::vector<Buffer> &wanted) {
    const bool known = started_ && !changed_ && wanted == configurations_;
    const bool repeats = known && !setup_.empty() && setup_.size() == wanted.size();
    if (setup_.empty() && known)
      return;
    if (setup_.size() < wanted.size()) {
      fault = "configurations are missing";
      return;
    }
    const std::size_t others = setup_.size() - wanted.size();
    for (std::size_t i = 0; i < wanted.size() && fault.empty(); ++i) {
      if (!same_but_time(setup_[others + i], wanted[i]))
        fault = "a configuration that is not in the header";
      else if (checks_config_times && is_other_time(setup_times_[others + i], expected(entry)))
        fault = "a configuration with another timestamp than the next entry";
    }
    repeats_needlessly |= repeats && fault.empty();
  }

  void note(const flv::TagHeader &header, const fanout::Entry &entry, std::size_t number) {
    tags++;
    next_ = number + 1;
    last_ = std::max(last_, std::max(entry.time, floor_) - base_);
    latest_presentation_ = std::max(latest_presentation_,
                                    std::max(entry.time, floor_) - base_ + entry.composition_time);
    changed_ = (changed_ || (!entry.is_media() && !header.is_script() && header.data_size > 0)) &&
               !entry.join_header;
    if (entry.join_header)
      configurations_ = entry.join_header->decoder_configs;
  }

  const std::vector<fanout::Entry> &all_;
  bool rebase_;
  bool started_ = false;
  std::size_t next_ = 0;
  Progress progress_{};
  std::optional<Progress> after_skip_; // the same, if the last omitted entries are a skip
  std::int64_t base_ = 0;
  std::int64_t floor_ = 0;
  std::int64_t last_ = 0;
  std::int64_t latest_presentation_ = -1;
  bool changed_ = false; // a configuration was received since the last header
  std::vector<Buffer> configurations_;
  std::vector<Buffer> setup_;
  std::vector<std::uint32_t> setup_times_;
};

} // namespace flvtest
