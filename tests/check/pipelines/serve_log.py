#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvserve's access log."""

import datetime
import json
import os
import pathlib
import re
import signal

from http_client import ask, connect, get, stream_of
from pipeline import case, check, main, wait_until
from serverprocess import configured, movie
from websocket_client import WebSocket

MOUNT = "[mount /a.flv]\nuris=movie.flv\nloop=true\n[files /v]\nroot=.\n"
COMMON = re.compile(r'(\S+) - - \[([^]]+)\] "([^"]*)" (\d+) (\d+)')


def lines(name="access.log"):
    return pathlib.Path(name).read_text(encoding="utf-8").splitlines()


def wait_for_lines(count, name="access.log"):
    wait_until(lambda: os.path.exists(name) and len(lines(name)) >= count,
               f"no {count} lines in {name}")
    return lines(name)


@case
def common_lines():
    size = len(movie())
    with configured(MOUNT, "access-log=access.log\n") as server:
        get(server.port, "/v/movie.flv?bstart=0", ["User-Agent: test"]).read_all()
        get(server.port, "/none").read_all()
        stream = stream_of(server.port, "/a.flv")
        stream.read_pictures(10)
        stream.close()
        found = [COMMON.fullmatch(line) for line in wait_for_lines(3)]
        check(all(found), f"{lines()}")
        download, missing, stream = found
        check(download[1] == "127.0.0.1", download[0])
        check(download[3] == "GET /v/movie.flv?bstart=0 HTTP/1.1", download[0])
        check(download[4] == "200" and size <= int(download[5]) < size + 1000, download[0])
        check(missing[3] == "GET /none HTTP/1.1" and missing[4] == "404", missing[0])
        check(stream[4] == "200" and int(stream[5]) > 10000, stream[0])
        when = datetime.datetime.strptime(stream[2], "%d/%b/%Y:%H:%M:%S %z")
        age = datetime.datetime.now(datetime.timezone.utc) - when
        check(abs(age.total_seconds()) < 120, stream[0])
        server.end()
    check(pathlib.Path("access.log").stat().st_mode & 0o7 == 0, "every user may read the log")


@case
def bytes_of_the_body():
    """The response head does not count, whatever the response is."""
    stored = movie()
    with configured(MOUNT, "access-log=access.log\n") as server:
        get(server.port, "/v/movie.flv", ["Range: bytes=100-299"]).read_all()
        size = len(get(server.port, "/v/movie.flv").read_all())
        refused = get(server.port, "/v/movie.flv?start=x").read_all()
        stream = stream_of(server.port, "/a.flv")
        stream.read_pictures(10)
        server.send(signal.SIGTERM)
        received = stream.read_all()
        check(server.wait() == 0, server.text)
    found = [int(COMMON.fullmatch(line)[5]) for line in lines()]
    check(size >= len(stored) and received.startswith(b"FLV"), f"{size} bytes")
    check(found == [200, size, len(refused), len(received)], f"{found}, {len(received)}")


@case
def invalid_requests():
    """One line each, in which nothing is injected."""
    movie()
    with configured(MOUNT, "access-log=access.log\n") as server:
        for line in (b'GET  /a"\\\tb HTTP/1.1', b"GET /a\rb HTTP/1.1", b"GET /a HTTP/3.0",
                     b"\0\xff"):
            with connect(server.port) as connection:
                connection.sendall(line + b"\r\nHost: a\r\n\r\n")
                while connection.recv(4096):
                    pass
        logged = wait_for_lines(4)
        check(len(logged) == 4, f"{logged}")
        for line, text in zip(logged, (
                r'"GET  /a\"\\\x09b HTTP/1.1" 400 ', r'"GET /a\x0db HTTP/1.1" 400 ',
                '"GET /a HTTP/3.0" 505 ', r'"\x00\xff" 400 ')):
            check(text in line, f"no {text} in {line}")
        server.end()


@case
def combined_lines():
    movie()
    with configured(MOUNT, "access-log=access.log\naccess-log-format=combined\n") as server:
        get(server.port, "/none", ['Referer: http://a.example/"x', "User-Agent: test"]).read_all()
        line, = wait_for_lines(1)
        check(line.endswith(r' "http://a.example/\"x" "test"'), line)
        server.end()


@case
def json_lines():
    movie()
    with configured(MOUNT, "access-log=access.log\naccess-log-format=json\n") as server:
        web = WebSocket(server.port, "/a.flv", ["User-Agent: test/1"])
        web.close()
        ask(server.port, "HEAD", "/v/movie.flv", ["Referer: http://a.example/"]).read_all()
        found = {one["target"]: one for one in map(json.loads, wait_for_lines(2))}
        server.end()
    stream, head = found["/a.flv"], found["/v/movie.flv"]
    check(stream["method"] == "GET" and stream["user-agent"] == "test/1", f"{stream}")
    check(stream["status"] == 101 and stream["reason"], f"{stream}")
    check(head["method"] == "HEAD" and head["status"] == 200, f"{head}")
    check(head["referer"] == "http://a.example/" and head["secure"] is False, f"{head}")
    check(isinstance(head["duration"], int) and head["protocol"] == "HTTP/1.1", f"{head}")
    datetime.datetime.strptime(head["time"], "%Y-%m-%dT%H:%M:%S.%fZ")


@case
def a_renamed_log_is_opened_again():
    movie()
    with configured(MOUNT, "access-log=access.log\n") as server:
        get(server.port, "/one").read_all()
        wait_for_lines(1)
        os.rename("access.log", "access.log.1")
        get(server.port, "/two").read_all()
        wait_for_lines(2, "access.log.1")
        server.send(signal.SIGHUP)
        wait_until(lambda: os.path.exists("access.log"), "no new log")
        get(server.port, "/three").read_all()
        line, = wait_for_lines(1)
        check("/three" in line and len(lines("access.log.1")) == 2, line)
        server.end()


@case
def every_request_is_in_the_log_at_the_end():
    movie()
    with configured(MOUNT, "access-log=access.log\n") as server:
        for number in range(200):
            get(server.port, f"/{number}").read_all()
        stream = stream_of(server.port, "/a.flv")
        stream.read_pictures(1)
        server.end()
        stream.close()
    check(len(lines()) == 201, f"{len(lines())} lines")


@case
def a_log_that_cannot_be_written():
    movie()
    os.mkdir("logs")
    with configured(MOUNT, "access-log=/dev/full\n") as server:
        for _ in range(3):
            get(server.port, "/none").read_all()
        server.wait_for("cannot write the access log /dev/full: No space left on device")
        check(stream_of(server.port, "/a.flv").read_pictures(3), "no stream")
        server.end()
    check(server.text.count("cannot write") == 1, server.text)


main()
