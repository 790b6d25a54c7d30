// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs a fuzz target on every file of its corpus, without libFuzzer: replay FOLDER
#include <cstdio>
#include <filesystem>
#include <string>

#include "fuzz.h"
#include "media.h"

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  unsigned count = 0;
  std::error_code error;
  for (const auto &entry : std::filesystem::directory_iterator(argv[1], error)) {
    const std::string path = entry.path().string();
    const auto input = flvtest::read_file(path);
    if (!input) {
      std::fprintf(stderr, "%s cannot be read\n", path.c_str());
      return EXIT_FAILURE;
    }
    // Shows the input of a run that hangs.
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(input->data(), input->size());
    ++count;
  }
  std::printf("%u inputs\n", count);
  return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
