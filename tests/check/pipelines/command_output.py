#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""OUTPUT of flvstream: it is opened with the first byte, and a start that fails does not change it.
"""

import gzip
import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import subprocess
import time

from commandline import FLVSTREAM, movie, read, stream, web_server, without_privileges
from flvfile import HEADER_SIZE, tags_of
from pipeline import background, case, check, check_same, finish, free_port, main, run, wait_until


def identity(path):
    """A value that differs after any change of the file."""
    status = os.stat(path)
    return read(path), status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def unreadable_metadata(expected):
    """A string in the script tag is longer than the tag."""
    at = expected.index(b"\x02\x00\x0aonMetaData")
    return expected[:at] + b"\x02\xff\xff" + expected[at + 3:]


def failing_starts(expected, web):
    """Command lines without OUTPUT, and the exit status."""
    pathlib.Path("folder").mkdir()
    pathlib.Path("empty.flv").touch()
    pathlib.Path("cut.flv").write_bytes(expected[:5])
    pathlib.Path("header.flv").write_bytes(expected[:HEADER_SIZE])
    pathlib.Path("text.flv").write_text("hello", encoding="utf-8")
    pathlib.Path("movie.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(1000))
    pathlib.Path("movie.flv.gz").write_bytes(gzip.compress(expected))
    pathlib.Path("metadata.flv").write_bytes(unreadable_metadata(expected))
    keys = expected.index(b"keyframes")
    pathlib.Path("noindex.flv").write_bytes(expected[:keys] + b"Keyframes" + expected[keys + 9:])
    return {
        "text.flv": 1, "movie.mp4": 1, "movie.flv.gz": 1, "empty.flv": 1, "cut.flv": 1,
        "folder": 1, "nothing.flv": 1, "- < /dev/null": 1, "- < text.flv": 1,
        "-s 5 --index=metadata noindex.flv": 1, "-s 5 --index=metadata metadata.flv": 1,
        "-o 99999999 movie.flv": 1, "-o 1G movie.flv": 1, "--snap=next -s 1:00:00 movie.flv": 1,
        "--snap=exact -o 5000 movie.flv": 1, "--loop header.flv": 1,
        f"{web}/404/movie.flv": 1, f"{web}/403/movie.flv": 1, f"{web}/text.flv": 1,
        f"http://127.0.0.1:{free_port()}/movie.flv": 1,
        "--nonsense movie.flv": 2, "-s never movie.flv": 2, "rtmp://127.0.0.1/live/movie": 2,
        "movie.flv another.flv": 2, "-o 5 -s 5 movie.flv": 2, "-u movie.flv": 2}


@case
def a_start_that_fails_changes_no_file():
    expected = movie()
    shutil.copy("movie.flv", "keep.flv")
    before = identity("keep.flv")
    with web_server() as web:
        for arguments, status in failing_starts(expected, web).items():
            for output in ("keep.flv", "new.flv"):
                words = arguments.split(" < ")
                command = " < ".join([f"{words[0]} {output}", *words[1:]])
                done = run(f"{FLVSTREAM} {command}", timeout=20)
                check(done.status == status, f"{command}: exit status {done.status}: {done.stderr}")
                check(done.stderr.count("\n") == 1, f"{command}: {done.stderr}")
                check(identity("keep.flv") == before, f"{command}: keep.flv has changed")
                check(not os.path.lexists("new.flv"), f"{command}: made new.flv")
    for arguments in ("keep.flv keep.flv", "- keep.flv < keep.flv", "keep.flv ./keep.flv"):
        check(stream(arguments).status == 1, f"{arguments} starts")
        check(identity("keep.flv") == before, f"{arguments}: keep.flv has changed")
    stream("--no-pace movie.flv keep.flv").ok()
    check_same(read("keep.flv"), expected)


@case
def a_signal_before_the_first_byte_changes_no_file():
    movie()
    os.mkfifo("fifo")
    pathlib.Path("keep.flv").write_bytes(b"what was there")
    before = identity("keep.flv")
    for output in ("keep.flv", "new.flv"):
        with background(f"exec {FLVSTREAM} --json fifo {output}") as sender:
            time.sleep(0.5)
            sender.send_signal(signal.SIGINT)
            told = json.loads(finish(sender, timeout=5).ok().stdout)
        check(told["result"] == "stopped" and told["bytes"] == 0, f"{told}")
        check(identity("keep.flv") == before, "keep.flv has changed")
        check(not os.path.exists("new.flv"), "made new.flv")


@case
def what_cannot_be_written_fails_before_the_input_is_there():
    """The input is a FIFO without a writer."""
    os.mkfifo("fifo")
    os.mkdir("folder")
    os.symlink("no/such", "dangling")
    os.symlink("circle", "circle")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        for output, reason in {"no/copy.flv": "No such file or directory",
                               "dangling": "No such file or directory",
                               "circle": "Too many levels of symbolic links",
                               "fifo/copy.flv": "Not a directory", "folder": "Is a directory",
                               "folder/": "Is a directory", "new/": "Is a directory",
                               "socket": "No such device or address"}.items():
            done = run(f"{FLVSTREAM} fifo {output}", timeout=5)
            check(done.status == 1, f"{output}: exit status {done.status}")
            check(done.stderr == f"flvstream: cannot write {output}: {reason}\n", done.stderr)
    done = run(f"{FLVSTREAM} fifo fifo", timeout=5)
    check(done.status == 1 and "INPUT and OUTPUT" in done.stderr, done.stderr)


@case
def what_may_not_be_written_fails_before_the_input_is_there():
    os.mkfifo("fifo")
    os.chmod("fifo", 0o666)
    pathlib.Path("keep.flv").write_bytes(b"what was there")
    os.chmod("keep.flv", 0o444)
    os.mkdir("folder", 0o555)
    os.chmod(".", 0o755)
    command = without_privileges()
    for output in ("keep.flv", "folder/copy.flv"):
        done = run(f"{command} fifo {output}", timeout=5)
        check(done.status == 1, f"{output}: exit status {done.status}")
        check(done.stderr == f"flvstream: cannot write {output}: Permission denied\n", done.stderr)


@case
def links_are_followed():
    expected = movie()
    pathlib.Path("target.flv").write_bytes(b"what was there")
    os.symlink("target.flv", "link.flv")
    os.symlink("later.flv", "dangling.flv")
    for link, target in {"link.flv": "target.flv", "dangling.flv": "later.flv"}.items():
        check(stream(f"nothing.flv {link}").status == 1, "it starts")
        stream(f"--no-pace movie.flv {link}").ok()
        check(os.path.islink(link), f"{link} is no link any more")
        check_same(read(target), expected, target)


@case
def standard_output_goes_on_where_it_is():
    """The output does not start at the beginning of the file."""
    expected = movie()
    for arguments in ("movie.flv", "movie.flv -", "movie.flv /dev/stdout", "movie.flv /dev/fd/1"):
        run(f"(printf before; {FLVSTREAM} --no-pace {arguments}; printf behind) > copy.flv").ok()
        check_same(read(), b"before" + expected + b"behind", arguments)
        run(f"{FLVSTREAM} --no-pace {arguments} >> copy.flv").ok()
        check_same(read(), b"before" + expected + b"behind" + expected, arguments)
        told = run(f"{FLVSTREAM} --json --no-pace {arguments} > copy.flv").ok().stderr
        check(json.loads(told)["bytes"] == len(expected), told)


@case
def a_terminal_is_refused_unless_it_is_named():
    expected = movie()
    for arguments, status in {"movie.flv": 2, "--no-pace movie.flv -": 0}.items():
        ours, theirs = pty.openpty()
        with subprocess.Popen([FLVSTREAM, *arguments.split()], stdout=theirs,
                              stderr=subprocess.PIPE) as sender:
            os.close(theirs)
            got = b""
            try:
                while chunk := os.read(ours, 1 << 16):
                    got += chunk
            except OSError:
                pass
            said = sender.stderr.read().decode()
        os.close(ours)
        check(sender.returncode == status, f"{arguments}: {sender.returncode}: {said}")
        if status == 2:
            check(not got and said.count("\n") == 1 and " - " in said and "OUTPUT" in said, said)
        else:
            check(len(got) >= len(expected) and not said, f"{len(got)} bytes, {said}")


def check_closed(done, what):
    check(done.status == 0, f"{what}: exit status {done.status}: {done.stderr}")
    check(not done.stderr, f"{what}: {done.stderr}")


@case
def a_reader_that_closes_ends_it_silently():
    movie()
    os.mkfifo("fifo")
    for options in ("--no-pace", "--speed=10", "--no-pace --loop", "--no-pace --mtu=100"):
        done = run(f"{FLVSTREAM} {options} movie.flv | head -c 20000", timeout=20)
        check_closed(done, options)
        check(len(done.stdout) > 0, "nothing came")
        with background("exec head -c 20000 fifo") as reader:
            done = run(f"{FLVSTREAM} --json {options} movie.flv fifo", timeout=20)
            finish(reader).ok()
        check_closed(done, options)
        check(json.loads(done.stdout)["result"] == "closed", done.stdout)


@case
def a_tcp_receiver_that_closes_ends_it_silently():
    movie()
    for how in ("close", "reset"):
        port = free_port()
        with socket.create_server(("127.0.0.1", port)) as server:
            with background(f"exec {FLVSTREAM} --json --speed=4 -h 127.0.0.1:{port} movie.flv") as sender:
                connection, _ = server.accept()
                connection.settimeout(5)
                if how == "close":  # without unread data, which would cause a reset
                    connection.recv(1 << 20)
                connection.close()
                done = finish(sender, timeout=20)
        check_closed(done, how)
        check(json.loads(done.stdout)["result"] == "closed", done.stdout)


@case
def a_fifo_is_opened_when_there_is_something_to_write():
    expected = movie()
    os.mkfifo("out")
    pathlib.Path("text.flv").write_text("hello", encoding="utf-8")
    with background("exec cat out > copy.flv") as reader:
        check(stream("text.flv out").status == 1, "it starts")
        time.sleep(0.2)
        check(reader.poll() is None, "the reader was ended by a start that failed")
        stream("--no-pace movie.flv out").ok()
        finish(reader, timeout=20).ok()
    check_same(read(), expected)


@case
def a_device_is_written():
    movie()
    for device in ("/dev/null", "/dev/zero"):
        stream(f"--no-pace movie.flv {device}").ok()
    done = stream("--no-pace movie.flv /dev/full")
    check(done.status == 1 and "No space left on device" in done.stderr, done.stderr)


@case
def no_pace_is_as_fast_as_it_goes():
    expected = movie()
    told = json.loads(stream("--json --no-pace movie.flv copy.flv").ok().stdout)
    check_same(read(), expected)
    check(told["seconds"] < told["position_ms"] / 1000 / 2, f"{told['seconds']} s")
    for option in ("-b 2s", "--speed=2"):
        check(stream(f"--no-pace {option} movie.flv copy.flv").status == 2, option)


@case
def interrupted_between_the_parts_of_a_tag_it_sends_all_of_them():
    movie()
    for mtu in (100, 1316):
        path = pathlib.Path("copy.flv")
        path.unlink(missing_ok=True)
        with background(f"exec {FLVSTREAM} --mtu={mtu} movie.flv copy.flv") as sender:
            wait_until(lambda: path.exists() and path.stat().st_size > 30000, "nothing")
            sender.send_signal(signal.SIGINT)
            finish(sender).ok()
        check(tags_of(read())[-1].end == len(read()), f"mtu {mtu}: it ends inside a tag")


main()
