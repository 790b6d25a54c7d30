#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvstream --http: browsers and players that connect and disconnect."""

import contextlib
import json
import os
import pathlib
import pty
import re
import signal
import socket
import time

from commandline import FLVSTREAM, in_path, movie, stream
from flvfile import HEADER_SIZE, clip, pictures, tags_of, whole_part
from http_client import ask, get, in_parallel, media, stream_of
from pipeline import (Skip, background, case, check, check_decodes, finish, free_port, main, needs,
                      needs_element, recipe, run)
from websocket_client import CLOSE, WebSocket


@contextlib.contextmanager
def serve(arguments, path="/live.flv", host="127.0.0.1"):
    """Runs the command. Returns it and the port on which it listens."""
    needs_element("httpserversink")
    port = free_port()
    with background(f"exec {FLVSTREAM} --http={host}:{port}{path} {arguments} movie.flv") as server:
        line = server.stderr.readline().decode(errors="replace")
        check(line.startswith(f"flvstream: waiting for clients on http://{host}:{port}/"), line)
        yield server, port


def end(server):
    server.send_signal(signal.SIGINT)
    return finish(server, timeout=5).ok()


def span(got):
    """The duration of the media in ms."""
    times = [tag.timestamp for tag in tags_of(got) if tag.media]
    return times[-1] - times[0]


@case
def it_waits_for_the_first_client():
    expected = movie()
    with serve("--speed=4 -b 1000 --json") as (server, port):
        time.sleep(1)
        check(ask(port, "HEAD", "/live.flv").status == 200, "no answer to HEAD")
        check(get(port, "/else").status == 404, "something at another path")
        response = stream_of(port)
        check(response.headers["content-type"] == "video/x-flv", f"{response.headers}")
        got = response.read_all()
        told = json.loads(finish(server).ok().stdout)
    check(media(got) == media(expected), "not all of it")
    check(told["result"] == "done" and told["clients"] == 1, f"{told}")


@case
def curl_and_ffprobe_get_a_stream():
    needs("curl", "ffprobe")
    movie()
    with serve("--loop -b 1000", "/") as (server, port):
        url = f"http://127.0.0.1:{port}"
        run(f"curl -s --max-time 2 {url} > copy.flv")
        run(f"curl -s --max-time 2 '{url}/?query' >> other.flv")
        told = run("ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "
                   f"{url}").ok().stdout
        end(server)
    check(set(told.split()) == {"h264", "aac"}, told)
    for name in ("copy.flv", "other.flv"):
        got = whole_part(pathlib.Path(name).read_bytes())
        pathlib.Path(name).write_bytes(got)
        check_decodes(name, pictures(got))


def convert_recipe(name, path):
    needs("ffmpeg")
    needs_element("httpserversink")
    expected = movie()
    run("ffmpeg -v error -i movie.flv -c copy movie.mp4").ok()
    port = free_port()
    command = recipe(name, _8080=port).replace("-b 2s", "-b 2s --speed=4")
    with background(in_path(command)) as server:
        check(f"://127.0.0.1:{port}{path}" in server.stderr.readline().decode(), "no address")
        got = stream_of(port, path).read_all()
        finish(server).ok()
    check(abs(pictures(got) - pictures(expected)) <= 1, f"{pictures(got)} pictures")


@case
def command_convert_recipe():
    convert_recipe("command-convert", "/movie.flv")


@case
def command_encode_recipe():
    convert_recipe("command-encode", "/live.flv")


@case
def each_client_gets_the_burst():
    """Without -b, a client starts at the latest keyframe; a keyframe comes every 2 s."""
    movie()
    for arguments, least, most in (("-b 5000", 4800, 7500), ("", 0, 2900),
                                   ("-b 2500 --speed=2", 4800, 7700)):
        with serve(f"--loop {arguments}") as (server, port):
            first = stream_of(port)
            first.read_for(4)
            late = stream_of(port)
            late.read_for(0.3)
            end(server)
            for client in (first, late):
                client.close()
        got = whole_part(bytes(late.body))
        tags = [tag for tag in tags_of(got) if tag.media]
        check(tags[0].timestamp == 0 and any(tag.key for tag in tags[:3]), "no start")
        check(least <= span(got) <= most, f"{arguments}: a burst of {span(got)} ms")
        pathlib.Path("copy.flv").write_bytes(got)
        check_decodes("copy.flv", pictures(got))


