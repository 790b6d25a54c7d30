#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvstream: outputs, starts, loops, JSON, and the progress line on a terminal."""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import time

from commandline import FLVSTREAM, key_after, movie, read, stream, web_server
from flvfile import HEADER_SIZE, clip, pictures, tags_of
from pipeline import (ROOT, SAMPLE, Skip, background, case, check, check_decodes, check_same, finish,
                      free_port, main, needs, read_all, run, wait_until)


@case
def to_stdout_and_to_a_file():
    expected = movie()
    stream("--speed=20 movie.flv > copy.flv").ok()
    check_same(read(), expected)
    stream("--speed=20 movie.flv other.flv").ok()
    check_same(read("other.flv"), expected)


@case
def from_stdin():
    expected = movie()
    run(f"cat movie.flv | {FLVSTREAM} --speed=20 - copy.flv").ok()
    check_same(read(), expected)


@case
def from_a_fifo():
    """The FIFO is opened once: its writer may be gone at a second open."""
    expected = movie()
    os.mkfifo("fifo")
    for name, status in (("movie.flv", 0), *5 * [("/dev/null", 1)]):
        with background(f"exec {FLVSTREAM} --speed=100 fifo copy.flv") as reader:
            time.sleep(0.5)
            run(f"cat {name} > fifo", timeout=5).ok()
            done = finish(reader, timeout=5)
        check(done.status == status, f"{name}: exit status {done.status}: {done.stderr}")
        if status == 0:
            check_same(read(), expected)


@case
def at_the_speed_it_plays():
    clip(2)
    begin = time.monotonic()
    stream("movie.flv copy.flv").ok()
    seconds = time.monotonic() - begin
    check(1.9 < seconds < 4, f"2 s took {seconds:.2f} s")


@case
def offset():
    expected = movie()
    stream("-o 300000 --speed=20 movie.flv copy.flv").ok()
    check(read().endswith(expected[key_after(300000).begin:]), "another part")
    check_decodes("copy.flv", pictures(expected[:HEADER_SIZE]
                                       + expected[key_after(300000).begin:]))


@case
def start_time_goes_back_to_the_key_frame():
    expected = movie()
    key = next(tag for tag in tags_of(expected) if tag.key and tag.timestamp == 4000)
    for time_ in ("5.5", "0:05.5", "0:00:05.5"):
        stream(f"-s {time_} --speed=20 movie.flv copy.flv").ok()
        check(read().endswith(expected[key.begin:]), f"{time_}: another part")
        check(len(read()) < len(expected) - key.begin + 2000, f"{time_}: more than that")


@case
def tcp_to_a_listener():
    expected = movie()
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server:
        with background(f"exec {FLVSTREAM} -t -b 500 --speed=20 -h 127.0.0.1:{port} movie.flv") as sender:
            connection, _ = server.accept()
            got = read_all(connection)
            finish(sender).ok()
    check_same(got, expected)


