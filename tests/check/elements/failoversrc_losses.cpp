// SPDX-License-Identifier: LGPL-2.1-or-later
// Each way in which a source is lost, and what the output is then.
#include <iterator>

#include "failovertest.h"

#include "watched.h"

using namespace flvtest;
using namespace failovertest;

namespace {

constexpr const char *kTwo = "uris=fake://a;fake://b";

Fake &a() {
  return Fake::named("a");
}
Fake &b() {
  return Fake::named("b");
}

// The second source works: it sends its header and a group of frames at once.
const Live kBackup(1);
void prepare_backup() {
  b().set_opening(joined({kBackup.header(), kBackup.frames(0, 10)}));
}

Buffer text(const std::string &words) {
  return {words.begin(), words.end()};
}

constexpr std::uint32_t kGood = 15; // frames before the loss: the last key frame is number 10

// How the first source goes bad, after it has sent its header and kGood frames in real time.
struct Loss {
  const char *name;
  const char *reason;
  guint64 after; // ms after the last frame; 0: at once
  std::function<void(Line &)> happen;
};

const Live kLive(0);

void trickle(Line &line) {
  // A byte every 100 ms.
  const Buffer tag = kLive.frame(kGood);
  for (std::size_t i = 0; i < tag.size() && !line.has("lost 0 slow"); i++) {
    a().send(Bytes(tag).subspan(i, 1));
    wait_for([] { return a().is_drained() || a().running() == 0; });
    line.advance(100);
  }
}

const Loss kLosses[] = {
    {"it sends nothing more", "silent", 5000 - 40, [](Line &) {}},
    {"the connection is reset", "error", 0, [](Line &) { a().reset(); }},
    {"it is reset in the middle of a tag", "error", 0,
     [](Line &) {
       const Buffer tag = kLive.frame(kGood);
       a().send(Bytes(tag).first(tag.size() / 2));
       a().reset();
     }},
    {"the stream ends", "ended", 0, [](Line &) { a().end(); }},
    {"the stream ends in the middle of a tag", "ended", 0,
     [](Line &) {
       const Buffer tag = kLive.frame(kGood);
       a().send(Bytes(tag).first(20));
       a().end();
     }},
    {"it sends a byte now and then", "slow", 0, trickle},
    {"it sends garbage", "slow", 0,
     [](Line &line) {
       for (int i = 0; i < 70 && !line.has("lost 0 slow"); i++) {
         a().send(payload(1000));
         wait_for([] { return a().is_drained() || a().running() == 0; });
         line.advance(100);
       }
     }},
    {"its reads hang and cannot be interrupted", "silent", 5000 - 40,
     [](Line &) { a().set_mode(Fake::Mode::IgnoresUnlock); }},
};

// How the first source never begins.
struct BadStart {
  const char *name;
  const char *reason;
  guint64 at; // ms
  std::function<void()> prepare;
};

const BadStart kBadStarts[] = {
    {"404", "error", 0, [] { a().set_mode(Fake::Mode::Refuses); }},
    {"HTML", "wrong-type", 0, [] { a().set_opening(text("<!DOCTYPE html><html></html>")); }},
    {"a short text", "wrong-type", 0,
     [] {
       a().set_opening(text("no such stream"));
       a().end();
     }},
    {"garbage", "wrong-type", 0, [] { a().set_opening(payload(2000)); }},
    {"an empty stream", "ended", 0, [] { a().end(); }},
    {"it connects and sends nothing", "no-data", 5000, [] {}},
    {"it does not connect", "no-data", 5000, [] { a().set_mode(Fake::Mode::HangsInStart); }},
    {"a header and nothing else", "silent", 5000, [] { a().set_opening(kLive.header()); }},
};

} // namespace

