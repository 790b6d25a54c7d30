#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The messages of flvstream for wrong usage and failures: one line, and the exit status."""

import fnmatch
import json
import os
import pathlib

from commandline import FLVSTREAM, key_after, movie, read, stream, web_server, without_privileges
from flvfile import HEADER_SIZE, tags_of
from pipeline import ROOT, case, check, check_same, free_port, main, run


@case
def wrong_usage_ends_with_2():
    movie()
    for arguments in ("", "--nonsense movie.flv", "-u -t -h x:1 movie.flv", "-h nowhere movie.flv",
                      "-h host:70000 movie.flv", "-l movie.flv", "-u movie.flv", "-s 1:99 movie.flv",
                      "-o -5 movie.flv", "-b much movie.flv", "-o 5 -s 5 movie.flv", "--loop -",
                      "--speed=0 movie.flv", "--snap=near movie.flv", "movie.flv a b",
                      "-u -l -h a:1 movie.flv", "-h []:1 movie.flv", "ftp://a/movie.flv",
                      "rtmp://a/b/c", "http://", "http:///movie.flv", "http://a:99999/movie.flv",
                      "-u --mtu=65508 -h a:1 movie.flv", "-b nan movie.flv", "-s 0x10 movie.flv",
                      "-s 1e3 movie.flv", "-s 1.2.3 movie.flv", "--speed=nan movie.flv",
                      "--speed=0x2 movie.flv", "--speed=1e1 movie.flv"):
        done = stream(arguments)
        check(done.status == 2, f"{arguments}: exit status {done.status}")
        check(done.stderr.startswith("flvstream: ") and done.stderr.count("\n") == 1,
              f"{arguments}: {done.stderr}")


@case
def empty_values_are_wrong_usage():
    movie()
    names = {"-h": "--host", "-b": "--burst", "-o": "--offset", "-s": "--start"}
    for option in (*names, "--host", "--burst", "--offset", "--start", "--snap", "--index", "--speed",
                   "--mtu"):
        done = stream(f"{option} '' movie.flv copy.flv")
        check(done.status == 2, f"{option}: exit status {done.status}")
        check(f"{names.get(option, option)}= " in done.stderr and done.stderr.count("\n") == 1,
              f"{option}: {done.stderr}")
    for operands, what in {"''": "INPUT", "'' copy.flv": "INPUT", "movie.flv ''": "OUTPUT"}.items():
        done = stream(operands)
        check(done.status == 2, f"{operands}: exit status {done.status}")
        check(f"{what} is empty" in done.stderr and done.stderr.count("\n") == 1,
              f"{operands}: {done.stderr}")


@case
def failures_end_with_1_and_one_line():
    movie()
    port = free_port()
    for arguments, why in {"nothing.flv": "nothing.flv", f"{ROOT}/README.md": "FLV",
                           "-o 99999999 movie.flv": "99999999",
                           "-o 5000 --snap=exact movie.flv": "5000",
                           "movie.flv no/such/folder": "no/such/folder",
                           f"-h 127.0.0.1:{port} movie.flv": str(port),
                           "http://127.0.0.1:1/movie.flv": "127.0.0.1"}.items():
        done = run(f"{FLVSTREAM} {arguments} > /dev/null")
        check(done.status == 1, f"{arguments}: exit status {done.status}")
        check(done.stderr.startswith("flvstream: ") and done.stderr.count("\n") == 1
              and why in done.stderr, f"{arguments}: {done.stderr}")


@case
def failures_say_what_and_why_once():
    movie()
    pathlib.Path("folder").mkdir()
    pathlib.Path("empty.flv").touch()
    pathlib.Path("text.flv").write_text("hello", encoding="utf-8")
    port = free_port()
    refused = f"http://127.0.0.1:{port}/movie.flv"
    with web_server() as web:
        for arguments, line in {
                f"{web}/404/movie.flv": f"cannot read {web}/404/movie.flv: Not Found (404)",
                f"{web}/403/movie.flv": f"cannot read {web}/403/movie.flv: Forbidden (403)",
                f"{web}/302/movie.flv": f"cannot read {web}/302/movie.flv: Not Found (404), "
                                        f"redirected to {web}/404/moved.flv",
                f"{web}/401/movie.flv": f"cannot read {web}/401/movie.flv: Unauthorized (401)",
                refused: f"cannot read {refused}: the server cannot be reached, or does not answer",
                "nothing.flv": "cannot read nothing.flv: No such file or directory",
                "movie.flv/a": "cannot read movie.flv/a: Not a directory",
                "folder": "cannot read folder: Is a directory",
                "$'a\\nb\\e.flv'": "cannot read a?b?.flv: No such file or directory",
                "empty.flv": "empty.flv: No start position: *",
                "text.flv": "text.flv: Not an FLV file: *",
                "-o 99999999 movie.flv": "movie.flv: No start position: byte 99999999 is past *",
                "- < folder": "cannot read standard input: Is a directory",
                "movie.flv folder": "cannot write folder: Is a directory",
                "movie.flv no/copy.flv": "cannot write no/copy.flv: No such file or directory",
                "movie.flv /dev/full": "cannot write /dev/full: No space left on *",
                f"-h 127.0.0.1:{port} movie.flv":
                    f"cannot send to 127.0.0.1:{port}: Connection refused",
                f"-h nowhere.invalid:{port} movie.flv":
                    f"cannot send to nowhere.invalid:{port}: *",
                f"-u -h nowhere.invalid:{port} movie.flv":
                    f"cannot send to nowhere.invalid:{port}: there is no such host"}.items():
            done = stream(arguments)
            check(done.status == 1, f"{arguments}: exit status {done.status}")
            check(fnmatch.fnmatchcase(done.stderr, f"flvstream: {line}\n")
                  and done.stderr.count("\n") == 1, f"{arguments}: {done.stderr}")


