// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties as gst-inspect-1.0 shows them, and the statistics.
#include <cstring>

#include "pacetest.h"

using namespace flvtest;
using namespace pacetest;

namespace {

struct Property {
  const char *name;
  GType type;     // the type that defines it
  double minimum; // for numbers only
  double maximum;
  const char *default_value; // as gst_value_serialize() writes it; "": no default
  GParamFlags mutability;    // 0: read-only
};

constexpr auto kPlaying = static_cast<GParamFlags>(GST_PARAM_MUTABLE_PLAYING);
constexpr auto kReady = static_cast<GParamFlags>(GST_PARAM_MUTABLE_READY);
constexpr auto kNever = static_cast<GParamFlags>(0);

const Property kProperties[] = {
    {"burst", G_TYPE_UINT, 0, G_MAXUINT, "0", kPlaying},
    {"speed", G_TYPE_DOUBLE, 0.01, 1000, "1", kPlaying},
    {"catch-up-speed", G_TYPE_DOUBLE, 0, 1000, "0", kPlaying},
    {"sync", G_TYPE_BOOLEAN, 0, 0, "true", kPlaying},
    {"retimestamp", G_TYPE_ENUM, 0, 0, "continuous", kReady},
    {"max-gap", G_TYPE_UINT, 0, G_MAXUINT, "10000", kPlaying},
    {"mtu", G_TYPE_UINT, 0, G_MAXUINT, "0", kReady},
    {"max-tag-size", G_TYPE_UINT, 0, 16777215, "16777215", kReady},
    {"on-corrupt", G_TYPE_ENUM, 0, 0, "skip", kReady},
    {"live", G_TYPE_ENUM, 0, 0, "auto", kReady},
    {"max-delay", G_TYPE_UINT, 0, G_MAXUINT, "500", kPlaying},
    {"stats", G_TYPE_BOXED, 0, 0, "", kNever},
};

GParamSpec *spec_of(const Pace &pace, const char *name) {
  GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(pace.element()), name);
  fail_unless(spec != nullptr, "no property %s", name);
  return spec;
}

std::string value_text(const GValue *value) {
  gchar *text = gst_value_serialize(value);
  std::string copy(text ? text : "");
  g_free(text);
  return copy;
}

} // namespace

GST_START_TEST(every_property) {
  const Property &property = kProperties[__i__];
  Pace pace;
  const GParamSpec *spec = spec_of(pace, property.name);
  fail_unless(g_type_is_a(spec->value_type, property.type));
  const guint access = spec->flags & G_PARAM_READWRITE;
  assert_equals_int(access, property.mutability ? G_PARAM_READWRITE : G_PARAM_READABLE);
  const guint mutability = spec->flags & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED |
                                          GST_PARAM_MUTABLE_PLAYING);
  assert_equals_int(mutability, property.mutability);
}
GST_END_TEST

GST_START_TEST(ranges_and_defaults) {
  const Property &property = kProperties[__i__];
  Pace pace;
  GParamSpec *spec = spec_of(pace, property.name);
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    assert_equals_uint64(G_PARAM_SPEC_UINT(spec)->minimum, static_cast<guint>(property.minimum));
    assert_equals_uint64(G_PARAM_SPEC_UINT(spec)->maximum, static_cast<guint>(property.maximum));
  } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    fail_unless(G_PARAM_SPEC_DOUBLE(spec)->minimum == property.minimum);
    fail_unless(G_PARAM_SPEC_DOUBLE(spec)->maximum == property.maximum);
  }
  if (property.mutability == kNever)
    return;
  assert_text(value_text(g_param_spec_get_default_value(spec)), property.default_value);
  // A new element has the default values.
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  g_object_get_property(G_OBJECT(pace.element()), property.name, &value);
  assert_text(value_text(&value), property.default_value);
  g_value_unset(&value);
}
GST_END_TEST

GST_START_TEST(every_property_is_explained) {
  const char *const units[] = {"burst", "ms",    "max-gap",      "ms",
                               "mtu",   "bytes", "max-tag-size", "bytes"};
  Pace pace;
  for (const Property &property : kProperties) {
    GParamSpec *spec = spec_of(pace, property.name);
    fail_unless(std::strlen(g_param_spec_get_nick(spec)) > 0, "%s has no nick", property.name);
    fail_unless(std::strlen(g_param_spec_get_blurb(spec)) > 10, "%s has no blurb", property.name);
  }
  for (std::size_t i = 0; i < std::size(units); i += 2)
    fail_unless(std::strstr(g_param_spec_get_blurb(spec_of(pace, units[i])), units[i + 1]),
                "the unit of %s is not told", units[i]);
}
GST_END_TEST

