#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/debugging.md: each command prints the lines that the page shows, apart from numbers that
differ in each run. The page lists the plugins' debug categories. With FLV_UPDATE_PAGES=1 the test
writes the new output into the page instead."""

import functools
import os
import pathlib
import re
import shutil

from introspection import PYTHON, needs_introspection, python
from pipeline import ROOT, SAMPLE, add_case, case, check, free_port, main, needs, needs_element, run

PATH = ROOT / "docs/debugging.md"
PAGE = PATH.read_text(encoding="utf-8")
UPDATES = os.environ.get("FLV_UPDATE_PAGES") == "1"
# A command, and the output that the page shows below it.
BLOCK = re.compile(r"^<!-- debug: (\S+) -->\n```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?",
                   re.MULTILINE | re.DOTALL)
BLOCKS = {name: rest for name, *rest in BLOCK.findall(PAGE)}
PORT = 8080
# Text that differs in each run, or with the compiler.
VOLATILE = (
    (r"\d+:\d\d:\d\d\.\d{9} +\d+ 0x[0-9a-f]+ ", ""),
    (r"^.*GST_TRACER.*?(?=element-latency)", ""),
    (r"\w+\.c(pp)?:\d+:\w+:", ""),
    (r"message #\d+", "message"),
    (r"(element-id|time|ts)=\(\w+\)\w+", r"\1"),
    (r"^(late-tags|lateness-maximum|lead): -?\d+", r"\1"),
    (r"127\.0\.0\.1:\d+|\[?::1\]?:\d+", "ADDRESS"),
    (r'("[a-z-]+"): ?("[^"]*"|[\d.]+)', r"\1"),
    (r" +", " "),
)
CATEGORIES = """
for element in sys.argv[1:]:
    assert Gst.ElementFactory.make(element)
for category in Gst.debug_get_all_categories():
    if category.get_name().startswith(("flv", "httpserver", "failover")):
        print(category.get_name(), category.get_description(), sep="|")
"""


def stable(line):
    for pattern, replacement in VOLATILE:
        line = re.sub(pattern, replacement, line)
    return line.strip()


def update(begin, old, new):
    """Replaces text of the page after `begin`."""
    page = PATH.read_text(encoding="utf-8")
    place = page.index(old, page.index(begin))
    PATH.write_text(page[:place] + new + page[place + len(old):], encoding="utf-8")


def files():
    needs("ffmpeg")
    shutil.copyfile(SAMPLE, "movie.flv")
    command = BLOCKS["files"][1]
    copy, rest = command.split("\n", 1)
    check(copy == "cp tests/data/sample.flv movie.flv", copy)
    run(rest).ok()


def output_of(name):
    language, command, _ = BLOCKS[name]
    if language == "python":
        needs_introspection()
        pathlib.Path("example.py").write_text(command, encoding="utf-8")
        command = f"{PYTHON} example.py"
    for element in re.findall(r"\b(?:fdsrc|filesrc|flvseek|flvpace|httpserversink)\b", command):
        needs_element(element)
    if "curl" in command:
        needs("curl")
    port = str(free_port())
    command = command.replace(str(PORT), port)
    done = run(f"export GST_DEBUG_NO_COLOR=1\n{command}")
    return (done.stdout + done.stderr).replace(port, str(PORT))


def prints(name):
    files()
    shown = BLOCKS[name][2]
    output = output_of(name)
    check(output, f"{name} prints nothing")
    if UPDATES:
        update(f"<!-- debug: {name} -->", f"```text\n{shown}```", f"```text\n{output}```")
        return
    check(shown, f"the page shows no output of {name}")
    lines = [stable(line) for line in output.splitlines()]
    for line in shown.splitlines():
        check(stable(line) in lines, f"{name} does not print “{line}” but\n{output}")


for _name in BLOCKS:
    if _name != "files":
        add_case(_name, functools.partial(prints, _name))


@case
def every_block_is_run():
    blocks = re.findall(r"^```(?:sh|python)$", PAGE, re.MULTILINE)
    check(len(blocks) == len(BLOCKS) > 8, f"{len(blocks)} blocks, {len(BLOCKS)} names")


@case
def categories():
    needs_introspection()
    elements = ("flvpace", "flvseek", "httpserversink", "failoversrc")
    for element in elements:
        needs_element(element)
    found = sorted(line.split("|") for line in python(CATEGORIES, *elements).stdout.splitlines())
    head = "| category | content |\n|---|---|\n"
    table = PAGE.split(head, 1)[1].split("\n\n", 1)[0]
    listed = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", table, re.MULTILINE))
    if UPDATES:
        update(head, table, "\n".join(f"| `{name}` | {listed.get(name, text)} |"
                                      for name, text in found))
        return
    check(listed.keys() == dict(found).keys(),
          f"in one only: {sorted(listed.keys() ^ dict(found).keys())}")


main()
