#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page for applications: its code blocks work, and the tests that it names exist."""

import contextlib
import fnmatch
import functools
import json
import os
import pathlib
import re
import threading

from flvfile import clip, pictures, tags_of
from introspection import PYTHON, needs_introspection, python
from pipeline import (ROOT, add_case, background, case, check, check_decodes, connect, finish,
                      free_port, main, needs, needs_element, run)

PAGE = (ROOT / "docs/applications.md").read_text(encoding="utf-8")
EXAMPLES = {name: (language, text) for name, language, text in re.findall(
    r"^<!-- example: (\S+) -->\n```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)}
CHECKS = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ["FLV_BUILD"])
SEEK_POINT = 2000  # ms, the keyframe before the position in the examples


def section(title):
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def cases_of(path):
    """The names of the cases in a test's source; * stands for the text that a loop inserts."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".cpp":
        return set(re.findall(r"START_TEST\((\w+)\)", text))
    functions = re.findall(r"^@case\ndef (\w+)", text, re.MULTILINE)
    added = re.findall(r'add_case\(\s*f?"([^"]+)"', text)
    return ({name.replace("_", "-") for name in functions}
            | {re.sub(r"\{.*?\}", "*", name) for name in added})


def has_case(path, name):
    return any(fnmatch.fnmatchcase(name, known) for known in cases_of(path))


def program(name, **replace):
    """The command that runs an example in C or Python; `replace` as in recipe()."""
    language, text = EXAMPLES[name]
    for old, new in replace.items():
        old = old.lstrip("_")
        check(old in text, f"{name} has no {old}")
        text = text.replace(old, str(new))
    if language == "python":
        needs_introspection()
        pathlib.Path("example.py").write_text(text, encoding="utf-8")
        return f"{PYTHON} -W ignore::DeprecationWarning example.py"
    needs("as", "ld", "pkg-config")
    pathlib.Path("example.c").write_text(text, encoding="utf-8")
    compiler = f"{os.environ['FLV_CXX']} -x c -Werror -Wextra -Wno-unused-parameter"
    run(EXAMPLES["compile"][1].replace("cc ", f"{compiler} ", 1)).ok()
    return "./example"


def output_of(name):
    done = run(program(name)).ok()
    check(not done.stderr, f"{name}: {done.stderr}")
    return done.stdout.splitlines()


@case
def example_compile():
    """Runs the compiler line of the page; the other examples use program()."""
    check(EXAMPLES["compile"][1].startswith("cc "), EXAMPLES["compile"][1])
    for name, (language, _) in EXAMPLES.items():
        if language == "c":
            program(name)


@case
def example_pkg_config():
    needs("pkg-config")
    folder = next(BUILD.glob("meson-private/gst-flv-streaming-1.0.pc")).parent
    lines = EXAMPLES["pkg-config"][1]
    told = run(f"export PKG_CONFIG_PATH={folder}\n{lines}").ok().stdout.split()
    check(len(told) == 2 and told[0].endswith("/gstreamer-1.0"), str(told))
    info = json.loads((BUILD / "meson-info/intro-projectinfo.json").read_text(encoding="utf-8"))
    check(told[1] == info["version"], f"{told[1]}, not {info['version']}")


@case
def example_version():
    line = EXAMPLES["version"][1].strip()
    check(run(line).status == 0, "the line on the page fails")
    check(run(line.replace("=0.1 ", "=0.2 ")).status != 0, "0.2 is there as well")
    check(run(line.replace("--atleast-version=0.1 ", "")).status != 0,
          "a plugin older than GStreamer is found without its version")


@case
def example_units():
    told = output_of("units")
    check(told == ["burst: 0:00:02.000000000", "start: 0:01:30.000000000"], str(told))


@case
def example_preroll():
    clip(2)
    told = output_of("preroll")
    check(told == ["does not preroll: continues to PLAYING", "plays"], str(told))


def messages(name):
    stream = clip(4)
    pathlib.Path("movie.flv").write_bytes(stream + stream)
    start, step = output_of(name)
    place = next(tag.begin for tag in tags_of(stream) if tag.key and tag.timestamp == SEEK_POINT)
    check(start == f"2500 ms: starts at {SEEK_POINT} ms, byte {place}", start)
    byte, old, new = map(int, re.fullmatch(r"byte (\d+): (\d+) ms become (\d+) ms", step).groups())
    check(byte > len(stream) and old < SEEK_POINT < new, step)


def statistics(name):
    needs_element("httpserversink")
    clip(4)
    port = free_port()
    with background(program(name, _8080=port)) as player:
        with connect(port) as client:
            client.sendall(b"GET /live.flv HTTP/1.1\r\nHost: localhost\r\n\r\n")
            taker = threading.Thread(target=read_quietly, args=(client,))
            taker.start()
            told = finish(player).ok().stdout
            taker.join()
    check(re.search(r"^[1-9]\d* video tags, \d+ late, -?\d+ ms ahead$", told, re.MULTILINE), told)
    check(re.search(r"^client 1: http, [1-9]\d* bytes, \d+ ms behind$", told, re.MULTILINE), told)
    check(re.search(r"^client 1 (ended|drained): [1-9]\d* bytes$", told, re.MULTILINE), told)


def read_quietly(connection):
    with contextlib.suppress(OSError):
        while connection.recv(1 << 16):
            pass


for _language in ("c", "python"):
    add_case(f"example-messages-{_language}",
             functools.partial(messages, f"messages-{_language}"))
    add_case(f"example-statistics-{_language}",
             functools.partial(statistics, f"statistics-{_language}"))


@case
def example_concat():
    count = pictures(clip(2))
    run(EXAMPLES["concat"][1]).ok()
    check_decodes("both.flv", 2 * count)


@case
def every_block_is_run():
    blocks = re.findall(r"^```\w+$", PAGE, re.MULTILINE)
    check(len(blocks) == len(EXAMPLES) > 5, f"{len(blocks)} blocks, {len(EXAMPLES)} names")
    for name in EXAMPLES:
        check(has_case(pathlib.Path(__file__), f"example-{name}"), f"no case runs {name}")


LIVE = """
query = Gst.Query.new_latency()
assert Gst.parse_launch(sys.argv[1]).query(query)
print(query.parse_latency()[0])
"""


@case
def sources_that_are_live():
    """The page's statement about each source's answer to the LATENCY query is correct."""
    needs_introspection()
    live, others = re.search(r"(`udpsrc`.*?) answer that they\s+are live; (.*?)\s+do not", PAGE,
                             re.DOTALL).groups()
    for text, expected in ((live, True), (others, False)):
        for line in re.findall(r"`(.*?)`", text):
            needs_element(line.split()[0])
            told = python(LIVE, line).stdout.strip()
            check(told == str(expected), f"{line} is live: {told}")


@case
def promises_name_tests():
    tests = json.loads((BUILD / "meson-info/intro-tests.json").read_text(encoding="utf-8"))
    programs = {test["name"] for test in tests}
    # A test that is not built on this machine still has its source.
    built = {path.stem.split("_")[0] for path in CHECKS.glob("*/*.*") if path.stem in programs}
    rows = re.findall(r"^\| ([^|`]*(?:`[^`]*`[^|`]*)*) \| (`.*`) \|$",
                      section("Promises to other elements"), re.MULTILINE)
    check(len(rows) > 20, f"{len(rows)} rows")
    for promise, names in rows:
        for name in re.findall(r"`(\S+)`", names):
            program_name, case_name = name.split("/")
            if program_name.split("_")[0] in built:
                check(program_name in programs, f"{promise}: {program_name} is not built")
            sources = list(CHECKS.glob(f"*/{program_name}.*"))
            check(sources, f"{promise}: no test {program_name}")
            check(any(has_case(source, case_name) for source in sources),
                  f"{promise}: no case {case_name} in {program_name}")


main()