GST_START_TEST(no_other_property) {
  Pace pace;
  guint count = 0;
  GParamSpec **specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(pace.element()), &count);
  std::size_t own = 0;
  for (guint i = 0; i < count; ++i)
    own += specs[i]->owner_type == G_OBJECT_TYPE(pace.element()) ? 1 : 0;
  g_free(specs);
  assert_equals_uint64(own, std::size(kProperties));
}
GST_END_TEST

GST_START_TEST(enum_values) {
  const struct {
    const char *property;
    std::vector<std::string> nicks;
  } enums[] = {{"retimestamp", {"continuous", "zero", "none"}}, {"on-corrupt", {"skip", "fail"}}};
  Pace pace("", GST_STATE_READY);
  for (const auto &[property, nicks] : enums) {
    const GEnumClass *values = G_PARAM_SPEC_ENUM(spec_of(pace, property))->enum_class;
    assert_equals_uint64(values->n_values, nicks.size());
    for (std::size_t i = 0; i < nicks.size(); ++i) {
      assert_text(values->values[i].value_nick, nicks[i]);
      gst_util_set_object_arg(G_OBJECT(pace.element()), property, nicks[i].c_str());
      gint value = -1;
      g_object_get(pace.element(), property, &value, nullptr);
      assert_equals_int(value, values->values[i].value);
    }
  }
}
GST_END_TEST

GST_START_TEST(values_are_kept) {
  Pace pace("burst=1500 speed=2.5 catch-up-speed=4 sync=false max-gap=123 mtu=1316 "
            "max-tag-size=70000");
  guint burst = 0, max_gap = 0, mtu = 0, max_tag_size = 0;
  gdouble speed = 0, catch_up_speed = 0;
  gboolean sync = TRUE;
  g_object_get(pace.element(), "burst", &burst, "max-gap", &max_gap, "mtu", &mtu, "max-tag-size",
               &max_tag_size, "speed", &speed, "catch-up-speed", &catch_up_speed, "sync", &sync,
               nullptr);
  fail_unless(burst == 1500 && max_gap == 123 && mtu == 1316 && max_tag_size == 70000);
  fail_unless(speed == 2.5 && catch_up_speed == 4 && !sync);
}
GST_END_TEST

GST_START_TEST(element_metadata) {
  Pace pace;
  GstElementFactory *factory = gst_element_get_factory(pace.element());
  for (const char *key : {GST_ELEMENT_METADATA_LONGNAME, GST_ELEMENT_METADATA_KLASS,
                          GST_ELEMENT_METADATA_DESCRIPTION, GST_ELEMENT_METADATA_AUTHOR}) {
    const gchar *text = gst_element_factory_get_metadata(factory, key);
    fail_unless(text != nullptr && std::strlen(text) > 0, "no %s", key);
  }
  // Autopluggers must not use it as a parser.
  assert_equals_int(gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(factory)), GST_RANK_NONE);
  for (const GList *at = gst_element_factory_get_static_pad_templates(factory); at; at = at->next) {
    auto *pad = static_cast<GstStaticPadTemplate *>(at->data);
    assert_equals_int(pad->presence, GST_PAD_ALWAYS);
    assert_text(pad->static_caps.string, "video/x-flv");
  }
  assert_equals_int(static_cast<int>(gst_element_factory_get_num_pad_templates(factory)), 2);
  GstPlugin *plugin = gst_plugin_feature_get_plugin(GST_PLUGIN_FEATURE(factory));
  assert_text(gst_plugin_get_license(plugin), "LGPL");
  gst_object_unref(plugin);
  GSList *categories = gst_debug_get_all_categories();
  const GSList *found = g_slist_find_custom(categories, "flvpace", [](auto category, auto name) {
    return std::strcmp(
        gst_debug_category_get_name(static_cast<GstDebugCategory *>(const_cast<void *>(category))),
        static_cast<const char *>(name));
  });
  fail_unless(found != nullptr, "no debug category");
  g_slist_free(categories);
}
GST_END_TEST

