// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties and signals as gst-inspect-1.0 shows them.
#include <cstring>
#include <iterator>

#include "failovertest.h"

using namespace flvtest;
using namespace failovertest;

namespace {

constexpr auto kReady = static_cast<GParamFlags>(GST_PARAM_MUTABLE_READY);
constexpr auto kPlaying = static_cast<GParamFlags>(GST_PARAM_MUTABLE_PLAYING);
constexpr auto kAlways = static_cast<GParamFlags>(0);

struct Property {
  const char *name;
  GType type;
  GParamFlags when;
  const char *default_value; // nullptr: read-only
  guint least = 0;           // for numbers
};

const Property kProperties[] = {
    {"uris", G_TYPE_STRING, kReady, ""},
    {"timeout", G_TYPE_UINT, kPlaying, "5000", 1},
    {"retry-min", G_TYPE_UINT, kPlaying, "500", 1},
    {"retry-max", G_TYPE_UINT, kPlaying, "15000", 1},
    {"fail-back", G_TYPE_UINT, kPlaying, "10000"},
    {"on-demand", G_TYPE_BOOLEAN, kReady, "false"},
    {"idle-timeout", G_TYPE_UINT, kPlaying, "10000"},
    {"current-uri", G_TYPE_STRING, kAlways, nullptr},
    {"stats", G_TYPE_BOXED, kAlways, nullptr},
};

std::string value_text(const GValue *value) {
  if (G_VALUE_HOLDS_STRING(value))
    return g_value_get_string(value) ? g_value_get_string(value) : "null";
  const gstflv::StringPtr text(gst_value_serialize(value));
  return text.get();
}

std::string value_of(GstElement *element, const char *name) {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(element), name, &value);
  std::string text = value_text(&value);
  g_value_unset(&value);
  return text;
}

ElementPtr new_element() {
  return ElementPtr(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("failoversrc", nullptr))));
}

} // namespace

GST_START_TEST(every_property) {
  const Property &property = kProperties[__i__];
  const ElementPtr element = new_element();
  GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), property.name);
  fail_unless(spec != nullptr, "no property %s", property.name);
  const bool writable = property.default_value != nullptr;
  fail_unless(g_type_is_a(spec->value_type, property.type));
  assert_equals_int(spec->flags & G_PARAM_READWRITE,
                    writable ? G_PARAM_READWRITE : G_PARAM_READABLE);
  assert_equals_int(spec->flags & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PLAYING),
                    property.when);
  fail_unless(std::strlen(g_param_spec_get_nick(spec)) > 0);
  fail_unless(std::strlen(g_param_spec_get_blurb(spec)) > 10);
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    assert_equals_uint64(G_PARAM_SPEC_UINT(spec)->minimum, property.least);
    assert_equals_uint64(G_PARAM_SPEC_UINT(spec)->maximum, G_MAXUINT);
  }
  if (!writable)
    return;
  assert_same(value_text(g_param_spec_get_default_value(spec)), property.default_value);
  assert_same(value_of(element.get(), property.name), property.default_value);
}
GST_END_TEST

GST_START_TEST(no_other_property) {
  const ElementPtr element = new_element();
  guint count = 0;
  const std::unique_ptr<GParamSpec *, decltype(&g_free)> specs(
      g_object_class_list_properties(G_OBJECT_GET_CLASS(element.get()), &count), g_free);
  guint own = 0;
  for (guint i = 0; i < count; ++i)
    own += specs.get()[i]->owner_type == G_OBJECT_TYPE(element.get()) ? 1 : 0;
  assert_equals_int(static_cast<int>(own), static_cast<int>(std::size(kProperties)));
}
GST_END_TEST

GST_START_TEST(values_are_kept) {
  const std::pair<const char *, const char *> values[] = {
      {"uris", "fake://a;fake://b"}, {"timeout", "4294967295"}, {"retry-min", "1"},
      {"retry-max", "4294967295"},   {"fail-back", "0"},        {"on-demand", "true"},
      {"idle-timeout", "7"}};
  const ElementPtr element = new_element();
  for (const auto &[name, value] : values)
    gst_util_set_object_arg(G_OBJECT(element.get()), name, value);
  for (const auto &[name, value] : values)
    assert_same(value_of(element.get(), name), value);
}
GST_END_TEST

