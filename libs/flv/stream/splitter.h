// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the tags in a stream of bytes that comes in pieces of any size.
#pragma once

#include <array>

#include "stream_ids.h"

namespace flv {

// A stretch of the stream, from `begin` to before `end`: bytes counted from the stream's start.
struct Item {
  enum class Kind : std::uint8_t {
    FileHeader, // with the PreviousTagSize0 behind it
    Tag,        // with the PreviousTagSize behind it
    Damage,     // here, begin == end, starts something that is no tag; `fault` says why
    Skipped,    // up to the tag or file header that ended the search
    Truncated,  // the stream's last bytes, which are no whole tag
  };
  Kind kind = Kind::Tag;
  bool wrong_previous_size = false; // FileHeader, Tag: what stands behind it is not its size
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  FileHeader file{}; // FileHeader
  TagHeader tag{};   // Tag
  Fault fault{};     // Damage, Truncated
};

// Takes chunks and gives items, in order and without a gap between them. It keeps no payload and
// looks at each byte at most once, so the cutting of the input never changes the outcome: who wants
// a tag's bytes holds on to those from keep_from() on.
//
// After bytes that can be no tag header it searches for the next tag that holds together: one whose
// header is possible, and which is followed by its own size, by another possible header or by the
// end of the stream. The first candidate to prove itself wins, so that one with a huge size holds
// up nobody else.
class Splitter {
public:
  enum class Start {
    File,   // a file header has to come first
    Middle, // any byte of a file: it begins with a search, which is no damage
  };

  explicit Splitter(std::uint32_t max_data_size = kMaxDataSize) : max_data_size_(max_data_size) {}

  // Forgets everything, the stream ids aside where it goes on in the middle of the same file. The
  // next byte is number `position` of the stream.
  void reset(Start start, std::uint64_t position = 0);
  // Of the file in whose middle it begins.
  void set_stream_ids(const StreamIds &ids) { ids_ = ids; }
  void set_max_data_size(std::uint32_t size) { max_data_size_ = size; }

  // Appends what `chunk` completes to `items`. Malformed: the stream is no FLV file, and fault()
  // says why; nothing more is taken until a reset.
  [[nodiscard]] Status feed(Bytes chunk, std::vector<Item> &items);
  // The same, but stops behind a tag whose PreviousTagSize is wrong. `chunk` is what was not read.
  [[nodiscard]] Status feed_to_wrong_size(Bytes &chunk, std::vector<Item> &items);

  // The stream is over: appends what only the end can tell. Malformed as above; a stream that ends
  // inside its file header is malformed too.
  [[nodiscard]] Status finish(std::vector<Item> &items);

  [[nodiscard]] const Fault &fault() const { return fault_; }
  // The number of bytes that were taken.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // The first byte of which an item to come may still want to be a part, skipped bytes aside.
  [[nodiscard]] std::uint64_t keep_from() const;

private:
  enum class State { FileStart, FileBody, Header, Body, Trailer, Splice, Search, Failed };

  struct Candidate {
    std::uint64_t begin = 0;
    std::uint64_t check = 0; // at this position there is more to tell
    TagHeader header;
    bool size_checked = false;
  };

  static constexpr std::size_t kMaxCandidates = 128;
  static constexpr std::size_t kWindow = 16;

  void feed_some(Bytes &chunk, std::vector<Item> &items);
  bool gather(Bytes &chunk, std::size_t count);
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
  std::uint64_t body_left_ = 0; // Body, FileBody: bytes to pass over
  FileHeader file_;
  TagHeader tag_;
  StreamIds ids_;
  std::size_t splice_ = 0; // Seam: the bytes of the PreviousTagSize in front of the file header
  bool started_ = false;   // past the file header
  std::array<std::uint8_t, kWindow> scratch_{};
  std::size_t have_ = 0; // bytes in scratch_; in Search, a window over the last ones
  std::vector<Candidate> candidates_;
  std::uint64_t next_check_ = 0;
};

} // namespace flv