// A change of a property with the READY flag has no effect after the start. every_property checks
// that every writable property has a flag.
GST_START_TEST(set_while_playing) {
  const struct {
    const char *name;
    const char *value;
  } rows[] = {{"retimestamp", "zero"},
              {"mtu", "20"},
              {"max-tag-size", "10"},
              {"on-corrupt", "fail"},
              {"live", "yes"}};
  std::size_t ready = 0;
  for (const Property &property : kProperties)
    ready += property.mutability == kReady ? 1 : 0;
  assert_equals_uint64(std::size(rows), ready);
  const Stream stream = video_at({500, 600, 700, 800});
  const std::size_t half = stream.tags[2].begin;
  const Buffer garbage(100, 0x55);
  for (const auto &[name, value] : rows) {
    Pace pace("sync=false");
    pace.push(Bytes(stream.bytes).first(half));
    pace.settle();
    gst_util_set_object_arg(G_OBJECT(pace.element()), name, value);
    assert_problem(pace, false, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                   std::string(name) + "=" + value + " has no effect now");
    gst_util_set_object_arg(G_OBJECT(pace.element()), name, value); // the same value: no warning
    pace.push(Bytes(stream.bytes).subspan(half));
    pace.push(garbage);
    pace.end();
    pace.run();
    assert_damage(pace, ""); // a warning, but no error
    const Arrivals arrivals = pace.take();
    assert_equals_uint64(arrivals.size(), stream.tags.size() + 1);
    assert_bytes(bytes(arrivals), stream.bytes);
    // The change takes effect at the next start.
    pace.set_state(GST_STATE_READY);
    pace.set_state(GST_STATE_PLAYING);
    GValue kept = G_VALUE_INIT;
    g_value_init(&kept, spec_of(pace, name)->value_type);
    g_object_get_property(G_OBJECT(pace.element()), name, &kept);
    assert_text(value_text(&kept), value);
    g_value_unset(&kept);
  }
}
GST_END_TEST

// A value that is set after the start takes effect at the next start.
GST_START_TEST(set_for_the_next_start) {
  const Stream stream = video_at({500, 600});
  Pace pace("sync=false");
  pace.push(stream.bytes);
  pace.settle();
  pace.set("mtu", 20U);
  assert_problem(pace, false, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "mtu=20");
  assert_equals_uint64(pace.take().size(), stream.tags.size() + 1);
  pace.set_state(GST_STATE_READY);
  pace.set_state(GST_STATE_PLAYING);
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  const Arrivals arrivals = pace.take();
  fail_unless(arrivals.size() > 2 * stream.tags.size());
  for (const auto &arrival : arrivals)
    fail_unless(arrival.bytes.size() <= 20);
}
GST_END_TEST

// --- Statistics ---

namespace {

constexpr const char *kCounters[] = {
    "audio-tags",           "video-tags",         "script-tags",
    "key-frames",           "bytes-in",           "bytes-out",
    "bytes-skipped",        "discontinuities",    "late-tags",
    "lateness-last",        "lateness-average",   "lateness-maximum",
    "wrong-previous-sizes", "nonzero-stream-ids", "corrections"};

} // namespace

GST_START_TEST(stats_start_at_zero) {
  Pace pace;
  for (const char *counter : kCounters)
    assert_equals_uint64(pace.stat(counter), 0);
  assert_equals_int64(pace.lead(), 0);
  GstStructure *stats = nullptr;
  g_object_get(pace.element(), "stats", &stats, nullptr);
  assert_text(gst_structure_get_name(stats), "flvpace-stats");
  gdouble skew = 1;
  gint64 delay = 1;
  fail_unless(gst_structure_get(stats, "skew", G_TYPE_DOUBLE, &skew, "delay", G_TYPE_INT64, &delay,
                                nullptr));
  fail_unless(skew == 0 && delay == 0);
  assert_equals_int(gst_structure_n_fields(stats), static_cast<int>(std::size(kCounters)) + 3);
  gst_structure_free(stats);
}
GST_END_TEST

GST_START_TEST(stats_count_sent_tags) {
  Stream stream;
  stream.header().metadata().configs().key(0).aac(0).inter(40).aac(23).key(80).aac(46);
  stream.script(90, script("onTextData", {})).video(120, avc_end());
  const Buffer garbage(100, 0x55);
  Pace pace("sync=false");
  pace.push(joined({stream.bytes, garbage}));
  pace.end();
  pace.run();
  assert_equals_uint64(pace.stat("audio-tags"), 4);
  assert_equals_uint64(pace.stat("video-tags"), 5);
  assert_equals_uint64(pace.stat("script-tags"), 2);
  assert_equals_uint64(pace.stat("key-frames"), 2);
  assert_equals_uint64(pace.stat("bytes-in"), stream.bytes.size() + 100);
  assert_equals_uint64(pace.stat("bytes-out"), stream.bytes.size());
  assert_equals_uint64(pace.stat("bytes-skipped"), 100);
  assert_damage(pace, "");
}
GST_END_TEST

// Tags that still wait do not count as sent.
GST_START_TEST(stats_while_playing) {
  const Stream stream = steady(1000);
  Pace pace;
  pace.push(stream.bytes);
  pace.run_until(250);
  assert_equals_uint64(pace.stat("video-tags"), 3);
  assert_equals_uint64(pace.stat("bytes-out"), stream.tags[3].begin);
  assert_equals_uint64(pace.stat("bytes-in"), stream.bytes.size());
}
GST_END_TEST

