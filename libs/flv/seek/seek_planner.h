// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans a start in the middle of a file: reads the beginning, finds the index, the start point and
// the configurations, and builds the stream header.
#pragma once

#include <variant>

#include "forward_search.h"
#include "found_start.h"
#include "start_scan.h"
#include "states/transition.h"
#include "stop_search.h"

namespace flv {

// Finds a start. Reads only as much of the file as `Access` and the settings require. Keeps the
// facts of the file for later starts.
//
//      look_for()
//    ------------> Idle ------------------------------------+
//                   |  the facts of the file are not known, |  the facts are known
//                   |  or are not needed                    |
//                   v                                       |
//                Probing                                    |
//                   |  onMetaData has an index              |
//                   v                                       |
//               FindingBase ------------------------------->|
//                   |  that index is not used               |
//                   v                                       |
//                Scanning --------------------------------->|
//                   ^                                       |
//                   |  the index is wrong                   v
//                   +------------------------ Searching, SearchingForward
//                                                |               |
//                                                v               |
//                                          Configurations        |
//                                                |               |
//                                                v               |
//                                            Verifying           |
//                                                |               |
//                                                v               v
//                                           FindingStop ------> Done
//
// look_for() leads from each state to Idle, except from FindingBase, which continues. A start of
// the whole file leads from Idle, Probing, FindingBase or Scanning to Done. A start omits the
// states that it does not need between Searching and Done. Each state from Idle to SearchingForward
// can lead to Failed.
class SeekPlanner {
public:
  // No start was asked for, or look_for() is choosing the first state.
  struct Idle {
    static constexpr const char *kName = "Idle";
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
  struct Scanning {
    static constexpr const char *kName = "Scanning";
    StartScan reader;
  };
  struct Searching {
    static constexpr const char *kName = "Searching";
    StartSearch reader;
  };
  // The file is read in order.
  struct SearchingForward {
    static constexpr const char *kName = "SearchingForward";
    ForwardSearch reader;
  };
  struct Configurations {
    static constexpr const char *kName = "Configurations";
    ConfigurationSearch reader;
    FoundStart found;
  };
  // Checks the index of the stream.
  struct Verifying {
    static constexpr const char *kName = "Verifying";
    IndexVerify reader;
    FoundStart found;
  };
  struct FindingStop {
    static constexpr const char *kName = "FindingStop";
    StopSearch reader;
    FoundStart found;
  };
  struct Done {
    static constexpr const char *kName = "Done";
    StreamStart start;
    std::vector<std::uint64_t> rejected;
  };
  struct Failed {
    static constexpr const char *kName = "Failed";
    StartError error;
  };
  using State = std::variant<Idle, Probing, FindingBase, Scanning, Searching, SearchingForward,
                             Configurations, Verifying, FindingStop, Done, Failed>;
  using Transitions = states::TransitionTable<
      states::Transition<Idle, Probing>, states::Transition<Idle, Scanning>,
      states::Transition<Idle, Searching>, states::Transition<Idle, SearchingForward>,
      states::Transition<Idle, Done>, states::Transition<Idle, Failed>,
      states::Transition<Probing, FindingBase>, states::Transition<Probing, Scanning>,
      states::Transition<Probing, Done>, states::Transition<Probing, Failed>,
      states::Transition<Probing, Idle>, states::Transition<FindingBase, Scanning>,
      states::Transition<FindingBase, Searching>, states::Transition<FindingBase, SearchingForward>,
      states::Transition<FindingBase, Done>, states::Transition<FindingBase, Failed>,
      states::Transition<Scanning, Searching>, states::Transition<Scanning, SearchingForward>,
      states::Transition<Scanning, Done>, states::Transition<Scanning, Failed>,
      states::Transition<Scanning, Idle>, states::Transition<Searching, Scanning>,
      states::Transition<Searching, Configurations>, states::Transition<Searching, Verifying>,
      states::Transition<Searching, FindingStop>, states::Transition<Searching, Done>,
      states::Transition<Searching, Failed>, states::Transition<Searching, Idle>,
      states::Transition<SearchingForward, Scanning>, states::Transition<SearchingForward, Done>,
      states::Transition<SearchingForward, Failed>, states::Transition<SearchingForward, Idle>,
      states::Transition<Configurations, Verifying>,
      states::Transition<Configurations, FindingStop>, states::Transition<Configurations, Done>,
      states::Transition<Configurations, Idle>, states::Transition<Verifying, FindingStop>,
      states::Transition<Verifying, Done>, states::Transition<Verifying, Idle>,
      states::Transition<FindingStop, Done>, states::Transition<FindingStop, Idle>,
      states::Transition<Done, Idle>, states::Transition<Failed, Idle>>;

