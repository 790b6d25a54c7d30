// SPDX-License-Identifier: LGPL-2.1-or-later
// Invalid and damaged files: the stream ends, with or without an error.
#include <random>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

const char *const kProperties[] = {
    "offset=3000",
    "offset=3000 index=auto stop-offset=9000",
    "start-time=900 snap=previous index=auto",
    "start-time=900 index=scan",
    "offset=3000 snap=exact reinsert=0",
    "",
};

// Changes random bytes, more of them near the start.
Buffer mutated(Buffer bytes, std::mt19937 &random) {
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  for (std::size_t count = 1 + below(8); count > 0; --count) {
    const std::size_t range =
        below(2) == 0 ? std::min<std::size_t>(bytes.size(), 600) : bytes.size();
    const std::size_t at = below(range);
    switch (below(4)) {
    case 0:
      bytes[at] = static_cast<std::uint8_t>(random());
      break;
    case 1:
      bytes[at] = below(2) == 0 ? 0 : 0xFF;
      break;
    case 2:
      bytes = inserted(std::move(bytes), at, payload(1 + below(20)));
      break;
    default:
      bytes = erased(std::move(bytes), at, std::min(bytes.size() - at, 1 + below(20)));
      break;
    }
  }
  if (below(8) == 0)
    bytes.resize(1 + below(bytes.size()));
  return bytes;
}

// The stream ends without intervention. Any messages on the bus are allowed.
void play(Source source, const char *properties, bool and_seek) {
  Seek seek(std::move(source), properties);
  seek.run();
  if (and_seek && seek.seek_time(700))
    seek.run();
  seek.set_state(GST_STATE_NULL);
  while (seek.problem().found) {
  }
}

constexpr std::uint32_t kSeeds = 8;

} // namespace

GST_START_TEST(mutations) {
  std::mt19937 random(static_cast<std::uint32_t>(__i__));
  const Stream stream = clip();
  for (int turn = 0; turn < 12; ++turn) {
    const Buffer bytes = mutated(stream.bytes, random);
    for (const char *properties : kProperties) {
      for (const Access access : kAccesses)
        play({.bytes = bytes, .access = access, .chunk = 1000}, properties, turn % 3 == 0);
    }
  }
}
GST_END_TEST

GST_START_TEST(noise) {
  const Buffer noise = payload(30000, static_cast<std::uint32_t>(__i__) + 1);
  const Buffer zeros(20000, 0);
  for (const Buffer &bytes :
       {noise, zeros, joined({file_header(), noise}), joined({file_header(), zeros}),
        joined({file_header(), tag_header(18, 0xFFFFFF), noise})}) {
    for (const char *properties : kProperties) {
      for (const Access access : kAccesses)
        play({.bytes = bytes, .access = access, .chunk = 5000}, properties, true);
    }
  }
}
GST_END_TEST

GST_START_TEST(cut_anywhere) {
  const Stream stream = clip();
  for (std::size_t size = static_cast<std::size_t>(__i__); size < stream.bytes.size();
       size += size < 700 ? 29 : 1999) {
    const Buffer bytes(stream.bytes.begin(),
                       stream.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    for (const Access access : kAccesses)
      play({.bytes = bytes, .access = access}, kProperties[size % std::size(kProperties)], true);
  }
}
GST_END_TEST

// A group of pictures without an end is not held indefinitely.
GST_START_TEST(no_other_key_frame) {
  constexpr std::size_t kMaxHeld = 64 << 20;
  Stream stream;
  stream.header().configs().key(0);
  std::uint32_t time = 0;
  while (stream.bytes.size() < kMaxHeld + (4 << 20))
    stream.video(time += 40, avc_frame(false, 1 << 20));
  Seek seek({.bytes = stream.bytes, .access = Access::Forward, .chunk = 1 << 20},
            "start-time=100000000 snap=previous index=scan");
  seek.run();
  const auto problem = seek.problem();
  fail_unless(problem.found && problem.says("More than 67108864 bytes"));
  fail_unless(problem.says(("byte " + std::to_string(position(stream, 0))).c_str()));
  fail_unless(seek.take().empty());
}
GST_END_TEST

static Suite *flvseek_hostile_suite() {
  Suite *suite = suite_create("flvseek_hostile");
  TCase *tcase = tcase_create("hostile");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, mutations, 0, kSeeds);
  tcase_add_loop_test(tcase, noise, 0, 2);
  tcase_add_loop_test(tcase, cut_anywhere, 0, 4);
  tcase_add_test(tcase, no_other_key_frame);
  return suite;
}

GST_CHECK_MAIN(flvseek_hostile);