@case
def a_long_burst_at_high_speed_is_not_skipped():
    expected = movie()
    with serve("--speed=100 -b 60000") as (server, port):
        got = stream_of(port).read_all()
        finish(server).ok()
    check(media(got) == media(expected), "not all of it")


@case
def loop_goes_on_with_time_and_clients():
    clip(2)
    with serve("--loop --speed=4") as (server, port):
        plain, framed = stream_of(port), WebSocket(port)
        _, (_, messages), _ = in_parallel(plain.read_all, lambda: framed.receive_until(CLOSE),
                                          lambda: (time.sleep(3), end(server)))
    for got in (whole_part(bytes(plain.body)), b"".join(messages)):
        times = [tag.timestamp for tag in tags_of(got) if tag.key]
        steps = [later - earlier for earlier, later in zip(times, times[1:])]
        check(len(steps) > 3 and all(1500 < step < 2500 for step in steps), f"steps of {steps}")
        pathlib.Path("copy.flv").write_bytes(got)
        check_decodes("copy.flv", pictures(got))


@case
def interrupted_it_ends_with_whole_tags():
    movie()
    for which in (signal.SIGINT, signal.SIGTERM):
        with serve("--loop --json") as (server, port):
            plain, framed = stream_of(port), WebSocket(port)
            plain.read(30000)
            server.send_signal(which)
            got, (reason, _) = in_parallel(plain.read_all, lambda: framed.receive_until(CLOSE))
            told = json.loads(finish(server, timeout=5).ok().stdout)
        check(told["result"] == "stopped" and told["clients"] == 2, f"{told}")
        check(tags_of(got)[-1].end == len(got), "it ends inside a tag")
        check(int.from_bytes(reason[:2], "big") == 1000, f"closed with {reason}")


@case
def interrupted_without_clients_or_with_stalled_ones_it_ends():
    movie()
    for clients in (0, 2):
        with serve("--loop --speed=20 --json") as (server, port):
            stalled = [get(port, buffer=4096) for _ in range(clients)]
            time.sleep(2)
            begin = time.monotonic()
            told = json.loads(end(server).stdout)
            seconds = time.monotonic() - begin
            for client in stalled:
                client.close()
        check(told["clients"] == clients and told["result"] == "stopped", f"{told}")
        check(seconds < 2.5, f"{clients} clients: it took {seconds:.1f} s")


@case
def who_left_is_not_waited_for():
    movie()
    with serve("--speed=4 --json") as (server, port):
        stream_of(port).close()
        told = json.loads(finish(server).ok().stdout)
    check(told["result"] == "done" and told["clients"] == 1, f"{told}")


@case
def a_stalled_client_stops_nobody():
    movie()
    with serve("--loop -b 1000") as (server, port):
        stalled = [get(port, buffer=4096) for _ in range(5)]
        gap = stream_of(port).read_for(4)
        check(gap < 0.5, f"a gap of {gap} s")
        end(server)
        for client in stalled:
            client.close()


@case
def from_an_offset_and_in_pieces():
    expected = movie()
    key = next(tag for tag in tags_of(expected) if tag.key and tag.timestamp == 4000)
    for arguments in ("-s 5.5", "-s 5.5 --mtu=500"):
        with serve(f"--speed=20 {arguments}") as (server, port):
            got = stream_of(port).read_all()
            finish(server).ok()
        rest = expected[:HEADER_SIZE] + expected[key.begin:]
        check(media(got) == media(rest), f"{arguments}: another part")


@case
def any_path_that_can_be_asked_for():
    movie()
    for path, asked in {"": "/movie.flv", "/": "/", "/a/b.c": "/a/b.c", "/a b": "/a%20b", "/a%20b": "/a%20b",
                        "/\u00e4": "/%C3%A4", "/%7Ea&b": "/~a&b"}.items():
        with serve("", f"'{path}'") as (server, port):
            response = get(port, asked)
            check(response.status == 200, f"{path}: {response.status}")
            response.close()
            check(not end(server).stderr, "something was said")


