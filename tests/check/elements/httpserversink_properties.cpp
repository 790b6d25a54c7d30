// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties as gst-inspect-1.0 shows them.
#include <cstring>

#include "httptest.h"

using namespace httptest;

namespace {

constexpr auto kReady = static_cast<GParamFlags>(GST_PARAM_MUTABLE_READY);
constexpr auto kPlaying = static_cast<GParamFlags>(GST_PARAM_MUTABLE_PLAYING);
constexpr auto kAlways = static_cast<GParamFlags>(0);

struct Property {
  const char *name;
  GType type;
  GParamFlags when;
  const char *default_value; // as in a launch line; nullptr: read-only
  guint64 most = 0;          // for numbers
  guint64 least = 0;
};

const Property kProperties[] = {
    {"address", G_TYPE_STRING, kReady, "localhost"},
    {"port", G_TYPE_UINT, kReady, "8080", G_MAXUINT16},
    {"current-port", G_TYPE_UINT, kAlways, nullptr, G_MAXUINT16},
    {"path", G_TYPE_STRING, kReady, "/"},
    {"allow-origin", G_TYPE_STRING, kPlaying, "*"},
    {"wait-timeout", G_TYPE_UINT, kPlaying, "5000", G_MAXUINT},
    {"request-timeout", G_TYPE_UINT, kReady, "5000", G_MAXUINT, 1},
    {"tls-certificate", G_TYPE_STRING, kReady, ""},
    {"tls-key", G_TYPE_STRING, kReady, ""},
    {"join", G_TYPE_ENUM, kPlaying, "latest-keyframe"},
    {"burst", G_TYPE_UINT, kPlaying, "2000", G_MAXUINT},
    {"rebase-timestamps", G_TYPE_BOOLEAN, kPlaying, "true"},
    {"drain-timeout", G_TYPE_UINT, kPlaying, "5000", G_MAXUINT},
    {"max-lag", G_TYPE_UINT, kPlaying, "10000", G_MAXUINT},
    {"max-lag-bytes", G_TYPE_UINT64, kPlaying, "33554432", G_MAXUINT64},
    {"client-timeout", G_TYPE_UINT, kPlaying, "10000", G_MAXUINT},
    {"max-clients", G_TYPE_UINT, kPlaying, "0", G_MAXUINT},
    {"merge", G_TYPE_UINT, kPlaying, "40", 10'000},
    {"stats-path", G_TYPE_STRING, kReady, ""},
    {"metrics-path", G_TYPE_STRING, kReady, ""},
    {"page-path", G_TYPE_STRING, kReady, ""},
    {"stats", G_TYPE_BOXED, kAlways, nullptr},
};

std::string value_text(const GValue *value) {
  if (G_VALUE_HOLDS_STRING(value)) {
    const char *text = g_value_get_string(value);
    return text ? text : "";
  }
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

void assert_range(GParamSpec *spec, guint64 least, guint64 most) {
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    assert_equals_uint64(G_PARAM_SPEC_UINT(spec)->minimum, least);
    assert_equals_uint64(G_PARAM_SPEC_UINT(spec)->maximum, most);
  } else if (G_IS_PARAM_SPEC_UINT64(spec)) {
    assert_equals_uint64(G_PARAM_SPEC_UINT64(spec)->minimum, least);
    assert_equals_uint64(G_PARAM_SPEC_UINT64(spec)->maximum, most);
  } else {
    assert_equals_uint64(most, 0);
  }
}

ElementPtr new_element() {
  return ElementPtr(static_cast<GstElement *>(
      gst_object_ref_sink(gst_element_factory_make("httpserversink", nullptr))));
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
  assert_range(spec, property.least, property.most);
  if (!writable)
    return;
  assert_text(value_text(g_param_spec_get_default_value(spec)), property.default_value);
  assert_text(value_of(element.get(), property.name), property.default_value);
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
  assert_equals_int(own, std::size(kProperties));
}
GST_END_TEST

GST_START_TEST(values_are_kept) {
  const std::pair<const char *, const char *> values[] = {{"address", "0.0.0.0"},
                                                          {"port", "65535"},
                                                          {"path", "/a/b"},
                                                          {"allow-origin", "http://x"},
                                                          {"wait-timeout", "1"},
                                                          {"request-timeout", "2"},
                                                          {"tls-certificate", "/c"},
                                                          {"tls-key", "/k"},
                                                          {"join", "burst"},
                                                          {"burst", "4294967295"},
                                                          {"rebase-timestamps", "false"},
                                                          {"drain-timeout", "3"},
                                                          {"max-lag", "4294967295"},
                                                          {"max-lag-bytes", "18446744073709551615"},
                                                          {"client-timeout", "4"},
                                                          {"max-clients", "5"},
                                                          {"merge", "10000"},
                                                          {"stats-path", "/s"},
                                                          {"metrics-path", "/m"},
                                                          {"page-path", "/p"}};
  const ElementPtr element = new_element();
  for (const auto &[name, value] : values)
    gst_util_set_object_arg(G_OBJECT(element.get()), name, value);
  for (const auto &[name, value] : values)
    assert_text(value_of(element.get(), name), value);
}
GST_END_TEST

GST_START_TEST(every_start_point) {
  const ElementPtr element = new_element();
  for (const char *join : {"burst", "next-keyframe", "latest-keyframe"}) {
    gst_util_set_object_arg(G_OBJECT(element.get()), "join", join);
    assert_text(value_of(element.get(), "join"), join);
  }
}
GST_END_TEST

GST_START_TEST(signals) {
  const struct {
    const char *name;
    bool is_action;
    std::vector<GType> types;
  } rows[] = {{"client-added", false, {G_TYPE_UINT64}},
              {"client-removed", false, {G_TYPE_UINT64, G_TYPE_STRING, GST_TYPE_STRUCTURE}},
              {"clear", true, {}},
              {"remove", true, {G_TYPE_UINT64}}};
  const ElementPtr element = new_element();
  for (const auto &row : rows) {
    const guint id = g_signal_lookup(row.name, G_OBJECT_TYPE(element.get()));
    fail_unless(id != 0, "no signal %s", row.name);
    GSignalQuery query;
    g_signal_query(id, &query);
    assert_equals_int((query.signal_flags & G_SIGNAL_ACTION) != 0, row.is_action);
    assert_equals_uint64(query.return_type, G_TYPE_NONE);
    fail_unless(row.types ==
                std::vector<GType>(query.param_types, query.param_types + query.n_params));
  }
}
GST_END_TEST

// Before the start and after the end there are no clients and no stream.
GST_START_TEST(actions_and_statistics_at_rest) {
  Server server("", GST_STATE_NULL);
  for (int turn = 0; turn < 2; ++turn) {
    server.emit("clear");
    server.emit("remove", guint64{1});
    assert_equals_uint64(server.clients(), 0);
    assert_equals_uint64(server.stat("clients-served"), 0);
    assert_equals_int(server.port(), 0);
    server.set_state(GST_STATE_PLAYING);
    server.set_state(GST_STATE_NULL);
  }
}
GST_END_TEST

GST_START_TEST(a_free_port) {
  Server server("", GST_STATE_NULL);
  int notices = 0;
  g_signal_connect(server.element(), "notify::current-port",
                   G_CALLBACK(+[](GObject *, GParamSpec *, int *count) { ++*count; }), &notices);
  for (int turn = 0; turn < 3; ++turn) {
    assert_equals_int(server.port(), 0);
    server.set_state(GST_STATE_READY);
    fail_unless(server.port() > 0);
    assert_equals_int(notices, turn + 1);
    const Client client(server.port());
    server.set_state(GST_STATE_NULL);
  }
}
GST_END_TEST

// The name may resolve to any address.
GST_START_TEST(addresses) {
  for (const char *address : {"localhost", "127.0.0.1", "0.0.0.0"}) {
    Server server(std::string("address=") + address);
    server.begin();
    const Stream stream = clip();
    server.push(stream.bytes);
    Client client(server);
    client.wait_for_head();
    assert_equals_int(client.status(), 200);
  }
}
GST_END_TEST

GST_START_TEST(pads) {
  const ElementPtr element = new_element();
  const gstflv::PadPtr pad(gst_element_get_static_pad(element.get(), "sink"));
  const CapsPtr caps(gst_pad_get_pad_template_caps(pad.get()));
  fail_unless(gst_caps_is_any(caps.get()));
}
GST_END_TEST

namespace {

// A different value for each property with the READY flag.
const std::pair<const char *, const char *> kLate[] = {
    {"address", "127.0.0.2"},      {"port", "1"},          {"path", "/elsewhere"},
    {"request-timeout", "7"},      {"tls-key", "/none"},   {"tls-certificate", "/none"},
    {"stats-path", "/statistics"}, {"metrics-path", "/m"}, {"page-path", "/p"}};

} // namespace

// A change of a property with the READY flag has no effect after the start. every_property checks
// that every writable property has a flag.
GST_START_TEST(set_while_playing) {
  std::size_t ready = 0;
  for (const Property &property : kProperties)
    ready += property.when == kReady ? 1 : 0;
  assert_equals_uint64(std::size(kLate), ready);
  Server server;
  const guint port = server.port();
  const Stream stream = clip();
  server.begin();
  server.push(stream.bytes);
  server.settle();
  for (const auto &[name, value] : kLate) {
    gst_util_set_object_arg(G_OBJECT(server.element()), name, value);
    assert_problem(server, false, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                   std::string(name) + "=" + value + " has no effect now");
    gst_util_set_object_arg(G_OBJECT(server.element()), name, value); // the same value: no warning
    assert_text(value_of(server.element(), name), value);
    assert_equals_int(server.port(), port);
    Client client(server);
    client.wait_for_head();
    assert_equals_int(client.status(), 200);
  }
}
GST_END_TEST

GST_START_TEST(set_while_playing_takes_effect_at_once) {
  Server server;
  for (const Property &property : kProperties) {
    if (property.when != kPlaying)
      continue;
    const bool is_text = property.type == G_TYPE_STRING;
    const char *other = is_text                           ? "http://localhost"
                        : property.type == G_TYPE_ENUM    ? "burst"
                        : property.type == G_TYPE_BOOLEAN ? "false"
                                                          : "17";
    gst_util_set_object_arg(G_OBJECT(server.element()), property.name, other);
    assert_text(value_of(server.element(), property.name), other);
  }
  fail_if(server.problem().found);
}
GST_END_TEST

// The base class starts the element in the change to READY, but a value that is set in READY takes
// effect.
GST_START_TEST(set_in_ready) {
  Server server("", GST_STATE_READY);
  fail_unless(server.port() > 0);
  server.set("path", "/elsewhere");
  server.set("stats-path", "/statistics");
  server.set_state(GST_STATE_PLAYING);
  const Stream stream = clip();
  server.begin();
  server.push(stream.bytes);
  server.settle();
  for (const auto &[path, status] :
       {std::pair("/elsewhere", 200), std::pair("/statistics", 200), std::pair("/live", 404)}) {
    Client client(server.port());
    client.send(std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    client.wait_for_head();
    assert_equals_int(client.status(), status);
  }
}
GST_END_TEST

GST_START_TEST(set_in_ready_to_invalid_values) {
  Server server("", GST_STATE_READY);
  server.set("path", "elsewhere");
  fail_unless(server.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
  fail_unless(server.problem().says("elsewhere"));
  server.set_state(GST_STATE_READY);
  server.set("path", "/elsewhere");
  fail_if(server.set_state(GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
  fail_unless(server.port() > 0);
}
GST_END_TEST

static Suite *httpserversink_properties_suite() {
  Suite *suite = suite_create("httpserversink_properties");
  TCase *tcase = tcase_create("properties");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, every_property, 0, static_cast<int>(std::size(kProperties)));
  tcase_add_test(tcase, no_other_property);
  tcase_add_test(tcase, values_are_kept);
  tcase_add_test(tcase, every_start_point);
  tcase_add_test(tcase, signals);
  tcase_add_test(tcase, actions_and_statistics_at_rest);
  tcase_add_test(tcase, a_free_port);
  tcase_add_test(tcase, addresses);
  tcase_add_test(tcase, pads);
  tcase_add_test(tcase, set_while_playing);
  tcase_add_test(tcase, set_while_playing_takes_effect_at_once);
  tcase_add_test(tcase, set_in_ready);
  tcase_add_test(tcase, set_in_ready_to_invalid_values);
  return suite;
}

GST_CHECK_MAIN(httpserversink_properties);
