// SPDX-License-Identifier: LGPL-2.1-or-later
// flvstream's messages for an input that is not FLV. pipelines/command_input.py tests real files.
#include <random>
#include <string>
#include <vector>

#include "advice.h"
#include "checkrun.h"
#include "common/container.h"

using namespace flvstream;
using namespace tools;

namespace {

void check_text(const std::string &text, const char *expected) {
  ck_assert_str_eq(text.c_str(), expected);
}

std::string big_endian(std::uint64_t number, int size) {
  std::string bytes;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>(number >> shift);
  return bytes;
}

std::string box(const std::string &type, const std::string &content) {
  return big_endian(content.size() + 8, 4) + type + content;
}

// A track whose first sample entry is `entry`.
std::string track(const std::string &entry, const std::string &content = std::string(28, '\0')) {
  const std::string table = box("stsd", std::string(8, '\0') + box(entry, content));
  return box("trak", box("mdia", box("minf", box("stbl", table))));
}

std::string element(std::uint64_t id, int id_size, const std::string &content) {
  return big_endian(id, id_size) + '\x08' + big_endian(content.size(), 4) + content;
}

Container identify(const std::string &bytes) {
  const auto *data = reinterpret_cast<const std::uint8_t *>(bytes.data());
  return tools::identify(MemoryBytes({data, bytes.size()}));
}

std::string codecs_of(const Container &container) {
  std::string text;
  for (const Codec &codec : container.codecs)
    text += (text.empty() ? "" : ", ") + codec.name;
  return text;
}

const std::string kFileType = box("ftyp", "isom");

START_TEST(test_index_of_mp4_at_the_end) {
  const std::string media = box("mdat", std::string(100'000, 'x'));
  const std::string tracks = track("avc1") + track("tx3g") + track("mp4a") + track("tmcd");
  const Container container = identify(kFileType + media + box("moov", tracks));
  check_text(codecs_of(container), "H.264, AAC");
}
END_TEST

// A box with a 64-bit size, and a box that extends to the end of the file.
START_TEST(test_sizes_of_mp4) {
  const std::string tracks = track("hvc1");
  const std::string media = big_endian(1, 4) + "mdat" + big_endian(20, 8) + "xxxx";
  check_text(codecs_of(identify(kFileType + media + box("moov", tracks))), "HEVC");
  const std::string last = big_endian(0, 4) + "moov" + tracks;
  check_text(codecs_of(identify(kFileType + last)), "HEVC");
}
END_TEST

START_TEST(test_codecs_of_mp4a) {
  const std::string fields(28, '\0');
  const std::string version(4, '\0');
  for (const auto &[object, name] : {std::pair{'\x40', "AAC"}, {'\x6B', "MP3"}, {'\x69', "MP3"}}) {
    const std::string fourth = std::string("\x04\x0d", 2) + object;
    const std::string third = std::string("\x03\x19\x00\x01\x00", 5);
    const std::string descriptors = box("esds", version + third + fourth + std::string(12, '\0'));
    const std::string tracks = track("mp4a", fields + descriptors);
    check_text(codecs_of(identify(kFileType + box("moov", tracks))), name);
  }
}
END_TEST

START_TEST(test_unknown_codecs_are_encoded_again) {
  const Container mp4 = identify(kFileType + box("moov", track("drmi") + track("mp4a")));
  check_text(codecs_of(mp4), "drmi, AAC");
  check_text(advice_for(mp4, "a.mp4"),
             "MP4 with drmi and AAC; convert it: ffmpeg -i a.mp4 -c:v libx264 -c:a aac -f flv "
             "- | flvstream -");
}
END_TEST

// The segment has an unknown size, as in a live stream.
START_TEST(test_matroska) {
  const std::string head = element(0x1A45DFA3, 4, element(0x4282, 2, "matroska"));
  std::string entries;
  for (const char *codec : {"V_MPEG4/ISO/AVC", "A_OPUS", "S_TEXT/UTF8", "V_UNCOMPRESSED"})
    entries += element(0xAE, 1, element(0xD7, 1, "\1") + element(0x86, 1, codec));
  const std::string segment = big_endian(0x18538067, 4) + "\x01" + std::string(7, '\xff');
  const Container container = identify(head + segment + element(0x1654AE6B, 4, entries));
  check_text(container.name, "Matroska");
  check_text(codecs_of(container), "H.264, Opus, V_UNCOMPRESSED");
}
END_TEST

const struct {
  const char *text;
  const char *name;
} kHeads[] = {
    {"OggS\0\2", "Ogg"},
    {"  <!DOCTYPE HTML>", "HTML"},
    {"\r\n<HTML>", "HTML"},
    {"#EXTM3U\n", "an M3U playlist (HLS)"},
    {"PK\3\4", "ZIP"},
    {"hello", ""},
    {"G", ""},
    {"", ""},
};

START_TEST(test_heads) {
  const auto &row = ROW(kHeads);
  check_text(identify(row.text).name, row.name);
}
END_TEST

// For every truncation and every changed byte, the parser ends and reads no byte out of range.
START_TEST(test_damage) {
  const std::string mp4 = kFileType + box("moov", track("avc1") + track("mp4a"));
  const std::string matroska = element(0x1A45DFA3, 4, "") +
                               element(0x18538067, 4, element(0x1654AE6B, 4, element(0xAE, 1, "")));
  std::string packets(188 * 4, '\0');
  for (std::size_t at = 0; at < packets.size(); at += 188)
    packets.replace(at, 5, std::string("G\x40\x00\x10\x00", 5));
  std::mt19937 random(1);
  for (const std::string &whole : {mp4, matroska, packets}) {
    for (std::size_t size = 0; size < whole.size(); ++size)
      (void)identify(whole.substr(0, size));
    for (int i = 0; i < 20'000; ++i) {
      std::string damaged = whole;
      for (int changes = 0; changes < 3; ++changes)
        damaged[random() % damaged.size()] = static_cast<char>(random());
      (void)identify(damaged);
    }
  }
}
END_TEST

// Boxes without a size, nested and in sequence.
START_TEST(test_endless_boxes) {
  std::string nested;
  for (int depth = 0; depth < 10'000; ++depth)
    nested += big_endian(0, 4) + "moov";
  (void)identify(kFileType + nested);
  std::string row;
  for (int count = 0; count < 100'000; ++count)
    row += box("free", "");
  check_text(codecs_of(identify(kFileType + row + box("moov", track("avc1")))), "");
}
END_TEST

} // namespace

int main() {
  return flvtest::run("command_containers", {{test_index_of_mp4_at_the_end},
                                             {test_sizes_of_mp4},
                                             {test_codecs_of_mp4a},
                                             {test_unknown_codecs_are_encoded_again},
                                             {test_matroska},
                                             {test_heads, std::size(kHeads)},
                                             {test_damage},
                                             {test_endless_boxes}});
}