GST_START_TEST(a_source_is_lost) {
  const Loss &loss = kLosses[__i__];
  prepare_backup();
  Line line(kTwo);
  a().send(kLive.header());
  line.play(a(), kLive, 0, kGood);
  line.wait_for_message("switched 0 start");
  const guint64 before = line.now();
  loss.happen(line);
  const std::string message = std::string("lost 0 ") + loss.reason;
  if (loss.after > 0)
    line.advance(loss.after - 1);
  if (loss.after > 0)
    fail_if(line.has(message), "%s: too early", loss.name);
  if (loss.after > 0)
    line.advance(1);
  line.wait_for_message(message);
  if (std::string(loss.reason) == "slow")
    fail_unless(line.time_of(message) - before >= 4900 && line.time_of(message) - before <= 5400,
                "%s: lost after %d ms", loss.name,
                static_cast<int>(line.time_of(message) - before));
  line.wait_for_message("switched 1 lost");
  const Buffer first = joined({kLive.header(), kLive.frames(0, kGood)});
  const Buffer second = joined({kBackup.header(), kBackup.frames(0, 10)});
  line.wait_for_size(first.size() + second.size());
  const auto parts = line.parts();
  assert_equals_uint64(parts.size(), 2);
  assert_bytes(parts[0], first);
  assert_bytes(parts[1], second);
  a().release();
  a().set_mode(Fake::Mode::Works);
}
GST_END_TEST

GST_START_TEST(a_source_never_begins) {
  const BadStart &bad = kBadStarts[__i__];
  prepare_backup();
  bad.prepare();
  Line line(kTwo);
  const std::string message = std::string("lost 0 ") + bad.reason;
  if (bad.at > 0) {
    wait_for([] { return a().starts() == 1 && (a().running() == 0 || a().is_drained()); });
    line.advance(bad.at - 1);
    fail_if(line.has(message), "%s: too early", bad.name);
    line.advance(1);
  }
  line.wait_for_message(message);
  assert_equals_uint64(line.time_of(message), bad.at);
  line.wait_for_message("switched 1 start");
  const Buffer expected = joined({kBackup.header(), kBackup.frames(0, 10)});
  line.wait_for_size(expected.size());
  assert_bytes(line.output(), expected);
  a().release();
}
GST_END_TEST

GST_START_TEST(no_element_for_a_uri) {
  prepare_backup();
  Line line("uris=\"nosuchscheme://x; fake://b\"");
  line.wait_for_message("switched 1 start");
  assert_same(line.messages(), "lost 0 no-source, switched 1 start");
}
GST_END_TEST

// Half of real time is lost after about twice the timeout.
GST_START_TEST(half_of_real_time) {
  prepare_backup();
  Line line(kTwo);
  a().send(kLive.header());
  line.play(a(), kLive, 0, 10);
  for (std::uint32_t frame = 10; frame < 400 && !line.has("lost 0 slow"); ++frame) {
    a().send(kLive.frame(frame));
    wait_for([] { return a().is_drained() || a().running() == 0; });
    line.advance(80);
  }
  const guint64 time = line.time_of("lost 0 slow");
  fail_unless(time > 9'000 && time < 13'000, "%d ms", static_cast<int>(time));
}
GST_END_TEST

// Stalls that a player with `timeout` of buffer does not notice.
GST_START_TEST(stalls_are_no_loss) {
  Line line(kTwo);
  a().send(kLive.header());
  std::uint32_t frame = 0;
  for (int turn = 0; turn < 5; ++turn) {
    line.play(a(), kLive, frame, frame + 50);
    frame += 50;
    line.advance(4000);
    a().send(kLive.frames(frame, frame + 100)); // it catches up
    frame += 100;
    wait_for([] { return a().is_drained(); });
  }
  assert_same(line.messages(), "switched 0 start");
}
GST_END_TEST

