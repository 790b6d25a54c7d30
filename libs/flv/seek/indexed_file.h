// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds out whether the keyframe index of a file is usable, and makes a virtual file if it is not.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "byte_points.h"
#include "index_base.h"
#include "index_sample.h"
#include "known_file.h"
#include "read_request.h"
#include "states/transition.h"
#include "virtual_file.h"

namespace flv {

// Reads a stored file until it is known which file is to be served: the stored one, or a virtual
// one.
//
//             onMetaData has an index
//    Probing -----------------------> FindingBase ---> Sampling
//       |                                                  |
//       |  no index                                        |  the index is wrong, or
//       |                                                  |  may be partial
//       |                                                  v
//       +---------------------------------------------> Scanning ---> ReadingBetween
//
// All of these but FindingBase lead to Done. If onMetaData is the first tag, or missing,
// ReadingBetween is omitted.
class IndexedFile {
public:
  enum class Policy : std::uint8_t {
    Auto,   // a virtual file if the index of the file is not usable
    Stored, // always the stored file; no scan
  };

  // Reads the beginning of the file.
  struct Probing {
    static constexpr const char *kName = "Probing";
    FileProbe reader;
  };
  // Finds the time base of the index of onMetaData.
  struct FindingBase {
    static constexpr const char *kName = "FindingBase";
    IndexBase reader;
  };
  // Checks the index of onMetaData.
  struct Sampling {
    static constexpr const char *kName = "Sampling";
    IndexSample reader;
  };
  struct Scanning {
    static constexpr const char *kName = "Scanning";
    IndexScan reader;
    bool is_sampled = false; // the index of onMetaData is right, but may be partial
  };
  // Reads the tags before onMetaData.
  struct ReadingBetween {
    static constexpr const char *kName = "ReadingBetween";
  };
  struct Done {
    static constexpr const char *kName = "Done";
  };
  using State = std::variant<Probing, FindingBase, Sampling, Scanning, ReadingBetween, Done>;
  using Transitions = states::TransitionTable<
      states::Transition<Probing, FindingBase>, states::Transition<Probing, Scanning>,
      states::Transition<Probing, Done>, states::Transition<FindingBase, Sampling>,
      states::Transition<Sampling, Scanning>, states::Transition<Sampling, Done>,
      states::Transition<Scanning, ReadingBetween>, states::Transition<Scanning, Done>,
      states::Transition<ReadingBetween, Done>>;

  // `file_size` is in bytes, and known.
  explicit IndexedFile(std::uint64_t file_size, Policy policy = Policy::Auto);
  // Readers refer to the facts of the file.
  IndexedFile(const IndexedFile &) = delete;
  IndexedFile &operator=(const IndexedFile &) = delete;
  IndexedFile(IndexedFile &&) = delete;
  IndexedFile &operator=(IndexedFile &&) = delete;
  ~IndexedFile() = default;

  // nullopt: the search has ended.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  void supply(Bytes bytes);
  // The reads that are known to follow, for a caller that can start all of them at once. Each is
  // returned once. If the index turns out to be wrong, some of them do not follow.
  [[nodiscard]] std::vector<ReadRequest> take_likely_requests();
  // Whether all tag headers of the file are being read, which can take a long time.
  [[nodiscard]] bool is_scanning() const { return std::holds_alternative<Scanning>(state_); }

  // --- After the search ---

  [[nodiscard]] bool is_flv() const { return file_.has_facts(); }
  // The reason why the file is not FLV, or why its own index is not used. Empty: it is used.
  [[nodiscard]] const std::string &reason() const { return reason_; }
  // Of the stored file. Only if it is FLV.
  [[nodiscard]] const FileFacts &facts() const { return file_.facts(); }
  // nullopt: the stored file is to be served.
  [[nodiscard]] const std::optional<VirtualFile> &virtual_file() const { return virtual_; }
  // Of the file to be served, in bytes.
  [[nodiscard]] std::uint64_t size() const { return virtual_ ? virtual_->size() : file_.size(); }
  // The start points of the file to be served. An entry at a configuration stands for the next
  // keyframe. Times count from the file's first tag. In a file without video, audio tags that are
  // at least 1 s apart. Empty: there is none.
  [[nodiscard]] const KeyframeIndex &index() const { return index_; }
  // The times of the bytes of the file to be served; empty: unknown.
  [[nodiscard]] std::vector<BytePoint> byte_points() const;

private:
  void set_state(State next) {
    states::change_state<Transitions>("IndexedFile", state_, std::move(next));
  }
  template <typename Next> void enter(Next next);

  // The reader has no next request. Changes the state.
  void leave(Probing &state);
  void leave(FindingBase &state);
  void leave(Sampling &state);
  void leave(Scanning &state);
  void reject_listed(std::string reason, bool is_sampled = false);
  void make_virtual(Bytes between);

  Policy policy_;
  KnownFile file_;
  std::string reason_;
  std::vector<ReadRequest> likely_;
  std::optional<VirtualFile> virtual_;
  KeyframeIndex index_;
  State state_;
};

} // namespace flv
