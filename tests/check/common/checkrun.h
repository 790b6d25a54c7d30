// SPDX-License-Identifier: LGPL-2.1-or-later
// One libcheck suite per program. A test with rows runs once per row; `_i` is the row's number.
#pragma once

#include <check.h>
// check.h defines a macro with the name of a function in the standard library.
#undef fail

#include <cstdlib>
#include <initializer_list>
#include <iterator>

namespace flvtest {

struct Test {
  const TTest *function;
  std::size_t rows = 1;
  int signal = 0; // the test passes if this signal ends it
};

// Returns the exit status of the program.
inline int run(const char *name, std::initializer_list<Test> tests) {
  constexpr double kTimeout = 120; // s; also enough under valgrind
  Suite *suite = suite_create(name);
  TCase *tcase = tcase_create(name);
  tcase_set_timeout(tcase, kTimeout);
  for (const Test &test : tests)
    tcase_add_loop_test_raise_signal(tcase, test.function, test.signal, 0,
                                     static_cast<int>(test.rows));
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace flvtest

// The row of `table` for this run of the test.
#define ROW(table) ((table)[static_cast<std::size_t>(_i)])

#define ck_assert_enum_eq(a, b) ck_assert_int_eq(static_cast<int>(a), static_cast<int>(b))
