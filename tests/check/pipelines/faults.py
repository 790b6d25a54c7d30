#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults around a stream: clients and servers that disappear, full disks, files that change,
sources that end early. The program does not hang or crash, and other clients are not affected."""

import contextlib
import http.server
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import sys
import threading
import time

from flvfile import HEADER_SIZE, clip, tags_of, whole_part
from pipeline import (SAMPLE, background, case, check, check_same, connect, finish, free_port,
                      main, needs_element, read_all, run, wait_until)

FLVSTREAM = os.environ["FLV_STREAM"]


def movie():
    shutil.copyfile(SAMPLE, "movie.flv")
    return SAMPLE.read_bytes()


def copy():
    return pathlib.Path("copy.flv").read_bytes()


def wait_for_bytes(count, path="copy.flv"):
    file = pathlib.Path(path)
    wait_until(lambda: file.exists() and file.stat().st_size >= count, f"{path} does not grow")


def check_one_line(done, *words):
    """Checks the error exit status and the one-line message. A crash has a different status."""
    check(done.status == 1, f"exit status {done.status}: {done.stderr}")
    check(done.stderr.startswith("flvstream: ") and done.stderr.count("\n") == 1,
          f"not one line: {done.stderr}")
    check(all(word in done.stderr for word in words), f"it does not say {words}: {done.stderr}")
    check(".c(" not in done.stderr, f"it names a line of source: {done.stderr}")


# Clients and servers


def take(connection, count):
    received = bytearray()
    while len(received) < count:
        chunk = connection.recv(count - len(received))
        check(chunk, f"closed after {len(received)} bytes")
        received += chunk
    return bytes(received)


def reset(connection):
    """Closes the connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# Reads a few bytes, then nothing until it is killed.
VANISHING = """import socket, time
connection = socket.create_connection(("127.0.0.1", {port}))
connection.recv(5000)
print("here", flush=True)
time.sleep(60)"""


@contextlib.contextmanager
def server_with_client(port):
    """A server that sends the whole movie in 4 s, and a client that must receive all of it."""
    with background(f"exec {FLVSTREAM} -q -l -b 1000 --speed=3 -h 127.0.0.1:{port} "
                    "movie.flv") as server:
        received = []
        with connect(port) as client:
            reader = threading.Thread(target=lambda: received.append(read_all(client)))
            reader.start()
            try:
                yield server, received
            except BaseException:
                server.kill()
                raise
            finally:
                reader.join()
        done = finish(server).ok()
        check(not done.stderr, f"it complains: {done.stderr}")


@case
def clients_that_reset_disturb_nobody():
    expected = movie()
    port = free_port()
    with server_with_client(port) as (_, received):
        for count in (1, 1000, 5000, 20000):
            leaving = connect(port)
            take(leaving, count)
            reset(leaving)
        reset(connect(port))
        with connect(port) as late:
            late_bytes = read_all(late)
    check_same(received[0], expected)
    last = [tag for tag in tags_of(expected) if tag.media][-1]
    check_unbroken(late_bytes)
    check(tags_of(late_bytes)[-1].timestamp == last.timestamp, "the late one misses the end")


def check_unbroken(stream):
    check_same(stream, whole_part(stream))
    last = {}
    for tag in (tag for tag in tags_of(stream) if tag.media):
        step = tag.timestamp - last.get(tag.kind, tag.timestamp)
        check(0 <= step <= 100, f"a step of {step} ms at byte {tag.begin}")
        last[tag.kind] = tag.timestamp


@case
def clients_that_vanish_disturb_nobody():
    """The clients are stopped, then killed: their unread data is discarded."""
    expected = movie()
    port = free_port()
    pathlib.Path("client.py").write_text(VANISHING.format(port=port), encoding="utf-8")
    with server_with_client(port) as (server, received), contextlib.ExitStack() as clients:
        vanishing = [clients.enter_context(background(f"exec {sys.executable} client.py"))
                     for _ in range(3)]
        for client in vanishing:
            check(client.stdout.readline() == b"here\n", "no client")
            client.send_signal(signal.SIGSTOP)
        before = sockets_of(server.pid)
        time.sleep(0.5)
        for client in vanishing:
            client.kill()
        wait_until(lambda: sockets_of(server.pid) <= before - len(vanishing),
                   "their connections stay open", timeout=2)
    check_same(received[0], expected)


def sockets_of(pid):
    names = []
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(os.readlink(descriptor))
    return sum(name.startswith("socket:") for name in names)


def check_server_that_leaves(leave):
    movie()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with background(f"exec {FLVSTREAM} -b 500 -h 127.0.0.1:{port} movie.flv") as sender:
            connection, _ = server.accept()
            take(connection, 20000)
            leave(connection)
            check_silent(finish(sender, timeout=5))


# A receiver that closes the connection is not an error.
def check_silent(done):
    check(done.status == 0 and not done.stderr, f"exit status {done.status}: {done.stderr}")


@case
def a_server_that_closes():
    check_server_that_leaves(socket.socket.close)


@case
def a_server_that_resets():
    check_server_that_leaves(reset)


@case
def a_reader_that_leaves():
    """A reader of standard output: the program detects its exit at the next tag."""
    movie()
    begin = time.monotonic()
    done = run(f"{{ {FLVSTREAM} movie.flv; echo $? > status; }} | head -c 100", timeout=10)
    seconds = time.monotonic() - begin
    check(seconds < 3, f"it took {seconds:.1f} s")
    status = pathlib.Path("status").read_text(encoding="utf-8")
    check(status == "0\n" and not done.stderr, f"exit status {status}: {done.stderr}")


