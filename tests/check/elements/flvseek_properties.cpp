// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties as gst-inspect-1.0 shows them.
#include <cstring>

#include "seektest.h"

using namespace flvtest;
using namespace seektest;

namespace {

struct Property {
  const char *name;
  GType type;                // the type that defines it
  const char *default_value; // as in a launch line; "": read-only
  GParamFlags mutability;    // 0: read-only
  const char *late = "";     // a different value
};

constexpr auto kReady = static_cast<GParamFlags>(GST_PARAM_MUTABLE_READY);
constexpr auto kSeek = static_cast<GParamFlags>(GST_PARAM_MUTABLE_PLAYING);
constexpr auto kNever = static_cast<GParamFlags>(0);

const Property kProperties[] = {
    {"offset", G_TYPE_UINT64, "0", kReady, "1"},
    {"start-time", G_TYPE_UINT64, "0", kReady, "2800"},
    {"stop-offset", G_TYPE_UINT64, "0", kSeek, "3000"},
    {"snap", G_TYPE_ENUM, "next", kSeek, "exact"},
    {"index", G_TYPE_ENUM, "metadata", kSeek, "scan"},
    {"reinsert", G_TYPE_FLAGS, "header+metadata+config", kSeek, "header"},
    {"metadata-keyframes", G_TYPE_ENUM, "rewrite", kSeek, "strip"},
    {"actual-offset", G_TYPE_UINT64, "", kNever},
    {"actual-time", G_TYPE_UINT64, "", kNever},
    {"keyframes", G_TYPE_BOXED, "", kNever},
};

GParamSpec *spec_of(const Seek &seek, const char *name) {
  GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(seek.element()), name);
  fail_unless(spec != nullptr, "no property %s", name);
  return spec;
}

// Formats flags as in a launch line.
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
  assert_equals_int(spec->flags & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED |
                                   GST_PARAM_MUTABLE_PLAYING),
                    property.mutability);
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

// A change of a property with the READY flag has no effect after the start, not even for a seek.
// The next seek uses the other properties; a change of them warns only if no seek is possible.
GST_START_TEST(set_while_playing) {
  const Stream stream = clip(300);
  const Bytes file(stream.bytes);
  for (const Property &property : kProperties) {
    if (property.mutability == kNever)
      continue;
    for (const Access access : kAccesses) {
      Seek seek({.bytes = stream.bytes, .access = access}, "start-time=400", GST_STATE_READY);
      seek.block(1);
      seek.set_state(GST_STATE_PLAYING);
      seek.wait_until_blocked();
      gst_util_set_object_arg(G_OBJECT(seek.element()), property.name, property.late);
      if (property.mutability == kReady || access == Access::Forward)
        assert_problem(seek, false, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                       std::string(property.name) + "=" + property.late + " has no effect now");
      gst_util_set_object_arg(G_OBJECT(seek.element()), property.name, property.late); // no change
      seek.release();
      seek.run();
      const Bytes tail = file.subspan(position(stream, 1));
      const Buffer sent = seek.take();
      assert_bytes(Bytes(sent).last(tail.size()), tail);
      if (property.mutability != kReady || access == Access::Forward)
        continue;
      fail_unless(seek.seek_time(1200));
      seek.run();
      const Bytes rest = file.subspan(position(stream, 3));
      const Buffer sought = seek.take();
      assert_bytes(Bytes(sought).last(rest.size()), rest);
      fail_unless(sought.size() < rest.size() + 2000);
    }
  }
}
GST_END_TEST

// A seek uses the properties with the PLAYING flag.
GST_START_TEST(set_for_the_next_seek) {
  const Stream stream = clip(1, key_frames_of, false);
  const Access access = kAccesses[__i__];
  Seek seek({.bytes = stream.bytes, .access = access}, "start-time=400");
  seek.run();
  const std::string stop = std::to_string(position(stream, 5));
  gst_util_set_object_arg(G_OBJECT(seek.element()), "stop-offset", stop.c_str());
  gst_util_set_object_arg(G_OBJECT(seek.element()), "snap", "previous");
  gst_util_set_object_arg(G_OBJECT(seek.element()), "reinsert", "header+metadata");
  gst_util_set_object_arg(G_OBJECT(seek.element()), "metadata-keyframes", "original");
  fail_unless(seek.seek(GST_FORMAT_BYTES, position(stream, 3) + 1));
  seek.run();
  Buffer should = started(stream, 3, {.configurations = false});
  should.resize(should.size() - (stream.bytes.size() - position(stream, 5)));
  assert_bytes(seek.take(), should);
  gst_util_set_object_arg(G_OBJECT(seek.element()), "stop-offset", "0");
  gst_util_set_object_arg(G_OBJECT(seek.element()), "index", "scan");
  fail_unless(seek.seek_time(1200));
  seek.run();
  assert_bytes(seek.take(), started(stream, 3, {.configurations = false}));
}
GST_END_TEST

static Suite *flvseek_properties_suite() {
  Suite *suite = suite_create("flvseek_properties");
  TCase *tcase = tcase_create("properties");
  suite_add_tcase(suite, tcase);
  tcase_add_loop_test(tcase, every_property, 0, std::size(kProperties));
  tcase_add_test(tcase, values_are_kept);
  tcase_add_test(tcase, pads);
  tcase_add_test(tcase, set_while_playing);
  tcase_add_loop_test(tcase, set_for_the_next_seek, 0, 2);
  return suite;
}

GST_CHECK_MAIN(flvseek_properties);
