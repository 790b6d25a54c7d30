// SPDX-License-Identifier: LGPL-2.1-or-later
#include "flv/stream/kind_probe.h"

#include <initializer_list>

#include "checkrun.h"

using namespace flv;

namespace {

using enum KindProbe::Unannounced;

KindProbe seen(std::initializer_list<TagType> kinds) {
  KindProbe probe;
  for (const TagType kind : kinds)
    probe.note_media(kind, 0);
  return probe;
}

START_TEST(test_set) {
  KindSet set;
  ck_assert(set.empty() && !set.contains(TagType::Audio) && !set.contains(TagType::Video));
  ck_assert(set.insert(TagType::Video));
  ck_assert(!set.insert(TagType::Video));
  ck_assert(set.contains(TagType::Video) && !set.contains(TagType::Audio));
  ck_assert(set.insert(TagType::Audio));
  ck_assert(set.contains(TagType::Video) && set.contains(TagType::Audio) && !set.empty());
}
END_TEST

const struct {
  bool audio, video; // announced
  KindProbe probe;
  bool both, limit; // whether the kinds are known, by the rule
} kKinds[] = {
    {true, true, seen({TagType::Audio}), false, false},
    {true, true, seen({TagType::Audio, TagType::Video}), true, true},
    {true, false, seen({TagType::Audio}), true, true},
    {true, false, seen({TagType::Video}), false, false},
    {false, true, seen({TagType::Video}), true, true},
    {false, false, seen({}), false, false},
    {false, false, seen({TagType::Video}), false, false},
    {false, false, seen({TagType::Audio, TagType::Video}), true, false},
};

START_TEST(test_kinds) {
  const auto &row = ROW(kKinds);
  const FileHeader announced{.has_audio = row.audio, .has_video = row.video};
  ck_assert(row.probe.knows_kinds(announced, Both) == row.both);
  ck_assert(row.probe.knows_kinds(announced, Limit) == row.limit);
}
END_TEST

START_TEST(test_limits) {
  constexpr KindProbe::Limits kLimits = {500, 1000};
  KindProbe probe;
  ck_assert(!probe.has_reached(kLimits, 999));
  ck_assert(probe.has_reached(kLimits, 1000));
  probe.note_media(TagType::Video, 499);
  probe.note_media(TagType::Audio, -100);
  ck_assert(!probe.has_reached(kLimits, 0));
  probe.note_media(TagType::Video, 500);
  ck_assert(probe.has_reached(kLimits, 0));
  probe.drop_media();
  ck_assert(!probe.has_reached(kLimits, 0) && probe.seen().contains(TagType::Video));
}
END_TEST

} // namespace

int main() {
  return flvtest::run("kind_probe", {{test_set}, {test_kinds, std::size(kKinds)}, {test_limits}});
}