# Files


@case
def a_full_disk():
    movie()
    for output in ("/dev/full", "> /dev/full"):
        check_one_line(run(f"{FLVSTREAM} movie.flv {output}", timeout=10),
                       "No space left on device")


def change_in_mid_stream(change):
    """Returns the copy that results if `change` is applied to the movie halfway through."""
    with background(f"exec {FLVSTREAM} --speed=8 movie.flv copy.flv") as sender:
        wait_for_bytes(SAMPLE.stat().st_size // 4)
        change()
        return finish(sender, timeout=10)


@case
def a_file_that_is_truncated():
    """Data that is already read may still be sent."""
    for size in (0, 100, 5000, SAMPLE.stat().st_size // 2):
        expected = movie()
        pathlib.Path("copy.flv").unlink(missing_ok=True)
        done = change_in_mid_stream(lambda size=size: os.truncate("movie.flv", size))
        check(done.status in (0, 1), f"{size}: exit status {done.status}: {done.stderr}")
        check_same(copy(), expected[:len(copy())], f"cut to {size} bytes")
        check_same(copy(), whole_part(copy()), f"cut to {size} bytes")
        left = len(whole_part(expected[:size])) if size > HEADER_SIZE else 0
        check(len(copy()) >= left, f"{len(copy())} of {size} bytes")


@case
def a_file_that_is_replaced():
    expected = movie()

    def replace():
        pathlib.Path("other.flv").write_bytes(b"FLV" + bytes(100))
        os.rename("other.flv", "movie.flv")

    change_in_mid_stream(replace).ok()
    check_same(copy(), expected)


@case
def a_file_that_is_deleted():
    expected = movie()
    change_in_mid_stream(lambda: os.unlink("movie.flv")).ok()
    check_same(copy(), expected)


@case
def a_file_that_grows():
    """Data appended to the file during the stream is streamed."""
    expected = movie()
    cut = tags_of(expected)[len(tags_of(expected)) // 2].end
    os.truncate("movie.flv", cut)

    def grow():
        with open("movie.flv", "ab") as file:
            file.write(expected[cut:])

    change_in_mid_stream(grow).ok()
    check_same(copy(), expected)


@case
def signals_to_gst_launch():
    """Each tag is written completely, whatever signal ends the program."""
    expected = movie()
    for which in (signal.SIGTERM, signal.SIGINT):
        pathlib.Path("copy.flv").unlink(missing_ok=True)
        with background("exec gst-launch-1.0 -e filesrc location=movie.flv ! flvpace ! "
                        "filesink location=copy.flv buffer-mode=unbuffered") as sender:
            wait_for_bytes(30000)
            sender.send_signal(which)
            finish(sender, timeout=30)
        check(len(copy()) < len(expected), f"{which.name}: the whole movie")
        check_same(copy(), expected[:len(copy())], which.name)
        check_same(copy(), whole_part(copy()), which.name)


# HTTP


class BreakingHandler(http.server.BaseHTTPRequestHandler):
    """Serves movie.flv, or the requested range. The first responses break off after `server.breaks`
    bytes each. With `server.silent`, no data follows them."""

    def do_GET(self):
        stream = self.server.stream
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        begin = int(asked[1]) if asked else 0
        self.server.asked.append(begin)
        if not self.server.breaks and self.server.silent:
            self.server.over.wait(60)
            return
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{len(stream) - 1}/{len(stream)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "video/x-flv")
        self.send_header("Content-Length", str(len(stream) - begin))
        self.end_headers()
        end = begin + self.server.breaks.pop(0) if self.server.breaks else len(stream)
        with contextlib.suppress(ConnectionError):
            self.wfile.write(stream[begin:end])
        self.close_connection = True

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def breaking_server(stream, breaks, silent=False):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), BreakingHandler) as server:
        server.daemon_threads = True
        server.stream, server.breaks, server.silent = stream, list(breaks), silent
        server.asked, server.over = [], threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()


@case
def an_http_source_that_breaks_off():
    """The element requests the rest of the file."""
    needs_element("souphttpsrc")
    stream = movie()
    for command in (f"{FLVSTREAM} --speed=20 http://127.0.0.1:PORT/movie.flv copy.flv",
                    "gst-launch-1.0 souphttpsrc location=http://127.0.0.1:PORT/movie.flv ! "
                    "flvpace sync=false ! filesink location=copy.flv"):
        with breaking_server(stream, [len(stream) // 2, 12345]) as server:
            run(command.replace("PORT", str(server.server_port))).ok()
            check_same(copy(), stream)
            check(server.asked[0] == 0 and len(server.asked) == 3
                  and server.asked == sorted(set(server.asked)), f"asked for {server.asked}")


@case
def an_http_source_that_falls_silent():
    needs_element("souphttpsrc")
    stream = clip(4)
    half = len(stream) // 2
    with breaking_server(stream, [half], silent=True) as server:
        done = run(f"gst-launch-1.0 souphttpsrc location=http://127.0.0.1:{server.server_port} "
                   "timeout=1 retries=1 ! flvpace sync=false ! "
                   "filesink location=copy.flv buffer-mode=unbuffered", timeout=20)
    check(done.status in (1, 255) and "ERROR: from element" in done.stderr,
          f"exit status {done.status}: {done.stderr}")
    check(server.asked[1] <= half, f"asked for {server.asked}")
    check_same(copy(), whole_part(stream[:half]))


main()
