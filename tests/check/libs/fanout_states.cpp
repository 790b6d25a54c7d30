// SPDX-License-Identifier: LGPL-2.1-or-later
// The state changes of fanout's classes: the allowed ones, and the abort on all others.
#include <csignal>

#include "checkrun.h"
#include "fanout/flv_ingest.h"
#include "test_client.h"
#include "transitions.h"

using namespace fanout;
using flvtest::allows;
using flvtest::Buffer;
using flvtest::change;
using flvtest::TestClient;
using states::change_state;
using states::name_of;

namespace {

// --- The tables ---

static_assert(allows<PendingWrite, PendingWrite::Idle>(".x."));
static_assert(allows<PendingWrite, PendingWrite::Prepared>("x.x"));
static_assert(allows<PendingWrite, PendingWrite::Partial>("x.."));

static_assert(allows<FlvIngest, FlvIngest::Probing>(".x."));
static_assert(allows<FlvIngest, FlvIngest::AwaitKeyframe>("x.x"));
static_assert(allows<FlvIngest, FlvIngest::Flowing>(".x."));

static_assert(allows<ClientCursor, ClientCursor::AwaitKeyframe>(".x"));
static_assert(allows<ClientCursor, ClientCursor::Following>("x."));

// --- The check at run time ---

START_TEST(test_allowed) {
  FlvIngest::State state = FlvIngest::Probing{};
  ck_assert_str_eq(name_of(state), "Probing");
  change_state<FlvIngest::Transitions>("test", state, {FlvIngest::AwaitKeyframe{}});
  ck_assert_str_eq(name_of(state), "AwaitKeyframe");
  change_state<FlvIngest::Transitions>("test", state, {FlvIngest::Flowing{}});
  ck_assert_str_eq(name_of(state), "Flowing");
}
END_TEST

START_TEST(test_ingest_flows_before_its_kinds_are_known) {
  change<FlvIngest>(FlvIngest::Probing{}, FlvIngest::Flowing{});
}
END_TEST

START_TEST(test_cursor_joins_twice) {
  change<ClientCursor>(ClientCursor::Following{}, ClientCursor::Following{});
}
END_TEST

START_TEST(test_write_finishes_before_it_is_prepared) {
  PendingWrite().finish();
}
END_TEST

START_TEST(test_write_is_prepared_twice) {
  PendingWrite write;
  write.prepare({});
  write.prepare({});
}
END_TEST

START_TEST(test_write_is_partial_before_it_is_prepared) {
  PendingWrite().retain({});
}
END_TEST

START_TEST(test_write_continues_before_it_is_partial) {
  PendingWrite write;
  write.prepare({});
  write.add_written(1);
}
END_TEST

// The cursor's caller reports bytes of a batch that was empty.
START_TEST(test_cursor_has_written_nothing) {
  const Backlog backlog;
  TestClient client(_i == 0 ? Framing::Plain : Framing::WebSocket, backlog);
  ck_assert_uint_eq(client.write(backlog, {}), 0);
  client.cursor.on_written(backlog, 1);
}
END_TEST

// --- The pending write ---

START_TEST(test_discard) {
  PendingWrite write;
  Buffer queue{4, 5};
  write.discard_unstarted(queue);
  ck_assert(queue == (Buffer{4, 5}) && write.is_idle());
  // The last byte stands for the header of a WebSocket message.
  write.prepare({{1, 2, 3, 99}, 3, 0, 0});
  ck_assert_uint_eq(write.prefix().size(), 4);
  write.discard_unstarted(queue);
  ck_assert(queue == (Buffer{1, 2, 3, 4, 5}) && write.is_idle());
  // A write that has started stays.
  write.prepare({{1, 2, 3}, 3, 0, 0});
  write.retain({write.take_prefix(), {}, 1});
  ck_assert_uint_eq(write.prefix().size(), 3);
  write.discard_unstarted(queue);
  ck_assert_uint_eq(queue.size(), 5);
  ck_assert_uint_eq(write.written(), 1);
  write.add_written(1);
  ck_assert_uint_eq(write.written(), 2);
  ck_assert(write.finish().empty());
  ck_assert(write.is_idle() && write.prefix().empty() && write.written() == 0);
}
END_TEST

} // namespace

int main() {
  return flvtest::run("fanout_states", {{test_allowed},
                                        {test_ingest_flows_before_its_kinds_are_known, 1, SIGABRT},
                                        {test_cursor_joins_twice, 1, SIGABRT},
                                        {test_write_finishes_before_it_is_prepared, 1, SIGABRT},
                                        {test_write_is_prepared_twice, 1, SIGABRT},
                                        {test_write_is_partial_before_it_is_prepared, 1, SIGABRT},
                                        {test_write_continues_before_it_is_partial, 1, SIGABRT},
                                        {test_cursor_has_written_nothing, 2, SIGABRT},
                                        {test_discard}});
}
