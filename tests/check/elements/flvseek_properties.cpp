// SPDX-License-Identifier: LGPL-2.1-or-later
// What gst-inspect-1.0 shows.
#include <cstring>

#include "seektest.h"

using namespace seektest;

namespace {

struct Property {
  const char *name;
  GType type;                // of which it is one
  const char *default_value; // as in a launch line; "" where it is read-only
};

const Property kProperties[] = {
    {"offset", G_TYPE_UINT64, "0"},
    {"start-time", G_TYPE_UINT64, "0"},
    {"stop-offset", G_TYPE_UINT64, "0"},
    {"snap", G_TYPE_ENUM, "next"},
    {"index", G_TYPE_ENUM, "metadata"},
    {"reinsert", G_TYPE_FLAGS, "header+metadata+config"},
    {"metadata-keyframes", G_TYPE_ENUM, "rewrite"},
    {"actual-offset", G_TYPE_UINT64, ""},
    {"actual-time", G_TYPE_UINT64, ""},
    {"keyframes", G_TYPE_BOXED, ""},
};

GParamSpec *spec_of(const Seek &seek, const char *name) {
  GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(seek.element()), name);
  fail_unless(spec != nullptr, "no property %s", name);
  return spec;
}

// Flags as they are in a launch line.
std::string value_text(const GValue *value) {
  if (G_VALUE_HOLDS_FLAGS(value)) {
    std::string names;
    const auto *type = static_cast<GFlagsClass *>(g_type_class_peek(G_VALUE_TYPE(value)));
    for (guint i = 0; i < type->n_values; ++i) {
      if (!(type->values[i].value & g_value_get_flags(value)))
        continue;
      names += names.empty() ? "" : "+";
      names += type->values[i].value_nick;
    }
    return names;
  }
  gchar *text = gst_value_serialize(value);
  std::string copy(text ? text : "");
  g_free(text);
  return copy;
}

} // namespace

GST_START_TEST(every_property) {
  const Property &property = kProperties[__i__];
  const Seek seek({}, "", GST_STATE_NULL);
  GParamSpec *spec = spec_of(seek, property.name);
  const bool writable = std::strlen(property.default_value) > 0;
  fail_unless(g_type_is_a(spec->value_type, property.type));
  assert_equals_int(spec->flags & G_PARAM_READWRITE,
                    writable ? G_PARAM_READWRITE : G_PARAM_READABLE);
  fail_unless(std::strlen(g_param_spec_get_nick(spec)) > 0);
  fail_unless(std::strlen(g_param_spec_get_blurb(spec)) > 10);
  if (!writable)
    return;
  assert_text(value_text(g_param_spec_get_default_value(spec)), property.default_value);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  g_object_get_property(G_OBJECT(seek.element()), property.name, &value);
  assert_text(value_text(&value), property.default_value);
  g_value_unset(&value);
}
GST_END_TEST

GST_START_TEST(values_are_kept) {
  Seek seek({},
            "offset=18446744073709551615 stop-offset=18446744073709551614 start-time=7 "
            "snap=exact index=auto reinsert=header+config metadata-keyframes=strip",
            GST_STATE_NULL);
  assert_equals_uint64(seek.get("offset"), G_MAXUINT64);
  assert_equals_uint64(seek.get("stop-offset"), G_MAXUINT64 - 1);
  assert_equals_uint64(seek.get("start-time"), 7);
  for (const auto &[name, text] :
       {std::pair("snap", "exact"), std::pair("index", "auto"),
        std::pair("reinsert", "header+config"), std::pair("metadata-keyframes", "strip")}) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec_of(seek, name)->value_type);
    g_object_get_property(G_OBJECT(seek.element()), name, &value);
    assert_text(value_text(&value), text);
    g_value_unset(&value);
  }
}
GST_END_TEST

GST_START_TEST(pads) {
  const Seek seek({}, "", GST_STATE_NULL);
  for (GstPad *pad : {seek.sink_pad(), seek.source_pad()}) {
    GstCaps *caps = gst_pad_get_pad_template_caps(pad);
    gchar *text = gst_caps_to_string(caps);
    assert_text(text, "video/x-flv");
    g_free(text);
    gst_caps_unref(caps);
  }
}
GST_END_TEST

static Suite *flvseek_properties_suite() {
  Suite *suite = suite_create("flvseek_properties");
  TCase *tcase = tcase_create("properties");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, every_property, 0, std::size(kProperties));
  tcase_add_test(tcase, values_are_kept);
  tcase_add_test(tcase, pads);
  return suite;
}

GST_CHECK_MAIN(flvseek_properties);