GST_START_TEST(stats_with_mtu) {
  const Stream stream = steady(1000);
  Pace pace("sync=false mtu=30");
  pace.push(stream.bytes);
  pace.end();
  pace.run();
  assert_equals_uint64(pace.stat("video-tags"), 11);
  assert_equals_uint64(pace.stat("key-frames"), 1);
  assert_equals_uint64(pace.stat("bytes-out"), stream.bytes.size());
}
GST_END_TEST

GST_START_TEST(lateness) {
  Pace pace;
  pace.block_sink(3, 250); // the sink blocks from 200 to 450
  pace.push(steady(900).bytes, 50);
  pace.end();
  pace.run();
  // 10 tags; those at 300 and 400 are 150 and 50 ms late.
  assert_equals_uint64(pace.stat("late-tags"), 2);
  assert_equals_uint64(pace.stat("lateness-maximum"), 150 * GST_MSECOND);
  assert_equals_uint64(pace.stat("lateness-average"), 20 * GST_MSECOND);
  assert_equals_uint64(pace.stat("lateness-last"), 0);
}
GST_END_TEST

GST_START_TEST(late_is_more_than_ten_milliseconds) {
  Pace pace;
  pace.set_sink([&pace](std::size_t index) {
    if (index == 3) // 10 ms more than the limit
      pace.advance(110);
    if (index == 6) // 11 ms more than the limit
      pace.advance(111);
    return GST_FLOW_OK;
  });
  pace.push(steady(900).bytes, 50);
  pace.end();
  pace.run_until(620);
  assert_equals_uint64(pace.stat("late-tags"), 1);
  assert_equals_uint64(pace.stat("lateness-last"), 11 * GST_MSECOND);
}
GST_END_TEST

GST_START_TEST(lead_over_real_time) {
  Pace pace("burst=500");
  pace.push(steady(2000).bytes, 50);
  pace.settle();
  assert_equals_int64(pace.lead(), 500);
  pace.run_until(30);
  assert_equals_int64(pace.lead(), 470);
  pace.run_until(700);
  assert_equals_int64(pace.lead(), 500);
}
GST_END_TEST

GST_START_TEST(lead_of_a_late_stream) {
  Pace pace;
  pace.push(steady(300).bytes, 50);
  pace.run_until(1000);
  assert_equals_int64(pace.lead(), -700);
}
GST_END_TEST

GST_START_TEST(lead_is_0_after_a_flush) {
  Pace pace("burst=500");
  pace.push(steady().bytes, 50);
  pace.run_until(100);
  pace.flush();
  pace.run_until(200);
  assert_equals_int64(pace.lead(), 0);
}
GST_END_TEST

GST_START_TEST(stats_restart) {
  Pace pace;
  pace.block_sink(3, 250);
  pace.push(steady(900).bytes, 50);
  pace.end();
  pace.run();
  fail_unless(pace.stat("late-tags") > 0);
  pace.set_state(GST_STATE_READY);
  pace.set_state(GST_STATE_PAUSED);
  for (const char *counter : kCounters)
    assert_equals_uint64(pace.stat(counter), 0);
  assert_equals_int64(pace.lead(), 0);
}
GST_END_TEST

static Suite *flvpace_properties_suite() {
  Suite *suite = suite_create("flvpace_properties");
  TCase *tcase = tcase_create("properties");
  constexpr int kCount = static_cast<int>(std::size(kProperties));
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, every_property, 0, kCount);
  tcase_add_loop_test(tcase, ranges_and_defaults, 0, kCount);
  tcase_add_test(tcase, every_property_is_explained);
  tcase_add_test(tcase, no_other_property);
  tcase_add_test(tcase, enum_values);
  tcase_add_test(tcase, values_are_kept);
  tcase_add_test(tcase, element_metadata);
  tcase_add_test(tcase, set_while_playing);
  tcase_add_test(tcase, set_for_the_next_start);
  tcase_add_test(tcase, stats_start_at_zero);
  tcase_add_test(tcase, stats_count_sent_tags);
  tcase_add_test(tcase, stats_while_playing);
  tcase_add_test(tcase, stats_with_mtu);
  tcase_add_test(tcase, lateness);
  tcase_add_test(tcase, late_is_more_than_ten_milliseconds);
  tcase_add_test(tcase, lead_over_real_time);
  tcase_add_test(tcase, lead_of_a_late_stream);
  tcase_add_test(tcase, lead_is_0_after_a_flush);
  tcase_add_test(tcase, stats_restart);
  return suite;
}

GST_CHECK_MAIN(flvpace_properties);
