// SPDX-License-Identifier: LGPL-2.1-or-later
// Sample files of many producers. The project does not include them; without them, the tests skip.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace flvtest {

inline std::optional<std::vector<std::uint8_t>> read_file(const std::string &path) {
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file)
    return std::nullopt;
  std::vector<std::uint8_t> bytes;
  std::uint8_t block[65536];
  while (const std::size_t size = std::fread(block, 1, sizeof block, file))
    bytes.insert(bytes.end(), block, block + size);
  std::fclose(file);
  return bytes;
}

// FLV_TEST_MEDIA in the environment; otherwise the folder that the build sets, next to the project.
inline std::string media_folder() {
  const char *folder = std::getenv("FLV_TEST_MEDIA");
  return folder ? folder : FLV_TEST_MEDIA_DEFAULT;
}

// Prints SKIP if the file does not exist.
inline std::optional<std::vector<std::uint8_t>> media_file(const std::string &name) {
  auto bytes = read_file(media_folder() + "/" + name);
  if (!bytes)
    std::printf("SKIP: no %s in %s\n", name.c_str(), media_folder().c_str());
  return bytes;
}

// The contents of the sample files: the number of tags by kind, and whether each PreviousTagSize is
// correct.
struct MediaFile {
  const char *name;
  unsigned audio;
  unsigned video;
  unsigned script;
  bool right_sizes = true;
};

inline constexpr MediaFile kMedia[] = {
    {"aac_only.flv", 46, 0, 1},
    {"aac_only_33s.flv", 1424, 0, 1},
    {"avc_aac_obs.flv", 48, 61, 1},
    {"cuepoints.flv", 0, 14, 11},
    {"enhanced_av1_opus.flv", 503, 303, 1},
    {"enhanced_hevc_aac.flv", 96, 122, 1},
    {"extended_ts_wrong_flags.flv", 0, 3, 1},
    {"g711_alaw_only.flv", 8, 0, 1},
    {"h263_adpcm_backward_ts.flv", 640, 358, 0},
    {"h263_adpcm_slice.flv", 65, 72, 1},
    {"h264_aac_avatar.flv", 487, 284, 1},
    {"h264_aac_bbb.flv", 433, 252, 1},
    {"h264_aac_red5.flv", 1265, 448, 0, false},
    {"h264_gstmux_index.flv", 0, 42, 1},
    {"h264_multinalu_tiny.flv", 0, 10, 1},
    {"h264_only_33s.flv", 0, 814, 1},
    {"h264_speex_many_configs.flv", 1362, 418, 1},
    {"indexed_small.flv", 0, 99, 1},
    {"no_metadata.flv", 433, 301, 0},
    {"pcm16_only.flv", 129, 0, 2},
    {"screen_video.flv", 0, 1, 0},
    {"speex_screenshare.flv", 51, 399, 1},
    {"timewarp.flv", 10, 0, 0},
    {"vp6_alpha_xmp.flv", 0, 89, 2},
};
inline constexpr const char *kNotFlv = "not_flv_webm.flv";

} // namespace flvtest