@case
def closed_descriptors_are_failures():
    """The first file that is opened does not get the descriptor of a closed standard stream."""
    expected = movie()
    for arguments, what in {"movie.flv >&-": "standard output",
                            "- copy.flv <&-": "standard input"}.items():
        done = run(f"{FLVSTREAM} --speed=20 {arguments}", timeout=10)
        check(done.status == 1, f"{arguments}: exit status {done.status}")
        check(what in done.stderr and done.stderr.count("\n") == 1, f"{arguments}: {done.stderr}")
    run(f"{FLVSTREAM} --speed=20 movie.flv copy.flv <&- >&- 2>&-", timeout=10).ok()
    check_same(read(), expected)


@case
def the_input_is_not_overwritten():
    expected = movie()
    os.link("movie.flv", "link.flv")
    for arguments in ("movie.flv movie.flv", "movie.flv ./link.flv", "- movie.flv < movie.flv",
                      "movie.flv >> movie.flv"):
        done = stream(f"--speed=20 {arguments}")
        check(done.status == 1, f"{arguments}: exit status {done.status}")
        check("INPUT and OUTPUT" in done.stderr and done.stderr.count("\n") == 1, done.stderr)
        check_same(read("movie.flv"), expected, arguments)
    stream("--speed=20 movie.flv /dev/null").ok()


@case
def a_file_that_may_not_grow():
    movie()
    done = run(f"ulimit -f 100; {FLVSTREAM} --speed=100 movie.flv copy.flv")
    check(done.status == 1, f"exit status {done.status}")
    check(done.stderr == "flvstream: cannot write copy.flv: File too large\n", done.stderr)


@case
def without_an_index_the_way_out_is_named():
    expected = movie()
    keys = expected.index(b"keyframes")
    pathlib.Path("movie.flv").write_bytes(expected[:keys] + b"Keyframes" + expected[keys + 9:])
    done = stream("-o 300000 --index=metadata movie.flv copy.flv")
    check(done.status == 1 and done.stderr.count("\n") == 1, done.stderr)
    check(done.stderr.endswith("no keyframe index; --index=auto continues without it\n"), done.stderr)
    stream("-o 300000 --no-pace movie.flv copy.flv").ok()
    check(read().endswith(expected[key_after(300000).begin:]), "another part")
    check("--index" not in stream("-o 99999999 movie.flv").stderr, "nothing to gain")


@case
def a_file_that_may_not_be_read():
    movie()
    os.chmod("movie.flv", 0)
    os.chmod(".", 0o777)
    done = run(f"{without_privileges()} movie.flv > copy.flv")
    check(done.status == 1, f"exit status {done.status}")
    check(done.stderr == "flvstream: cannot read movie.flv: Permission denied\n", done.stderr)


@case
def a_missing_plugin_is_named():
    movie()
    pathlib.Path("none").mkdir()
    done = run(f"GST_PLUGIN_SYSTEM_PATH=$PWD/none GST_REGISTRY=$PWD/registry {FLVSTREAM} "
               "movie.flv copy.flv")
    check(done.status == 1 and "apt-get install" in done.stderr and done.stderr.count("\n") == 1,
          f"{done.status}: {done.stderr}")


@case
def json_tells_of_what_was_not_begun():
    movie()
    for arguments in ("nothing.flv copy.flv", "movie.flv movie.flv"):
        done = stream(f"--json {arguments}")
        told = json.loads(done.stdout)
        check(done.status == 1, f"exit status {done.status}")
        check(told["result"] == "failed" and done.stderr == f"flvstream: {told['error']}\n", told)


@case
def json_that_cannot_be_written_is_a_failure():
    movie()
    done = stream("--json --speed=20 movie.flv copy.flv > /dev/full")
    check(done.status == 1, f"exit status {done.status}")
    check(done.stderr == "flvstream: cannot write standard output: No space left on device\n",
          done.stderr)


@case
def loop_of_nothing_is_a_failure():
    """An empty loop does not run forever."""
    expected = movie()
    first = tags_of(expected)[0]
    check(not first.media, "no script tag")
    for size in (HEADER_SIZE, first.end):
        pathlib.Path("movie.flv").write_bytes(expected[:size])
        done = run(f"{FLVSTREAM} --loop movie.flv copy.flv", timeout=5)
        check(done.status == 1, f"{size} bytes: exit status {done.status}")
        check(done.stderr == "flvstream: movie.flv: there is no audio or video to repeat\n",
              f"{size} bytes: {done.stderr}")


main()
