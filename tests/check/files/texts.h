// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparisons of texts. The macros of check keep a pointer into a temporary string.
#pragma once

#include <string>

#include "checkrun.h"

#define CK_ASSERT_TEXT_EQ(a, b)                                                                    \
  do {                                                                                             \
    const std::string ck_a(a);                                                                     \
    const std::string ck_b(b);                                                                     \
    ck_assert_str_eq(ck_a.c_str(), ck_b.c_str());                                                  \
  } while (false)
#define CK_ASSERT_TEXT_NE(a, b)                                                                    \
  do {                                                                                             \
    const std::string ck_a(a);                                                                     \
    const std::string ck_b(b);                                                                     \
    ck_assert_str_ne(ck_a.c_str(), ck_b.c_str());                                                  \
  } while (false)
