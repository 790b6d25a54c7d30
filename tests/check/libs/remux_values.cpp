// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of the remux bin that are functions of values. pipelines/remux.py tests whole streams.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "checkrun.h"
#include "common/remux/audio_frames.h"
#include "common/remux/av1.h"
#include "common/remux/dts_restorer.h"
#include "common/remux/edit_lists.h"
#include "common/remux/flv_payload.h"
#include "common/remux/nal.h"
#include "common/remux/writer.h"
#include "flv/format/codec.h"

using namespace remux;

namespace {

using Times = std::vector<std::int64_t>;
constexpr std::int64_t kMs = 1'000'000;

const bool kShort = g_getenv("FLV_TEST_SHORT") != nullptr;

Times restored(const Times &pts, std::optional<std::size_t> depth, std::int64_t duration = 0) {
  DtsRestorer restorer(depth, duration);
  Times dts;
  for (const std::int64_t time : pts)
    restorer.push(time, dts);
  restorer.finish(dts);
  return dts;
}

START_TEST(test_pyramid_of_b_frames) {
  const Times pts = {0, 160, 80, 40, 120, 320, 240, 200, 280};
  const Times expected = {-80, -40, 0, 40, 80, 120, 160, 200, 240};
  ck_assert(restored(pts, 2, 40) == expected);
  ck_assert(restored(pts, std::nullopt, 40) == expected);
}
END_TEST

// One picture is held for each that is reordered, and only at the start.
START_TEST(test_pictures_leave_at_once) {
  DtsRestorer restorer(1, 40);
  Times dts;
  restorer.push(0, dts);
  ck_assert_uint_eq(dts.size(), 0);
  for (std::size_t i = 1; i < 100; ++i) {
    restorer.push(static_cast<std::int64_t>(i % 2 == 1 ? i + 1 : i - 1) * 40, dts);
    ck_assert_uint_eq(dts.size(), i + 1);
  }
}
END_TEST

// Whatever the times are, decoding times never decrease, and no picture is shown before.
START_TEST(test_any_times_are_ordered) {
  std::mt19937 random(1);
  for (int round = 0; round < (kShort ? 50 : 2000); ++round) {
    Times pts;
    for (std::size_t i = 0; i < 1 + random() % 60; ++i)
      pts.push_back(static_cast<std::int64_t>(i + random() % 4) * 40);
    const Times dts = restored(pts, 3, round % 2 * 40);
    ck_assert_uint_eq(dts.size(), pts.size());
    ck_assert(std::ranges::is_sorted(dts));
    for (std::size_t i = 0; i < dts.size(); ++i)
      ck_assert_int_le(dts[i], pts[i]);
  }
}
END_TEST

std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// Of x264: 320x240, three B frames in a pyramid.
constexpr std::string_view kAvc = "0164000dffe100196764000dacd94141fb011000000300100000030320f14299"
                                  "6001000468ef8fcb";

START_TEST(test_sequence_of_avc) {
  const auto info = read_sequence(Codec::H264, from_hex(kAvc));
  ck_assert(info.has_value());
  ck_assert_uint_eq(info->width, 320);
  ck_assert_uint_eq(info->height, 240);
  ck_assert(info->reorder == std::size_t{2});
}
END_TEST

START_TEST(test_start_codes) {
  Track track;
  track.config = from_hex(kAvc);
  const auto config = parse_config(Codec::H264, track.config);
  ck_assert(config && config->parameter_sets.size() == 2);
  std::vector<std::uint8_t> out;
  append_byte_stream(track, *config, from_hex("0000000265880000000141"), true, out);
  const auto text = from_hex("0000000109f000000001"
                             "6764");
  ck_assert(std::equal(text.begin(), text.end(), out.begin()));
  const auto end = from_hex("000000016588"
                            "0000000141");
  ck_assert(
      std::equal(end.begin(), end.end(), out.end() - static_cast<std::ptrdiff_t>(end.size())));
}
END_TEST

std::string big_endian(std::uint64_t number, int size) {
  std::string bytes;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    bytes += shift < 64 ? static_cast<char>(number >> shift) : '\0';
  return bytes;
}

std::string box(const std::string &type, const std::string &content) {
  return big_endian(content.size() + 8, 4) + type + content;
}

std::string header(std::uint64_t scale, std::uint64_t duration) {
  return big_endian(0, 12) + big_endian(scale, 4) + big_endian(duration, 4) + big_endian(0, 4);
}

// An edit list with an empty edit of 500 ms, and a start at 1024 of 12800.
std::string movie() {
  const std::string list = big_endian(0, 4) + big_endian(2, 4) + big_endian(500, 4) +
                           big_endian(0xFFFFFFFF, 4) + big_endian(1 << 16, 4) +
                           big_endian(4000, 4) + big_endian(1024, 4) + big_endian(1 << 16, 4);
  const std::string media = box("mdhd", header(12800, 51200)) +
                            box("hdlr", big_endian(0, 8) + "vide" + big_endian(0, 12));
  return box("moov", box("mvhd", header(1000, 4500)) +
                         box("trak", box("edts", box("elst", list)) + box("mdia", media)));
}

START_TEST(test_edit_lists_are_hidden) {
  std::string bytes = movie();
  const auto lists =
      take_edit_lists({reinterpret_cast<std::uint8_t *>(bytes.data()), bytes.size()});
  ck_assert_int_eq(lists.shift_of(flv::fourcc("vide"), 0), 500 * kMs - 80 * kMs);
  ck_assert_int_eq(lists.shift_of(flv::fourcc("vide"), 1), 0);
  ck_assert_int_eq(lists.duration.value_or(0), 4000 * kMs);
  ck_assert(bytes.find("edts") == std::string::npos && bytes.find("free") != std::string::npos);
}
END_TEST

// The bytes are the same for chunks of any size, except for the edit list and the durations.
START_TEST(test_movie_in_chunks) {
  const std::string file = box("ftyp", "isom") + box("mdat", std::string(300, 'x')) + movie() +
                           box("free", std::string(100, 'y'));
  for (std::size_t size = 1; size < file.size(); size += kShort ? 37 : 1) {
    MovieFinder finder;
    std::string out;
    int found = 0;
    for (std::size_t at = 0; at < file.size(); at += size) {
      const std::string chunk = file.substr(at, size);
      auto part = finder.feed({reinterpret_cast<const std::uint8_t *>(chunk.data()), chunk.size()});
      if (part.movie) {
        ++found;
        ck_assert_uint_eq(part.movie->size(), movie().size());
        ck_assert_int_ne(take_edit_lists(*part.movie).tracks.size(), 0);
      }
      out.append(reinterpret_cast<const char *>(part.bytes.data()), part.bytes.size());
    }
    ck_assert_int_eq(found, 1);
    ck_assert_uint_eq(out.size(), file.size());
    ck_assert(out.starts_with(file.substr(0, 328)) &&
              out.ends_with(file.substr(file.size() - 108)));
  }
}
END_TEST

START_TEST(test_enhanced_payload) {
  const auto tag = from_hex("91"
                            "68766331"
                            "000028"
                            "aabb");
  const auto payload = read_payload(flv::TagType::Video, tag);
  ck_assert(payload && payload->codec == Codec::Hevc && payload->key);
  ck_assert_int_eq(payload->composition, 40);
  ck_assert_uint_eq(payload->data.size(), 2);
  const auto negative = read_payload(flv::TagType::Video, from_hex("2701ffffd8aa"));
  ck_assert(negative && negative->composition == -40 && !negative->key);
  const auto opus = read_payload(flv::TagType::Audio, from_hex("91"
                                                               "4f707573"
                                                               "aa"));
  ck_assert(opus && opus->codec == Codec::Opus && opus->kind == FlvPayload::Kind::Media);
  ck_assert(!read_payload(flv::TagType::Video, from_hex("96"
                                                        "00")));
}
END_TEST

START_TEST(test_durations_of_opus) {
  ck_assert_uint_eq(samples_of_opus(from_hex("fc00")), 960);
  ck_assert_uint_eq(samples_of_opus(from_hex("0b03")), 3 * 960);
  ck_assert_uint_eq(samples_of_opus({}), 0);
}
END_TEST

START_TEST(test_ms_are_rounded) {
  ck_assert_int_eq(to_ms(1'499'999), 1);
  ck_assert_int_eq(to_ms(1'500'000), 2);
  ck_assert_int_eq(to_ms(-400'000), 0);
  ck_assert_int_eq(to_ms(-600'000), -1);
}
END_TEST

START_TEST(test_extensions) {
  ck_assert(format_of_extension("/live/cam.FLV") == Format::Flv);
  ck_assert(format_of_extension("a.b.mkv") == Format::Matroska);
  ck_assert(!format_of_extension("/a.mp4") && !format_of_extension("/flv"));
}
END_TEST

// Any bytes are parsed without a read out of range, and any sample is written.
START_TEST(test_damage) {
  std::mt19937 random(7);
  for (int round = 0; round < (kShort ? 200 : 5000); ++round) {
    std::vector<std::uint8_t> bytes(random() % 80);
    for (std::uint8_t &byte : bytes)
      byte = static_cast<std::uint8_t>(random());
    for (const Codec codec : {Codec::H264, Codec::Hevc}) {
      (void)read_sequence(codec, bytes);
      (void)prefixed_parameter_sets(codec, bytes);
    }
    (void)read_av1(bytes);
    (void)vp_config(Codec::Vp9, bytes);
    (void)split_xiph(bytes);
    (void)is_mp3_info(bytes);
    (void)read_payload(round % 2 == 0 ? flv::TagType::Video : flv::TagType::Audio, bytes);
    std::string changed = movie();
    changed[random() % changed.size()] = static_cast<char>(random());
    (void)take_edit_lists({reinterpret_cast<std::uint8_t *>(changed.data()), changed.size()});
    for (const Format format : {Format::Flv, Format::Matroska, Format::MpegTs, Format::Ogg}) {
      const auto writer = make_writer(format);
      Track track;
      track.codec = format == Format::Ogg ? Codec::Vorbis : Codec::H264;
      track.config = bytes;
      Output out;
      writer->begin({track}, std::nullopt, out);
      (void)writer->write({0, bytes, 40 * kMs, 0, true}, out);
      writer->end(out);
      ck_assert(format != Format::MpegTs || out.size() % 188 == 0);
    }
  }
}
END_TEST

// Chromium needs it in live Matroska, known or not.
START_TEST(test_duration_of_pictures) {
  for (const std::int64_t duration : {std::int64_t{0}, std::int64_t{33'333'333}}) {
    Track track;
    track.config = from_hex(kAvc);
    track.frame_duration = duration;
    Output out;
    make_writer(Format::Matroska)->begin({track}, std::nullopt, out);
    const auto element =
        from_hex(duration == 0 ? "23e383880000000002625a00" : "23e383880000000001fca055");
    ck_assert(std::search(out.begin(), out.end(), element.begin(), element.end()) != out.end());
  }
}
END_TEST

} // namespace

int main() {
  return flvtest::run("remux_values", {{test_pyramid_of_b_frames},
                                       {test_pictures_leave_at_once},
                                       {test_any_times_are_ordered},
                                       {test_sequence_of_avc},
                                       {test_start_codes},
                                       {test_edit_lists_are_hidden},
                                       {test_movie_in_chunks},
                                       {test_enhanced_payload},
                                       {test_durations_of_opus},
                                       {test_ms_are_rounded},
                                       {test_duration_of_pictures},
                                       {test_extensions},
                                       {test_damage}});
}
