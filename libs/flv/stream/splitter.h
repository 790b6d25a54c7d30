// SPDX-License-Identifier: LGPL-2.1-or-later
// Splits a byte stream, which arrives in chunks of any size, into tags.
#pragma once

#include <array>

#include "stream_ids.h"

namespace flv {

// A part of the stream, from `begin` to before `end`: bytes from the start of the stream.
struct Item {
  enum class Kind : std::uint8_t {
    FileHeader, // with its PreviousTagSize0
    Tag,        // with its PreviousTagSize
    Damage,     // the start of bytes that are not a tag; begin == end; `fault` has the reason
    Skipped,    // the bytes before the tag or file header that ended the search
    Truncated,  // the last bytes of the stream, which are not a whole tag
  };
  Kind kind = Kind::Tag;
  bool wrong_previous_size = false; // FileHeader, Tag: its PreviousTagSize is wrong or missing
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  FileHeader file{}; // FileHeader
  TagHeader tag{};   // Tag
  Fault fault{};     // Damage, Truncated
};

// Converts chunks into items, which are in order and have no gaps between them. The splitter keeps
// no payload and reads each byte at most once, so the sizes of the chunks do not affect the items.
// A caller that needs the bytes of a tag must keep the bytes from keep_from() on.
//
// After bytes that cannot be a tag header, the splitter searches for the next valid tag. A
// candidate is a possible tag header. It is confirmed by its own PreviousTagSize, by another
// possible header after it, or by the end of the stream. The first confirmed candidate wins, so a
// candidate with a huge size does not delay the others.
class Splitter {
public:
  enum class Start {
    File,   // the stream starts with a file header
    Middle, // any byte of a file: starts with a search, and does not report damage
  };

  explicit Splitter(std::uint32_t max_data_size = kMaxDataSize) : max_data_size_(max_data_size) {}

  // Discards all state. The next byte has number `position` of the stream. Start::Middle continues
  // in the same file: the stream ids are kept.
  void reset(Start start, std::uint64_t position = 0);
  // The stream ids of the file, for Start::Middle.
  void set_stream_ids(const StreamIds &ids) { ids_ = ids; }
  void set_max_data_size(std::uint32_t size) { max_data_size_ = size; }

  // Appends the items that `chunk` completes to `items`. Malformed: the stream is not an FLV file,
  // and fault() has the reason. Later chunks are ignored until reset().
  [[nodiscard]] Status feed(Bytes chunk, std::vector<Item> &items);
  // The same, but stops after a tag with a wrong PreviousTagSize. Sets `chunk` to the unread bytes.
  [[nodiscard]] Status feed_to_wrong_size(Bytes &chunk, std::vector<Item> &items);

  // The stream ends: appends the items that only the end completes. Malformed: as for feed(), or
  // the stream ends inside its file header.
  [[nodiscard]] Status finish(std::vector<Item> &items);

  [[nodiscard]] const Fault &fault() const { return fault_; }
  // The number of the next byte of the stream.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // The first byte that a later item can contain, Skipped items not counted.
  [[nodiscard]] std::uint64_t keep_from() const;

private:
  enum class State { FileStart, FileBody, Header, Body, Trailer, Splice, Search, Failed };

  struct Candidate {
    std::uint64_t begin = 0;
    std::uint64_t check = 0; // the position at which the next check is possible
    TagHeader header;
    bool size_checked = false;
  };

  static constexpr std::size_t kMaxCandidates = 128;
  static constexpr std::size_t kWindow = 16;

  void feed_some(Bytes &chunk, std::vector<Item> &items);
  bool fill_scratch(Bytes &chunk, std::size_t count);
  void skip_body(Bytes &chunk);
  void take_file_start();
  void take_file_body(std::vector<Item> &items);
  void take_header(std::vector<Item> &items);
  void begin_tag(const TagHeader &header);
  void take_trailer(std::vector<Item> &items);
  void take_splice(std::vector<Item> &items);
  void end_tag(std::size_t trailer, bool right_size, std::vector<Item> &items);
  void start_damage(const Fault &fault, std::vector<Item> &items);
  void search(Bytes &chunk, std::vector<Item> &items);
  bool search_here(std::vector<Item> &items);
  bool check_candidate(Candidate &candidate, std::vector<Item> &items);
  void add_candidate(const TagHeader &header);
  void forget_candidate(std::size_t index);
  void finish_search(std::vector<Item> &items);
  void end_search(std::uint64_t begin, std::vector<Item> &items);

  std::uint32_t max_data_size_;
  State state_ = State::FileStart;
  Fault fault_;
  std::uint64_t position_ = 0;
  std::uint64_t item_begin_ = 0;
  std::uint64_t body_left_ = 0; // Body, FileBody: bytes left to skip
  FileHeader file_;
  TagHeader tag_;
  StreamIds ids_;
  std::size_t splice_ = 0; // Splice: bytes of the PreviousTagSize before the file header
  bool started_ = false;   // the position is after the file header
  std::array<std::uint8_t, kWindow> scratch_{};
  std::size_t have_ = 0; // bytes in scratch_; in Search, the last bytes that were read
  std::vector<Candidate> candidates_;
  std::uint64_t next_check_ = 0;
};

} // namespace flv
