#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the cases in meson's testlog.json: summary.py LOG.

Of a libcheck program, the checks count; of a script, its PASS:, FAIL: and SKIP: lines; any other
program is one case. A `SKIP: name: why` line in a libcheck program means that a case passed without
its requirements. Prints the output of failed programs, the skips (one line for all sample files),
and `N passed, N failed, N skipped` as the last line. Exit status 1: a case failed, or none ran.
"""

import collections
import json
import re
import sys
from dataclasses import dataclass, field

CHECKS = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$", re.MULTILINE)
CASE = re.compile(r"^(PASS|FAIL|SKIP): (.*)$", re.MULTILINE)
SAMPLE_FILES = re.compile(r"^(?:\S+: )?no (?:(?:\S+\.flv|files) in )?(/\S+)$")
SKIPPED_PROGRAM = 77


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skips: list = field(default_factory=list)

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skips += other.skips
        return self


def count(result: dict) -> Count:
    output = result.get("stdout") or ""
    lines = CASE.findall(output)
    skips = [why for verdict, why in lines if verdict == "SKIP"]
    checks = [tuple(map(int, found)) for found in CHECKS.findall(output)]
    if result["returncode"] == SKIPPED_PROGRAM:
        total = Count(skips=skips or [result["name"]])
    elif checks:
        failed = sum(failures + errors for _, failures, errors in checks)
        passed = sum(ran for ran, _, _ in checks) - failed
        skips = skips[:passed]
        total = Count(passed - len(skips), failed, skips)
    elif lines:
        verdicts = [verdict for verdict, _ in lines]
        total = Count(verdicts.count("PASS"), verdicts.count("FAIL"), skips)
    else:
        total = Count(passed=int(went_well(result)))
    # A program that crashes or times out cannot report the failure itself.
    if not went_well(result) and total.failed == 0:
        total.failed = 1
    return total


def went_well(result: dict) -> bool:
    return result["result"] in ("OK", "EXPECTEDFAIL", "SKIP")


def reason(skip: str) -> str:
    sample = SAMPLE_FILES.match(skip)
    if not sample:
        return skip
    return f"no sample files in {sample[1]}; FLV_TEST_MEDIA names another folder"


def show(result: dict) -> None:
    print(f"\n=== {result['name']}: {result['result']}, exit status {result['returncode']}")
    for stream in ("stdout", "stderr"):
        if result.get(stream):
            print(result[stream].rstrip())


def main() -> int:
    total = Count()
    try:
        with open(sys.argv[1], encoding="utf-8") as log:
            results = [json.loads(line) for line in log]
    except OSError as error:
        print(f"no test ran: {error}")
        results = []
    for result in results:
        one = count(result)
        if one.failed:
            show(result)
        total += one
    print()
    for skip, times in collections.Counter(map(reason, total.skips)).items():
        print(f"skipped: {skip}" + (f" ({times} times)" if times > 1 else ""))
    print(f"{total.passed} passed, {total.failed} failed, {len(total.skips)} skipped")
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