@case
def ipv6():
    movie()
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        raise Skip("no IPv6") from None
    with serve("", "/x", "[::1]") as (server, port):
        with socket.create_connection(("::1", port), timeout=5) as client:
            client.sendall(b"GET /x HTTP/1.0\r\n\r\n")
            check(client.recv(1 << 16).startswith(b"HTTP/1.1 200 "), "no stream")
        end(server)


@case
def failures_say_what_and_why_once():
    movie()
    pathlib.Path("text.flv").write_text("hello", encoding="utf-8")
    with serve("") as (_, port):
        for arguments, line in {
                f"--http=127.0.0.1:{port}/x movie.flv":
                    f"cannot serve on http://127.0.0.1:{port}/x: Address already in use",
                f"--http=nowhere.invalid:{port} movie.flv":
                    f"cannot serve on http://nowhere.invalid:{port}/movie.flv: .*",
                "--http=127.0.0.1:1234/a?b movie.flv":
                    r"cannot serve on http://127.0.0.1:1234/a\?b: no client can ask for such a "
                    "path",
                "--http=127.0.0.1:1234/a#b movie.flv":
                    "cannot serve on http://127.0.0.1:1234/a#b: no client can ask for such a path",
                "--http=127.0.0.1:1234/100% movie.flv":
                    "cannot serve on http://127.0.0.1:1234/100%: no client can ask for such a path",
                f"--http=127.0.0.1:{free_port()} text.flv": "text.flv: Not an FLV file: .*",
                f"--http=127.0.0.1:{free_port()} no.flv":
                    "cannot read no.flv: No such file or directory"}.items():
            done = stream(arguments)
            check(done.status == 1, f"{arguments}: exit status {done.status}")
            check(re.fullmatch(f"flvstream: {line}\n", done.stderr), f"{arguments}: {done.stderr}")


@case
def wrong_usage_ends_with_2():
    movie()
    for arguments in ("--http=127.0.0.1:1/x -h 127.0.0.1:1", "--http=127.0.0.1:1/x -u",
                      "--http=127.0.0.1:1/x -t", "--http=127.0.0.1:1/x -l", "--http=127.0.0.1:1",
                      "--http=127.0.0.1", "--http=127.0.0.1:0/x", "--http=127.0.0.1:1x",
                      "--http=:/x", "--http=::1:1/x", "--http=/x", "--http=", "--http=[]:1/x",
                      "--http=http://127.0.0.1:1/x"):
        output = "copy.flv" if arguments.endswith("127.0.0.1:1") else ""
        done = stream(f"{arguments} movie.flv {output}")
        check(done.status == 2, f"{arguments}: exit status {done.status}")
        check(done.stderr.startswith("flvstream: ") and done.stderr.count("\n") == 1
              and "--http" in done.stderr, f"{arguments}: {done.stderr}")


@case
def a_terminal_shows_clients():
    needs_element("httpserversink")
    movie()
    port = free_port()
    ours, theirs = pty.openpty()
    command = f"{FLVSTREAM} --http=127.0.0.1:{port} --loop movie.flv"
    with background(f"exec {command} 2>{os.ttyname(theirs)}") as server:
        shown = b""
        while b"waiting for clients on http://" not in shown:
            shown += os.read(ours, 1 << 16)
        clients = [stream_of(port, "/movie.flv") for _ in range(2)]
        time.sleep(1)
        for client in clients:
            client.close()
        time.sleep(1)
        end(server)
    shown += os.read(ours, 1 << 16)
    os.close(theirs)
    os.close(ours)
    for text in (rb"lead -?\d+\.\d s  2 clients", rb"  0 clients"):
        check(re.search(text, shown), f"shown: {shown!r}")


@case
def a_missing_plugin_is_named():
    movie()
    plugins = [path for path in os.environ.get("GST_PLUGIN_PATH", "").split(":")
               if not list(pathlib.Path(path).glob("libgstflvhttp*"))]
    done = run(f"GST_PLUGIN_PATH={':'.join(plugins)} GST_REGISTRY=$PWD/registry "
               f"timeout 10 {FLVSTREAM} --http=127.0.0.1:{free_port()} movie.flv")
    if done.status == 124:
        raise Skip("it is installed")
    check(done.status == 1 and "httpserversink" in done.stderr and "libsoup" in done.stderr
          and done.stderr.count("\n") == 1, f"{done.status}: {done.stderr}")


main()
