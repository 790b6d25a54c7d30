#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The debug log at level 5 explains each decision about a stream in one line, with its numbers."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import time

from flvfile import VIDEO, clip, tags_of
from http_client import certificate, stream_of
from pipeline import (SAMPLE, add_case, background, case, check, connect, finish, free_port, main,
                      needs_element, run, wait_for_port, wait_until)

LEVELS = "GST_DEBUG=flvpace:5,flvseek:5,http*:5 GST_DEBUG_NO_COLOR=1 GST_DEBUG_FILE=log"


def log():
    return pathlib.Path("log").read_text(encoding="utf-8", errors="replace")


def line_with(pattern):
    """The matching lines of the elements' own categories; at least one."""
    found = [line for line in log().splitlines() if re.search(pattern, line)]
    check(found, f"no line of the log matches {pattern}: {log()[-3000:]}")
    return found


def without_index(path="plain.flv"):
    """The sample without its keyframe index."""
    run(f"ffmpeg -v error -y -i {SAMPLE} -c copy {path}").ok()


def damaged(path="damaged.flv"):
    """The sample with one invalid tag header. Returns the position of that tag."""
    stream = bytearray(SAMPLE.read_bytes())
    tag = [tag for tag in tags_of(bytes(stream)) if tag.kind == VIDEO][20]
    stream[tag.begin] = 0xFF
    pathlib.Path(path).write_bytes(stream)
    return tag.begin


def two_publishers(path="two.flv"):
    """Timestamps that jump forward by an hour in the middle of the file."""
    clip(2, "first.flv")
    run("ffmpeg -v error -y -i first.flv -c copy -output_ts_offset 3600 second.flv").ok()
    second = pathlib.Path("second.flv").read_bytes()
    pathlib.Path(path).write_bytes(pathlib.Path("first.flv").read_bytes() + second[13:])


def pipeline(description):
    return run(f"{LEVELS} gst-launch-1.0 {description}")


@case
def no_index():
    without_index()
    pipeline("filesrc location=plain.flv ! flvseek offset=1000 ! fakesink")
    line_with(r" ERROR +flvseek .*No start position: .*index")


@case
def offset_behind_the_file():
    pipeline(f"filesrc location={SAMPLE} ! flvseek offset=99999999 ! fakesink")
    line_with(r" ERROR +flvseek .*No start position: .*99999999")


@case
def start():
    pipeline(f"filesrc location={SAMPLE} ! flvseek offset=300000 ! fakesink")
    line_with(r" INFO +flvseek .*start found: byte \d+, \d+ ms; requested was byte 300000")


@case
def damaged_tag():
    place = damaged()
    pipeline("filesrc location=damaged.flv ! flvpace sync=false ! fakesink")
    line_with(rf" WARN +flvpace .*Damaged at byte {place}: ")


@case
def discontinuity():
    two_publishers()
    pipeline("filesrc location=two.flv ! flvpace sync=false ! fakesink")
    line_with(r" INFO +flvpace .*discontinuity at byte \d+: timestamp 3\d{6} continues as \d+")


@case
def late_tag():
    clip(2)
    pipeline("filesrc location=movie.flv ! flvpace ! identity sleep-time=100000 ! fakesink")
    line_with(r" DEBUG +flvpace .*late tag: the one at byte \d+, timestamp \d+, is sent \d+ ms")


@contextlib.contextmanager
def rewindable(description):
    with background(f"{LEVELS} exec $FLV_REWIND {description}") as player:
        yield lambda: player.send_signal(signal.SIGUSR1)


def until_logged(pattern):
    wait_until(lambda: os.path.exists("log") and re.search(pattern, log()), f"no {pattern}")
    return line_with(pattern)


@case
def flush_and_source_back():
    needs_element("httpserversink")
    port = free_port()
    with rewindable(f"filesrc location={SAMPLE} ! flvseek ! flvpace ! "
                    f"httpserversink port={port}") as rewind:
        wait_for_port(port)
        until_logged(r"start found")
        time.sleep(1)
        rewind()
        until_logged(r" DEBUG +flvseek .*seek \d+ to 0 in time: done")
        until_logged(r" DEBUG +flvpace .*flush after [1-9]\d* bytes")
        until_logged(r" INFO +httpserversink .*flush-stop: the stream continues for the clients")


@case
def refused_seek():
    os.mkfifo("pipe")
    with background(f"exec cat {SAMPLE} > pipe"), rewindable(
            "fdsrc ! flvseek ! flvpace ! fakesink < pipe") as rewind:
        until_logged(r"start found")
        rewind()
        until_logged(r" WARN +flvseek .*seek \d+ to 0 in time: refused")


@contextlib.contextmanager
def served(settings="", source=f"multifilesrc location={SAMPLE} loop=true ! flvpace"):
    needs_element("httpserversink")
    port = free_port()
    with background(f"{LEVELS} exec gst-launch-1.0 {source} ! "
                    f"httpserversink port={port} path=/live.flv {settings}") as server:
        wait_for_port(port)
        yield port, server


def removed(reason):
    until_logged(rf" DEBUG +httpserversink .*client \d+ removed: {reason}; \d+ bytes sent, \d+ skips")


@case
def client_that_leaves():
    with served() as (port, _):
        client = stream_of(port)
        client.read_pictures(3)
        client.close()
        removed("closed")


@case
def client_that_waits():
    os.mkfifo("nothing")
    holder = os.open("nothing", os.O_RDWR)
    with served("wait-timeout=500", "filesrc location=nothing ! flvpace") as (port, _):
        connection = connect(port)
        connection.sendall(b"GET /live.flv HTTP/1.1\r\nHost: a\r\n\r\n")
        removed("waited")
    os.close(holder)


@case
def client_of_a_stream_that_ends():
    clip(3)
    with served("", "filesrc location=movie.flv ! flvpace") as (port, server):
        client = stream_of(port)
        client.read_all()
        finish(server)
        removed("(ended|drained)")


def stalled(port):
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", port))
    connection.sendall(b"GET /live.flv HTTP/1.1\r\nHost: a\r\n\r\n")
    return connection


@case
def client_that_takes_nothing():
    with served("client-timeout=1000 max-lag=0",
                f"multifilesrc location={SAMPLE} loop=true ! flvpace speed=10") as (port, _):
        with stalled(port):
            removed("slow")


@case
def client_that_skips():
    with served("client-timeout=60000 max-lag=1000",
                f"multifilesrc location={SAMPLE} loop=true ! flvpace speed=10") as (port, _):
        with stalled(port) as connection:
            time.sleep(3)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and not re.search("skips to a key frame", log()):
                connection.recv(1 << 16)
            line_with(r" DEBUG +httpserver-client .*client \d+ skips to a key frame: it was \d+ ms "
                      r"behind; skip number 1")


@case
def port_in_use():
    with served() as (port, _):
        done = run(f"{LEVELS.replace('=log', '=other')} gst-launch-1.0 filesrc location={SAMPLE} ! "
                   f"flvpace ! httpserversink port={port} path=/live.flv")
    check(done.status != 0, "it starts")
    pathlib.Path("other").replace("log")
    line_with(rf" ERROR +httpserversink .*{port}")


@case
def failed_tls():
    certificate()
    with served("tls-certificate=certificate.pem tls-key=key.pem") as (port, _):
        with connect(port) as connection:
            connection.sendall(b"GET /live.flv HTTP/1.1\r\nHost: a\r\n\r\n")
            until_logged(r" DEBUG +httpserver-client .*a connection fails after 0 bytes of its "
                         r"request: \w+")


main()
