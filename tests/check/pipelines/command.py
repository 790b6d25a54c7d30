#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvstream, as somebody uses it who has only read --help."""

import contextlib
import fnmatch
import http.server
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from flvfile import HEADER_SIZE, clip, pictures, tags_of
from pipeline import (ROOT, SAMPLE, Skip, background, case, check, check_decodes, check_same, connect,
                      finish, free_port, main, needs, read_all, run, wait_for_port, wait_until)

FLVSTREAM = os.environ["FLV_STREAM"]


def stream(arguments):
    return run(f"{FLVSTREAM} {arguments}")


def movie():
    shutil.copyfile(SAMPLE, "movie.flv")
    return SAMPLE.read_bytes()


def read(path="copy.flv"):
    return pathlib.Path(path).read_bytes()


def key_after(offset):
    return next(tag for tag in tags_of(SAMPLE.read_bytes()) if tag.key and tag.begin >= offset)


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
    """Which is opened once: a second time there may be nobody at the other end."""
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
def listen_waits_for_the_first_client():
    expected = movie()
    port = free_port()
    with background(f"exec {FLVSTREAM} -l -b 1000 --speed=4 -h 127.0.0.1:{port} movie.flv") as server:
        wait_for_port(port)
        time.sleep(1)
        with connect(port) as client:
            got = read_all(client)
        finish(server).ok()
    check_same(got, expected)


@case
def listen_says_so_once_it_does():
    movie()
    pathlib.Path("text.flv").write_text("hello", encoding="utf-8")
    port = free_port()
    waiting = f"flvstream: waiting for clients on 127.0.0.1 port {port}\n"
    with background(f"exec {FLVSTREAM} -l -h 127.0.0.1:{port} movie.flv") as server:
        check(server.stderr.readline().decode() == waiting, "not the line")
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            done = stream(f"-l -h 127.0.0.1:{port} movie.flv")
        server.send_signal(signal.SIGINT)
        finish(server).ok()
    check(done.status == 1, f"exit status {done.status}")
    check(done.stderr == f"flvstream: cannot serve on 127.0.0.1 port {port}: Address already in use\n",
          done.stderr)
    done = stream(f"-l -h 127.0.0.1:{port} text.flv")
    check(done.status == 1 and done.stderr.count("\n") == 1, done.stderr)


@case
def each_client_gets_a_head_and_a_burst():
    movie()
    port = free_port()
    with background(f"exec {FLVSTREAM} -l -b 2000 -h 127.0.0.1:{port} movie.flv") as server:
        first = connect(port)
        time.sleep(3)
        with connect(port) as late:
            late.settimeout(1)
            got = b""
            with contextlib.suppress(TimeoutError):
                deadline = time.monotonic() + 0.5
                while time.monotonic() < deadline:
                    got += late.recv(1 << 16)
        first.close()
        server.send_signal(signal.SIGINT)
        finish(server).ok()
    media = [tag for tag in tags_of(got) if tag.media]
    check(media[0].key, "it does not begin with a key frame")
    span = media[-1].timestamp - media[0].timestamp
    check(span >= 2000, f"a burst of {span} ms")
    pathlib.Path("copy.flv").write_bytes(got[:tags_of(got)[-1].end])
    check_decodes("copy.flv")


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
def loop_of_nothing_is_a_failure():
    """And not one that never ends."""
    expected = movie()
    first = tags_of(expected)[0]
    check(not first.media, "no script tag")
    for size in (HEADER_SIZE, first.end):
        pathlib.Path("movie.flv").write_bytes(expected[:size])
        done = run(f"{FLVSTREAM} --loop movie.flv copy.flv", timeout=5)
        check(done.status == 1, f"{size} bytes: exit status {done.status}")
        check(done.stderr == "flvstream: movie.flv: there is no audio or video to repeat\n",
              f"{size} bytes: {done.stderr}")


@case
def interrupted_it_ends_with_a_whole_tag():
    movie()
    for which in (signal.SIGINT, signal.SIGTERM):
        path = pathlib.Path("copy.flv")
        path.unlink(missing_ok=True)
        with background(f"exec {FLVSTREAM} --json movie.flv copy.flv") as sender:
            wait_until(lambda: path.exists() and path.stat().st_size > 30000, "nothing")
            sender.send_signal(which)
            done = finish(sender).ok()
        check(json.loads(done.stdout)["result"] == "stopped", done.stdout)
        check(tags_of(read())[-1].end == len(read()), "it ends inside a tag")


def hold_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


