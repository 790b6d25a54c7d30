// SPDX-License-Identifier: LGPL-2.1-or-later
// The state changes of flvpace's classes: the allowed ones, and the abort on all others.
#include <array>
#include <csignal>

#include "checkrun.h"
#include "flvpace/pacer.h"

using namespace flvpace;
using states::change_state;
using states::name_of;

namespace {

// --- The tables ---

// All changes, row by row: from each state to each state.
template <typename Table, typename From, typename... States>
constexpr std::array<bool, sizeof...(States)> kRow = {Table::template kAllows<From, States>...};
template <typename Table, typename... States>
constexpr std::array<std::array<bool, sizeof...(States)>, sizeof...(States)> kChanges = {
    kRow<Table, States, States...>...};
template <std::size_t kSize> using Matrix = std::array<std::array<bool, kSize>, kSize>;

static_assert(kChanges<Pacer::Transitions, Pacer::Probing, Pacer::AwaitMedia, Pacer::Flowing> ==
              Matrix<3>{{{false, true, true}, //
                         {true, false, true}, //
                         {true, false, false}}});
static_assert(kChanges<OutputHeader::Transitions, OutputHeader::Missing, OutputHeader::Provisional,
                       OutputHeader::Unsent, OutputHeader::Sent> ==
              Matrix<4>{{{false, true, true, false}, //
                         {true, false, true, false}, //
                         {true, false, false, true}, //
                         {true, false, false, false}}});
static_assert(kChanges<SrcWriter::Transitions, SrcWriter::NoSegment, SrcWriter::Current,
                       SrcWriter::Outdated> == Matrix<3>{{{false, true, false}, //
                                                          {true, true, true},   //
                                                          {true, true, false}}});
static_assert(kChanges<ClockWait::PlayTransitions, ClockWait::Paused, ClockWait::Playing> ==
              Matrix<2>{{{false, true}, //
                         {true, false}}});
static_assert(kChanges<ClockWait::OutputTransitions, ClockWait::Open, ClockWait::Flushing,
                       ClockWait::Stopped> == Matrix<3>{{{false, true, true}, //
                                                         {true, false, true}, //
                                                         {true, false, false}}});

// --- The check at run time ---

template <typename Table, typename State, typename Next> void change(State from, Next to) {
  change_state<Table, State>("test", from, std::move(to));
}

START_TEST(test_allowed) {
  Pacer::State state = Pacer::Probing{};
  ck_assert_str_eq(name_of(state), "Probing");
  change_state<Pacer::Transitions>("test", state, {Pacer::AwaitMedia{}});
  ck_assert_str_eq(name_of(state), "AwaitMedia");
  change_state<Pacer::Transitions>("test", state, {Pacer::Flowing{}});
  ck_assert_str_eq(name_of(state), "Flowing");
  change_state<Pacer::Transitions>("test", state, {Pacer::Probing{}});
  ck_assert_str_eq(name_of(state), "Probing");
}
END_TEST

START_TEST(test_pacer_flows_twice) {
  change<Pacer::Transitions, Pacer::State>(Pacer::Flowing{}, Pacer::Flowing{});
}
END_TEST

START_TEST(test_pacer_awaits_media_after_media) {
  change<Pacer::Transitions, Pacer::State>(Pacer::Flowing{}, Pacer::AwaitMedia{});
}
END_TEST

START_TEST(test_header_is_sent_before_its_kinds_are_known) {
  change<OutputHeader::Transitions, OutputHeader::State>(OutputHeader::Provisional{},
                                                         OutputHeader::Sent{});
}
END_TEST

START_TEST(test_second_header) {
  change<OutputHeader::Transitions, OutputHeader::State>(OutputHeader::Sent{},
                                                         OutputHeader::Unsent{});
}
END_TEST

START_TEST(test_segment_is_outdated_before_it_is_sent) {
  change<SrcWriter::Transitions, SrcWriter::State>(SrcWriter::NoSegment{}, SrcWriter::Outdated{});
}
END_TEST

START_TEST(test_plays_twice) {
  change<ClockWait::PlayTransitions, ClockWait::Play>(ClockWait::Playing{}, ClockWait::Playing{});
}
END_TEST

// A flush that ends does not open the waits of a stopped element.
START_TEST(test_flush_while_stopped) {
  change<ClockWait::OutputTransitions, ClockWait::Output>(ClockWait::Stopped{},
                                                          ClockWait::Flushing{});
}
END_TEST

} // namespace

int main() {
  return flvtest::run("flvpace_transitions",
                      {{test_allowed},
                       {test_pacer_flows_twice, 1, SIGABRT},
                       {test_pacer_awaits_media_after_media, 1, SIGABRT},
                       {test_header_is_sent_before_its_kinds_are_known, 1, SIGABRT},
                       {test_second_header, 1, SIGABRT},
                       {test_segment_is_outdated_before_it_is_sent, 1, SIGABRT},
                       {test_plays_twice, 1, SIGABRT},
                       {test_flush_while_stopped, 1, SIGABRT}});
}