  // `file_size` is in bytes; 0: unknown.
  SeekPlanner(Access access, std::uint64_t file_size) : file_(access, file_size) {}

  // Starts the search for a start. It can be called at any time and more than once.
  void look_for(const StartSettings &settings);

  // False: the known facts of the file already show that the start would be an error. If few facts
  // are known, only look_for() may show it.
  [[nodiscard]] bool can_meet(const StartSettings &settings) const {
    return file_.can_meet(settings);
  }

  // nullopt: there is a start or an error.
  [[nodiscard]] std::optional<ReadRequest> next_request() const;
  // Supplies the bytes at the offset of next_request().
  void supply(Bytes bytes);
  // Replaces supply() if the bytes have passed and cannot be read again (Access::Forward).
  void give_nothing();
  // The reads that are known to follow: next_request(), later requests, and the first bytes of the
  // stream. The caller can start all of them at once. Each read is returned once; empty if there is
  // no new one. If a search ends early, some of its requests do not follow.
  [[nodiscard]] std::vector<ReadRequest> take_likely_requests();
  // Bytes before this are not needed for later requests.
  [[nodiscard]] std::uint64_t keep_from() const;
  // Whether the start is that of the whole file. All requests are then for bytes that the stream
  // includes.
  [[nodiscard]] bool is_whole() const { return !settings_.request; }
  // Whether the tag headers are being scanned, which can take a long time.
  [[nodiscard]] bool is_scanning() const { return std::holds_alternative<Scanning>(state_); }

  // Done: the start, and the positions of index entries that were skipped because they are not
  // keyframes. Empty in the other states.
  [[nodiscard]] StreamStart start() const;
  [[nodiscard]] const std::vector<std::uint64_t> &rejected() const;
  // Failed: the error. Its kind is None in the other states.
  [[nodiscard]] const StartError &error() const;
  // Warnings: faults of the file's metadata that did not prevent the start.
  [[nodiscard]] const std::vector<std::string> &notes() const { return notes_; }

  // The known facts of the file; nullptr before they are known.
  [[nodiscard]] const FileFacts *facts() const {
    return file_.has_facts() ? &file_.facts() : nullptr;
  }
  // Its times count from the file's first tag.
  [[nodiscard]] const KeyframeIndex &index() const { return file_.index(); }
  // s: the duration from onMetaData.
  [[nodiscard]] std::optional<double> duration() const { return file_.duration(); }

private:
  void set_state(State next) {
    states::change_state<Transitions>("SeekPlanner", state_, std::move(next));
  }
  void enter(State next);
  void fail(StartError::Kind kind, std::string text);

  // The reader of the state has received bytes, or has ended when the state was entered.
  template <typename Reading> void advance(Reading &state);
  void advance(Probing &state);
  // The reader has no next request. Changes the state.
  void leave(FindingBase &state);
  void leave(Scanning &state);
  void leave(Searching &state);
  void leave(SearchingForward &state);
  void leave(Configurations &state);
  void leave(Verifying &state);
  void leave(FindingStop &state);

  void end_probe(FileProbe &probe);
  void use_base();
  void find_index();
  void begin_scan();
  void scan_instead(std::string why);
  void end_scan(const StartScan::Heads &heads);
  void begin_search(const StartScan::Heads &heads);
  void begin_forward_search(const StartScan::Heads &heads);
  [[nodiscard]] StartSearch search_at_once() const;
  void end_search(const StartSearch &search, std::optional<StreamHeader> head);
  [[nodiscard]] bool note_time(FoundStart &found);
  void note_likely(const FoundStart &found);
  void verify(FoundStart found);
  void find_stop(FoundStart found);
  void finish(FoundStart found);

  [[nodiscard]] bool needs_index() const { return settings_.request || settings_.stop_time; }
  [[nodiscard]] bool may_scan_instead() const;
  [[nodiscard]] bool checks_index() const;
  [[nodiscard]] IndexVerify index_check(const FoundStart &found) const;

  KnownFile file_;
  // Of the start.
  StartSettings settings_;
  std::vector<std::string> notes_;
  std::vector<ReadRequest> likely_;
  State state_;
};

} // namespace flv
