// SPDX-License-Identifier: LGPL-2.1-or-later
// The state changes of flvpace's classes: the allowed ones, and the abort on all others.
#include <csignal>

#include "checkrun.h"
#include "flvpace/pacer.h"
#include "transitions.h"

using namespace flvpace;
using flvtest::allows;
using flvtest::change;
using flvtest::change_by_table;
using states::change_state;
using states::name_of;

namespace {

// --- The tables ---

static_assert(allows<Pacer, Pacer::Probing>(".xx"));
static_assert(allows<Pacer, Pacer::AwaitMedia>("x.x"));
static_assert(allows<Pacer, Pacer::Flowing>("x.."));

static_assert(allows<OutputHeader, OutputHeader::Missing>(".xx."));
static_assert(allows<OutputHeader, OutputHeader::Provisional>("x.x."));
static_assert(allows<OutputHeader, OutputHeader::Unsent>("x..x"));
static_assert(allows<OutputHeader, OutputHeader::Sent>("x..."));

static_assert(allows<SrcWriter, SrcWriter::NoSegment>(".x."));
static_assert(allows<SrcWriter, SrcWriter::Current>("xxx"));
static_assert(allows<SrcWriter, SrcWriter::Outdated>("xx."));

static_assert(allows<ClockWait::PlayTransitions, ClockWait::Play, ClockWait::Paused>(".x"));
static_assert(allows<ClockWait::PlayTransitions, ClockWait::Play, ClockWait::Playing>("x."));

static_assert(allows<ClockWait::OutputTransitions, ClockWait::Output, ClockWait::Open>(".xx"));
static_assert(allows<ClockWait::OutputTransitions, ClockWait::Output, ClockWait::Flushing>("x.x"));
static_assert(allows<ClockWait::OutputTransitions, ClockWait::Output, ClockWait::Stopped>("x.."));

// --- The check at run time ---

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
  change<Pacer>(Pacer::Flowing{}, Pacer::Flowing{});
}
END_TEST

START_TEST(test_pacer_awaits_media_after_media) {
  change<Pacer>(Pacer::Flowing{}, Pacer::AwaitMedia{});
}
END_TEST

START_TEST(test_header_is_sent_before_its_kinds_are_known) {
  change<OutputHeader>(OutputHeader::Provisional{}, OutputHeader::Sent{});
}
END_TEST

START_TEST(test_second_header) {
  change<OutputHeader>(OutputHeader::Sent{}, OutputHeader::Unsent{});
}
END_TEST

START_TEST(test_segment_is_outdated_before_it_is_sent) {
  change<SrcWriter>(SrcWriter::NoSegment{}, SrcWriter::Outdated{});
}
END_TEST

START_TEST(test_plays_twice) {
  change_by_table<ClockWait::PlayTransitions, ClockWait::Play>(ClockWait::Playing{},
                                                               ClockWait::Playing{});
}
END_TEST

// A flush that ends does not open the waits of a stopped element.
START_TEST(test_flush_while_stopped) {
  change_by_table<ClockWait::OutputTransitions, ClockWait::Output>(ClockWait::Stopped{},
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