@case
def udp_is_cut_to_the_mtu():
    expected = clip(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        port = receiver.getsockname()[1]
        with background(f"exec {FLVSTREAM} -u -h 127.0.0.1:{port} movie.flv") as sender:
            got = b""
            while len(got) < len(expected):
                datagram = receiver.recv(1 << 16)
                check(len(datagram) <= 1316, f"{len(datagram)} bytes in a datagram")
                got += datagram
            finish(sender).ok()
    check_same(got, expected)


@case
def loop_goes_on_with_time():
    expected = clip(2)
    with background(f"exec {FLVSTREAM} --loop --speed=50 movie.flv copy.flv") as sender:
        path = pathlib.Path("copy.flv")
        wait_until(lambda: path.exists() and path.stat().st_size > 5 * len(expected), "no 5 rounds")
        sender.send_signal(signal.SIGINT)
        finish(sender).ok()
    times = [tag.timestamp for tag in tags_of(read()) if tag.key]
    steps = [later - earlier for earlier, later in zip(times, times[1:])]
    check(steps and all(1500 < step < 2500 for step in steps), f"steps of {steps}")


@case
def each_round_starts_where_the_first_did():
    movie()
    *_, before, behind = [tag for tag in tags_of(SAMPLE.read_bytes()) if tag.key]
    start = (before.timestamp + behind.timestamp) / 2000
    for snap, round_of in {"previous": [before.data, behind.data], "next": [behind.data]}.items():
        with background(f"G_DEBUG=fatal-warnings exec {FLVSTREAM} --loop --speed=50 -s {start} "
                        f"--snap={snap} movie.flv copy.flv") as sender:
            path = pathlib.Path("copy.flv")
            wait_until(lambda: path.exists() and read().count(behind.data) > 3, "no 4 rounds")
            sender.send_signal(signal.SIGINT)
            finish(sender).ok()
        keys = [tag.data for tag in tags_of(read()) if tag.key]
        check(keys == (round_of * len(keys))[:len(keys)], f"other key frames with {snap}")
        path.unlink()


@case
def json_tells_what_was_sent():
    expected = movie()
    told = json.loads(stream("--json -o 300000 --speed=20 movie.flv copy.flv").ok().stdout)
    sent = tags_of(read())
    key = key_after(300000)
    for name, value in {"result": "done", "start_offset": key.begin, "start_ms": key.timestamp,
                        "bytes": len(read()), "rounds": 1,
                        "video_tags": sum(tag.kind == 9 for tag in sent),
                        "audio_tags": sum(tag.kind == 8 for tag in sent),
                        "key_frames": sum(tag.key for tag in sent)}.items():
        check(told[name] == value, f"{name}: {told[name]}, not {value}")
    done = stream("--json --speed=20 movie.flv > copy.flv").ok()
    check(json.loads(done.stderr)["bytes"] == len(expected), "not on standard error")


@case
def json_has_points_in_any_language():
    movie()
    needs("localedef")
    if run("localedef -i de_DE -f UTF-8 ./de_DE.UTF-8").status:
        raise Skip("no source of de_DE")
    done = run("LOCPATH=. LC_ALL=de_DE.UTF-8 "
               f"{FLVSTREAM} --json --speed=100 movie.flv copy.flv").ok()
    check(json.loads(done.stdout)["seconds"] > 0, done.stdout)


@case
def names_need_be_no_utf8():
    movie()
    name = b"\xff.flv"
    for arguments in ([name], ["--host", name, "movie.flv"], ["--speed", name, "movie.flv"]):
        with subprocess.Popen([FLVSTREAM, *arguments, "copy.flv"], stderr=subprocess.PIPE) as sender:
            _, said = sender.communicate(timeout=10)
        check(name in said and said.count(b"\n") == 1, f"{arguments}: {said}")
    os.rename("movie.flv", name)
    with subprocess.Popen([FLVSTREAM, "--speed=100", "--json", name, b"\xfe.flv"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as sender:
        told, said = sender.communicate(timeout=10)
        check(sender.returncode == 0 and not said, f"exit status {sender.returncode}: {said}")
    check(json.loads(told)["input"] == "\ufffd.flv", told)


@case
def any_name_is_a_file_and_any_case_a_scheme():
    expected = movie()
    pathlib.Path("ftp:").mkdir()
    os.link("movie.flv", "ftp:/a.flv")
    with web_server() as web:
        for name in ("./ftp:/a.flv", f"{web}/movie.flv", f"{web}/a%20b.flv", f"'{web}/a b.flv'",
                     web.replace("http", "HTTP") + "/movie.flv"):
            stream(f"--speed=100 {name} copy.flv").ok()
            check_same(read(), expected, name)


def publisher_came_back(seconds, count):
    """`count` recordings of `seconds` in a row, each with timestamps from 0, without file headers
    between them."""
    whole = clip(seconds)
    tags = b"".join(whole[tag.begin:tag.end] for tag in tags_of(whole) if tag.kind != 18)
    pathlib.Path("movie.flv").write_bytes(whole + (count - 1) * tags)
    return len(whole), len(tags)


@case
def jumps_of_the_timestamps_are_told():
    first, rest = publisher_came_back(2, 3)
    done = stream("--json --no-pace movie.flv copy.flv").ok()
    lines = done.stderr.splitlines()
    check(len(lines) == 2, done.stderr)
    for number, line in enumerate(lines):
        said = re.fullmatch(r"flvstream: movie.flv: the timestamps jump to 0:00:00(\.\d+)? at byte "
                            r"(\d+); sent as 0:00:0(\d)(\.\d+)?", line)
        check(said, line)
        check(0 <= int(said[2]) - first - number * rest < 100, line)
        check(int(said[3]) == 2 * (number + 1), line)
    check(json.loads(done.stdout)["discontinuities"] == 2, done.stdout)
    check(not stream("-q --no-pace movie.flv copy.flv").ok().stderr, "not quiet")


@case
def many_jumps_are_counted():
    publisher_came_back(2, 20)
    done = stream("--json --no-pace movie.flv copy.flv").ok()
    lines = done.stderr.splitlines()
    check(len(lines) == 11 and "--json" in lines[-1], done.stderr)
    check(json.loads(done.stdout)["discontinuities"] == 19, done.stdout)


@case
def help_fits_a_screen_and_version_tells():
    done = stream("--help").ok()
    check(len(done.stdout.splitlines()) <= 40, f"{len(done.stdout.splitlines())} lines")
    check(max(map(len, done.stdout.splitlines())) <= 80, "too wide")
    check(re.fullmatch(r"flvstream \d+\.\d+\.\d+\n", stream("--version").ok().stdout), "no version")
    page = (ROOT / "tools/flvstream/flvstream.1").read_text(encoding="utf-8").replace("\\-", "-")
    for option in re.findall(r"--[a-z-]+", done.stdout):
        check(option in page, f"the man page lacks {option}")


def shown_on_terminal(arguments, columns):
    """The output of flvstream on a terminal with `columns` columns. 0: the terminal does not report
    them."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([FLVSTREAM, *arguments.split()], stderr=theirs) as sender:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 4096):
                shown += chunk
        check(sender.wait() == 0, f"{arguments} fails: {shown}")
    os.close(ours)
    return shown


@case
def the_man_page_has_each_field_of_the_json():
    movie()
    page = (ROOT / "tools/flvstream/flvstream.1").read_text(encoding="utf-8")
    told = json.loads(stream("--json --no-pace movie.flv copy.flv").ok().stdout)
    told |= json.loads(stream("--json nothing.flv copy.flv").stdout)
    check({"result", "error", "bytes"} <= told.keys(), f"{told}")
    for name in (*told, "clients"):
        check(re.search(rf"^\.IR? .*\b{name}\b", page, re.MULTILINE), f"the man page lacks {name}")
    for result in ("done", "stopped", "closed", "failed"):
        check(f'"{result}"' in page, f"the man page lacks {result}")


@case
def a_terminal_shows_a_line():
    movie()
    shown = shown_on_terminal("--speed=6 movie.flv copy.flv", 0)
    check(re.search(rb"0:00:0\d\.\d of 0:00:12  \d+ %  \d+ kbit/s  lead -?\d+\.\d s"
                    rb"  paced; see --no-pace", shown), f"shown: {shown!r}")
    check(shown.endswith(b"\n"), "no line end")
    for output in ("movie.flv /dev/null", "--no-pace movie.flv copy.flv"):
        shown = shown_on_terminal(f"--speed=20 {output}" if "pace" not in output else output, 80)
        check(b"--no-pace" not in shown and b" of 0:00:12" in shown, f"{output}: {shown!r}")


@case
def the_line_fits_the_terminal():
    """The line does not use the last column, after which the cursor would wrap."""
    movie()
    for columns in (40, 50, 60, 80, 132):
        for arguments in ("--speed=10 -b 100ms movie.flv copy.flv", "--speed=10 movie.flv /dev/null"):
            shown = shown_on_terminal(arguments, columns)
            lines = re.split(rb"\r\x1b\[K|\r\n", shown)
            check(len(lines) > 3, f"shown: {shown!r}")
            check(max(map(len, lines)) < columns, f"{columns} columns: {lines}")
            check(shown.count(b"\n") == 1, f"{columns} columns: {shown!r}")
            check(all(re.match(rb"0:00:\d\d\.\d", line) for line in lines if line), f"{lines}")
            check(b"--no-pace" in shown or "/dev/null" in arguments, f"{columns} columns: {shown!r}")


@case
def a_start_that_fails_shows_one_line():
    ours, theirs = pty.openpty()
    os.mkfifo("fifo")
    with subprocess.Popen([FLVSTREAM, "fifo", "copy.flv"], stderr=theirs) as sender:
        os.close(theirs)
        time.sleep(1)  # the progress line is visible
        pathlib.Path("fifo").write_text("hello", encoding="utf-8")
        check(sender.wait(timeout=10) == 1, "it starts")
        shown = b""
        with contextlib.suppress(OSError):  # end of file of a terminal
            while part := os.read(ours, 1 << 16):
                shown += part
    os.close(ours)
    shown = shown.split(b"\x1b[K")[-1]
    check(shown.startswith(b"flvstream: fifo: Not an FLV file") and shown.count(b"\n") == 1,
          f"{shown!r}")


main()
