// SPDX-License-Identifier: LGPL-2.1-or-later
// Common code of all fuzz targets: the function that libFuzzer and replay.cpp call, and REQUIRE for
// properties that must hold for any input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

#define REQUIRE(property)                                                                          \
  do {                                                                                             \
    if (!(property)) {                                                                             \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);           \
      std::abort();                                                                                \
    }                                                                                              \
  } while (false)
