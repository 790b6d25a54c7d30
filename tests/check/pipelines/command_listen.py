#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvstream --listen: TCP clients that connect and disconnect."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import time

from commandline import FLVSTREAM, in_path, movie, stream
from flvfile import clip, pictures, tags_of
from pipeline import (add_case, background, case, check, check_decodes, check_same, connect,
                      finish, free_port, main, needs, needs_element, read_all, recipe,
                      wait_for_port)


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
    waiting = f"flvstream: waiting for clients on tcp://127.0.0.1:{port}\n"
    with background(f"exec {FLVSTREAM} -l -h 127.0.0.1:{port} movie.flv") as server:
        check(server.stderr.readline().decode() == waiting, "not the line")
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            done = stream(f"-l -h 127.0.0.1:{port} movie.flv")
        server.send_signal(signal.SIGINT)
        finish(server).ok()
    check(done.status == 1, f"exit status {done.status}")
    check(done.stderr == f"flvstream: cannot serve on 127.0.0.1:{port}: Address already in use\n",
          done.stderr)
    done = stream(f"-l -h 127.0.0.1:{port} text.flv")
    check(done.status == 1 and done.stderr.count("\n") == 1, done.stderr)


def announced(server):
    """The addresses in the lines that a server prints when it is ready."""
    os.set_blocking(server.stderr.fileno(), False)
    lines = b""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (not lines.endswith(b"\n") or time.sleep(0.3)):
        lines += server.stderr.read() or b""
        time.sleep(0.05)
        if lines.endswith(b"\n"):
            lines += server.stderr.read() or b""
            break
    os.set_blocking(server.stderr.fileno(), True)
    return re.findall(r"^flvstream: waiting for clients on (\S+)$", lines.decode(), re.MULTILINE)


@case
def without_a_host_all_addresses_are_served_and_printed():
    movie()
    for arguments in ("-l -h :{}", "-l -h {}", "-l -h 0.0.0.0:{}", "--http={}", "--http=:{}/movie.flv"):
        if "http" in arguments:
            needs_element("httpserversink")
        port = free_port()
        with background(f"exec {FLVSTREAM} --loop {arguments.format(port)} movie.flv") as server:
            urls = announced(server)
            path = "/movie.flv" if "http" in arguments else ""
            scheme = "http" if path else "tcp"
            check(urls[0] == f"{scheme}://127.0.0.1:{port}{path}", f"{urls}")
            check(len(set(urls)) == len(urls), f"{urls}")
            for url in urls:
                host = re.fullmatch(rf"{scheme}://\[?([^/\]]+?)\]?:{port}{path}", url)
                check(host, url)
                with socket.create_connection((host[1], port), timeout=5) as client:
                    client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                    check(client.recv(1 << 16), f"nothing from {url}")
            server.send_signal(signal.SIGINT)
            finish(server, timeout=5).ok()


@case
def a_host_is_needed_to_send_and_no_more_than_one_is_printed():
    movie()
    port = free_port()
    for arguments in (f"-h :{port}", f"-h {port}", f"-u -h :{port}", "-l -h 0", "-l -h :", "-l -h ''",
                      "-l -h ::1:5000", "-l -h [::1:5000", "-l -h 127.0.0.1"):
        check(stream(f"{arguments} movie.flv").status == 2, arguments)
    with background(f"exec {FLVSTREAM} -l -h 127.0.0.1:{port} movie.flv") as server:
        check(announced(server) == [f"tcp://127.0.0.1:{port}"], "other addresses")


def command_encoder_recipe(on_air):
    """The encoder has been on air for `on_air` seconds."""
    expected = clip(4)
    port = free_port()
    with background(in_path(recipe("command-encoder", _5000=port, **{
            "-c copy": f"-c copy -output_ts_offset {on_air}"}))) as server:
        with connect(port) as client:
            got = read_all(client)
        finish(server).ok()
    check(pictures(got) == pictures(expected), f"{pictures(got)} pictures")


for _seconds in (0, 3600):
    add_case(f"command-encoder-recipe-{_seconds}",
             lambda seconds=_seconds: command_encoder_recipe(seconds))


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


def client_of(port, seconds):
    """A program that reads from a server and prints the longest gap between two reads."""
    return (f"python3 -c 'import socket, time; c = socket.create_connection((\"127.0.0.1\", {port})); "
            "last = time.monotonic(); gap = 0; end = last + " f"{seconds}" "\nwhile last < end and "
            "c.recv(1 << 16):\n now = time.monotonic(); gap = max(gap, now - last); last = now\n"
            "print(gap)'")


@case
def stalled_clients_stop_nobody():
    """They use no memory beyond the data that is kept for all clients."""
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