GST_START_TEST(signals) {
  const struct {
    const char *name;
    bool is_action;
    GType result;
    std::vector<GType> types;
  } rows[] = {
      {"source-lost", false, G_TYPE_NONE, {G_TYPE_UINT, G_TYPE_STRING, G_TYPE_STRING}},
      {"source-switched", false, G_TYPE_NONE, {G_TYPE_UINT, G_TYPE_STRING, G_TYPE_STRING}},
      {"source-back", false, G_TYPE_NONE, {G_TYPE_UINT, G_TYPE_STRING}},
      {"source-setup", false, G_TYPE_NONE, {GST_TYPE_ELEMENT}},
      {"switch", true, G_TYPE_BOOLEAN, {G_TYPE_UINT}},
  };
  const ElementPtr element = new_element();
  for (const auto &row : rows) {
    const guint id = g_signal_lookup(row.name, G_OBJECT_TYPE(element.get()));
    fail_unless(id != 0, "no signal %s", row.name);
    GSignalQuery query;
    g_signal_query(id, &query);
    assert_equals_int((query.signal_flags & G_SIGNAL_ACTION) != 0, row.is_action);
    assert_equals_uint64(query.return_type, row.result);
    fail_unless(row.types ==
                std::vector<GType>(query.param_types, query.param_types + query.n_params));
  }
}
GST_END_TEST

// Before the start and after the end.
GST_START_TEST(at_rest) {
  const ElementPtr element = new_element();
  gboolean done = TRUE;
  g_signal_emit_by_name(element.get(), "switch", 0U, &done);
  fail_if(done);
  assert_same(value_of(element.get(), "current-uri"), "null");
  GstStructure *raw = nullptr;
  g_object_get(element.get(), "stats", &raw, nullptr);
  const StructurePtr stats(raw);
  fail_unless(gst_structure_has_name(stats.get(), "failoversrc-stats"));
  assert_equals_int(gst_structure_n_fields(stats.get()), 0);
}
GST_END_TEST

GST_START_TEST(set_while_playing) {
  Fake &a = Fake::named("a");
  a.set_mode(Fake::Mode::HangsInStart);
  Line line("uris=fake://a");
  for (const auto &[name, value] :
       {std::pair("uris", "fake://b"), std::pair("on-demand", "true")}) {
    gst_util_set_object_arg(G_OBJECT(line.element()), name, value);
    assert_same(line.warning(), std::string(name) + "=" + value +
                                    " has no effect now: it takes effect when the element starts "
                                    "from READY again.");
  }
  // The others take effect at once.
  wait_for([&] { return a.starts() == 1; });
  line.advance(1500);
  line.set("timeout", 2000U);
  line.advance(499);
  fail_if(line.has("lost 0 no-data"));
  line.advance(1);
  assert_equals_uint64(line.time_of("lost 0 no-data"), 2000);
  a.release();
}
GST_END_TEST

GST_START_TEST(statistics) {
  const Live live(0);
  Fake::named("a").set_mode(Fake::Mode::Refuses);
  Fake::named("b").set_opening(joined({live.header(), live.frame(0)}));
  Line line("uris=fake://a;fake://b");
  line.wait_for_message("switched 1 start");
  const Buffer sent = joined({live.header(), live.frame(0)});
  line.wait_for_size(sent.size());
  assert_same(line.source_stat(0, "uri"), "fake://a");
  assert_same(line.source_stat(0, "state"), "waiting");
  assert_same(line.source_stat(0, "last-reason"), "error");
  assert_same(line.source_stat(0, "last-text"), "Not Found");
  assert_same(line.source_stat(1, "state"), "delivering");
  assert_same(line.source_stat(1, "attempts"), "1");
  assert_same(line.source_stat(1, "bytes-in"), std::to_string(sent.size()));
  const StructurePtr stats = line.stats();
  gint index = -1;
  guint64 bytes = 0;
  guint64 switches = 0;
  fail_unless(gst_structure_get(stats.get(), "current-index", G_TYPE_INT, &index, "bytes-out",
                                G_TYPE_UINT64, &bytes, "switches", G_TYPE_UINT64, &switches,
                                nullptr));
  assert_equals_int(index, 1);
  assert_equals_uint64(bytes, sent.size());
  assert_equals_uint64(switches, 1);
}
GST_END_TEST

static Suite *failoversrc_properties_suite() {
  Suite *suite = suite_create("failoversrc_properties");
  TCase *tcase = tcase_create("properties");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, every_property, 0, static_cast<int>(std::size(kProperties)));
  tcase_add_test(tcase, no_other_property);
  tcase_add_test(tcase, values_are_kept);
  tcase_add_test(tcase, signals);
  tcase_add_test(tcase, at_rest);
  tcase_add_test(tcase, set_while_playing);
  tcase_add_test(tcase, statistics);
  return suite;
}

GST_CHECK_MAIN(failoversrc_properties);