// Downstream that blocks for long is no fault of the source.
GST_START_TEST(downstream_blocks) {
  Line line(kTwo);
  line.block(true);
  a().send(kLive.header());
  for (std::uint32_t frame = 0; frame < 3000; ++frame)
    a().send(kLive.frame(frame));
  line.wait_for_message("switched 0 start");
  // The queue is full, and the source has more.
  wait_for([&] { return line.source_stat(0, "blocked") == "true"; });
  line.advance(60'000);
  assert_same(line.messages(), "switched 0 start");
  line.block(false);
  line.wait_for_size(joined({kLive.header(), kLive.frames(0, 3000)}).size());
  line.advance(4999);
  assert_same(line.messages(), "switched 0 start");
}
GST_END_TEST

// Media without any key frame.
GST_START_TEST(no_key_frame) {
  prepare_backup();
  Line line("uris=fake://a;fake://b timeout=1000");
  a().send(kLive.header());
  const Live inter(0, 1'000'000); // only frame 0 is a key frame
  for (std::uint32_t frame = 1; frame < 120 && !line.has("lost 0 no-keyframe"); ++frame) {
    a().send(inter.frame(frame));
    wait_for([] { return a().is_drained() || a().running() == 0; });
    line.advance(40);
  }
  assert_equals_uint64(line.time_of("lost 0 no-keyframe"), 4000);
}
GST_END_TEST

// A loss is reported once, until the source is back.
GST_START_TEST(one_report) {
  a().set_mode(Fake::Mode::Refuses);
  Line line("uris=fake://a");
  for (int attempt = 0; attempt < 5; ++attempt)
    line.run_to_next_attempt(a(), 0, 15'000);
  wait_for([&] { return line.source_stat(0, "state") == "waiting"; });
  assert_same(line.messages(), "lost 0 error");
  a().set_mode(Fake::Mode::Works);
  a().set_opening(joined({kLive.header(), kLive.frames(0, 10)}));
  line.run_to_next_attempt(a(), 0, 15'000);
  line.wait_for_message("switched 0 start");
  assert_same(line.messages(), "lost 0 error, back 0, switched 0 start");
}
GST_END_TEST

// The delays double, with a jitter of a quarter, up to the maximum.
GST_START_TEST(retry_delays) {
  a().set_mode(Fake::Mode::Refuses);
  Line line("uris=fake://a retry-min=1000 retry-max=6000");
  guint64 last = 0;
  for (const guint64 delay : {1000, 2000, 4000, 6000, 6000}) {
    line.run_to_next_attempt(a(), 0, delay);
    const guint64 passed = line.now() - last;
    fail_unless(passed >= delay * 3 / 4 && passed <= delay, "%d ms instead of %d",
                static_cast<int>(passed), static_cast<int>(delay));
    last = line.now();
  }
}
GST_END_TEST

// Secrets in URIs do not reach messages.
GST_START_TEST(secrets) {
  a().set_mode(Fake::Mode::Works);
  Line line("uris=\"fake://user:secret@a?key=secret\"");
  a().reset("cannot read fake://user:secret@a?key=secret now");
  const StructurePtr fields = line.fields_of("lost 0 error");
  assert_equals_string(gst_structure_get_string(fields.get(), "uri"), "fake://user:***@a?***");
  assert_equals_string(gst_structure_get_string(fields.get(), "text"),
                       "cannot read fake://user:***@a?*** now");
}
GST_END_TEST

static Suite *failoversrc_losses_suite() {
  Suite *suite = suite_create("failoversrc_losses");
  TCase *tcase = tcase_create("losses");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, a_source_is_lost, 0, static_cast<int>(std::size(kLosses)));
  tcase_add_loop_test(tcase, a_source_never_begins, 0, static_cast<int>(std::size(kBadStarts)));
  tcase_add_test(tcase, no_element_for_a_uri);
  tcase_add_test(tcase, half_of_real_time);
  tcase_add_test(tcase, stalls_are_no_loss);
  tcase_add_test(tcase, downstream_blocks);
  tcase_add_test(tcase, no_key_frame);
  tcase_add_test(tcase, one_report);
  tcase_add_test(tcase, retry_delays);
  tcase_add_test(tcase, secrets);
  return suite;
}

GST_CHECK_MAIN(failoversrc_losses);