@case
def interrupted_at_once_it_ends_well():
    """The signal is there before the program begins."""
    movie()
    for which in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen([FLVSTREAM, "--json", "movie.flv", "copy.flv"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, preexec_fn=hold_signals) as sender:
            sender.send_signal(which)
            told, said = sender.communicate(timeout=10)
        check(sender.returncode == 0 and not said, f"exit status {sender.returncode}: {said}")
        check(json.loads(told)["result"] == "stopped", told)


@case
def interrupted_while_it_waits_it_ends():
    """For whoever opens the other end of a FIFO, or for a client."""
    movie()
    os.mkfifo("fifo")
    for arguments in ("movie.flv fifo", "fifo copy.flv", f"-l -h 127.0.0.1:{free_port()} movie.flv"):
        with background(f"exec {FLVSTREAM} {arguments}") as sender:
            time.sleep(1)
            begin = time.monotonic()
            sender.send_signal(signal.SIGINT)
            finish(sender, timeout=5).ok()
            seconds = time.monotonic() - begin
            check(seconds < 2.5, f"{arguments}: it took {seconds:.1f} s")


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
def json_that_cannot_be_written_is_a_failure():
    movie()
    done = stream("--json --speed=20 movie.flv copy.flv > /dev/full")
    check(done.status == 1, f"exit status {done.status}")
    check(done.stderr == "flvstream: cannot write standard output: No space left on device\n",
          done.stderr)


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


class StatusHandler(http.server.BaseHTTPRequestHandler):
    """Answers /404/name with 404, and /name with movie.flv."""

    def do_GET(self):
        status = int(self.path.split("/")[1]) if self.path.count("/") > 1 else 200
        body = read("movie.flv") if status == 200 else b""
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/404/moved.flv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def web_server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), StatusHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


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
                "empty.flv": "empty.flv: Nowhere to start: *",
                "text.flv": "text.flv: Not an FLV file: *",
                "-o 99999999 movie.flv": "movie.flv: Nowhere to start: byte 99999999 is past *",
                "- < folder": "cannot read standard input: Is a directory",
                "movie.flv folder": "cannot write folder: Is a directory",
                "movie.flv no/copy.flv": "cannot write no/copy.flv: No such file or directory",
                "movie.flv /dev/full": "cannot write /dev/full: No space left on *",
                f"-h 127.0.0.1:{port} movie.flv":
                    f"cannot send to 127.0.0.1 port {port}: Connection refused",
                f"-h nowhere.invalid:{port} movie.flv":
                    f"cannot send to nowhere.invalid port {port}: *",
                f"-u -h nowhere.invalid:{port} movie.flv":
                    f"cannot send to nowhere.invalid port {port}: there is no such host"}.items():
            done = stream(arguments)
            check(done.status == 1, f"{arguments}: exit status {done.status}")
            check(fnmatch.fnmatchcase(done.stderr, f"flvstream: {line}\n")
                  and done.stderr.count("\n") == 1, f"{arguments}: {done.stderr}")


@case
def closed_descriptors_are_failures():
    """And not the first file that is opened."""
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
    done = stream("-o 300000 movie.flv copy.flv")
    check(done.status == 1 and done.stderr.count("\n") == 1, done.stderr)
    check(done.stderr.endswith("no keyframe index; --index=auto goes on without\n"), done.stderr)
    stream("-o 300000 --index=auto --speed=100 movie.flv copy.flv").ok()
    check("--index" not in stream("-o 99999999 --index=auto movie.flv").stderr, "nothing to gain")


@case
def a_file_that_may_not_be_read():
    movie()
    os.chmod("movie.flv", 0)
    os.chmod(".", 0o777)
    prefix = ""
    if os.geteuid() == 0:
        needs("setpriv")
        prefix = "setpriv --reuid=65534 --clear-groups "
        if run(f"{prefix}{FLVSTREAM} --version").status != 0:
            raise Skip("others may not run flvstream")
    done = run(f"{prefix}{FLVSTREAM} movie.flv > copy.flv")
    check(done.status == 1, f"exit status {done.status}")
    check(done.stderr == "flvstream: cannot read movie.flv: Permission denied\n", done.stderr)


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


@case
def a_missing_plugin_is_named():
    movie()
    pathlib.Path("none").mkdir()
    done = run(f"GST_PLUGIN_SYSTEM_PATH=$PWD/none GST_REGISTRY=$PWD/registry {FLVSTREAM} "
               "movie.flv copy.flv")
    check(done.status == 1 and "apt-get install" in done.stderr and done.stderr.count("\n") == 1,
          f"{done.status}: {done.stderr}")


@case
def help_fits_a_screen_and_version_tells():
    done = stream("--help").ok()
    check(len(done.stdout.splitlines()) <= 40, f"{len(done.stdout.splitlines())} lines")
    check(max(map(len, done.stdout.splitlines())) <= 80, "too wide")
    check(re.fullmatch(r"flvstream \d+\.\d+\.\d+\n", stream("--version").ok().stdout), "no version")
    page = (ROOT / "tools/flvstream/flvstream.1").read_text(encoding="utf-8").replace("\\-", "-")
    for option in re.findall(r"--[a-z]+", done.stdout):
        check(option in page, f"the man page lacks {option}")


@case
def a_terminal_shows_a_line():
    movie()
    ours, theirs = pty.openpty()
    with subprocess.Popen([FLVSTREAM, "--speed=6", "movie.flv", "copy.flv"], stderr=theirs) as sender:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 4096):
                shown += chunk
        check(sender.wait() == 0, "it failed")
    os.close(ours)
    check(re.search(rb"0:00:0\d\.\d of 0:00:12  \d+ %  \d+ kbit/s  lead -?\d+\.\d s", shown),
          f"shown: {shown!r}")
    check(shown.endswith(b"\n"), "no line end")


def client_of(port, seconds):
    """A program that takes what it is given and prints the longest gap between two takes."""
    return (f"python3 -c 'import socket, time; c = socket.create_connection((\"127.0.0.1\", {port})); "
            "last = time.monotonic(); gap = 0; end = last + " f"{seconds}" "\nwhile last < end and "
            "c.recv(1 << 16):\n now = time.monotonic(); gap = max(gap, now - last); last = now\n"
            "print(gap)'")


@case
def stalled_clients_stop_nobody():
    """And cost no more memory than what is kept for everybody."""
    needs("python3")
    movie()
    port = free_port()
    with background(f"exec {FLVSTREAM} -l -b 1000 --loop -h 127.0.0.1:{port} movie.flv") as server:
        stalled = [connect(port) for _ in range(5)]
        with contextlib.ExitStack() as clients:
            others = [clients.enter_context(background(client_of(port, 4))) for _ in range(5)]
            for other in others:
                gap = float(finish(other).ok().stdout)
                check(gap < 0.5, f"a gap of {gap} s")
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        megabytes = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1000
        check(megabytes < 100, f"{megabytes} MB")
        for client in stalled:
            client.close()
        server.send_signal(signal.SIGTERM)
        finish(server).ok()


main()
