#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tcpclientsink and tcpserversink: clients that wait, connect at the start, or join later."""

import pathlib
import random
import socket
import threading
import time

from flvfile import AUDIO, SCRIPT, VIDEO, clip, pictures, tags_of, whole_part
from pipeline import (SAMPLE, TIMEOUT, add_case, background, case, check, check_decodes,
                      check_same, connect, finish, free_port, main, needs, read_all, recipe, run,
                      wait_for_port)


@case
def tcp_send_to_a_socket():
    stream = clip(3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT)
        with background(recipe("tcp-send", _5000=server.getsockname()[1])) as sender:
            connection, _ = server.accept()
            with connection:
                received = read_all(connection)
            finish(sender).ok()
    check_same(received, stream, "what arrived")


@case
def tcp_send_recipe():
    needs("ffmpeg")
    stream = clip(3)
    port = free_port()
    with background(recipe("tcp-listen", _5000=port)) as listener:
        wait_for_port(port)
        run(recipe("tcp-send", _5000=port)).ok()
        finish(listener).ok()
    check_decodes("copy.flv", pictures(stream))


@case
def tcp_serve_recipe():
    needs("ffmpeg")
    clip(4)
    port = free_port()
    with background(recipe("tcp-serve", _5000=port)) as server:
        wait_for_port(port)
        run(recipe("tcp-join", _5000=port)).ok()
        finish(server).ok()
    check_decodes("copy.flv", pictures(pathlib.Path("copy.flv").read_bytes()))


@case
def tcp_client_from_the_start():
    """The server's history includes the start, so the client receives every byte."""
    stream = clip(4)
    port = free_port()
    with background(recipe("tcp-serve-burst", _5000=port)) as server:
        with connect(port) as client:
            received = read_all(client)
        finish(server).ok()
    check_same(received, stream, "what the client got")


def join(port, seconds):
    """The output for a client in `seconds`, cut after the last whole tag."""
    received = bytearray()
    with connect(port) as client:
        client.settimeout(1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                chunk = client.recv(1 << 16)
            except TimeoutError:
                continue
            if not chunk:
                break
            received += chunk
    return whole_part(bytes(received))


def check_start(stream, what):
    """Metadata, configurations and a keyframe follow the file header. tags_of() checks the file
    header."""
    tags = tags_of(stream)
    kinds = [(tag.kind, tag.configuration) for tag in tags[:3]]
    check(sorted(kinds) == [(AUDIO, True), (VIDEO, True), (SCRIPT, False)],
          f"{what} starts with {kinds}")
    check(tags[3].key, f"{what}: no key frame after the head")
    check(not any(tag.configuration for tag in tags[4:20]), f"{what}: a configuration twice")


@case
def late_joiners():
    needs("ffmpeg", "ffprobe")
    pathlib.Path("movie.flv").symlink_to(SAMPLE)
    port = free_port()
    joiners = {}

    def joiner(number, delay):
        time.sleep(delay)
        joiners[number] = (delay, join(port, 2.5))

    with background(recipe("tcp-serve", _5000=port)):
        wait_for_port(port)
        threads = [threading.Thread(target=joiner, args=(number, random.uniform(0, 9)))
                   for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    check(len(joiners) == 20, f"{len(joiners)} of 20 got something")
    for number, (delay, stream) in sorted(joiners.items()):
        path = f"joined-{number}.flv"
        pathlib.Path(path).write_bytes(stream)
        check_start(stream, f"the client that joined after {delay:.3f} s")
        check_decodes(path, pictures(stream))


@case
def loop_recipe():
    """A client that joins in the second round, and stays until the third."""
    clip(2)
    port = free_port()
    with background(recipe("loop", _5000=port)):
        wait_for_port(port)
        time.sleep(2.5)
        stream = join(port, 4)
    check_start(stream, "the client")
    pathlib.Path("joined.flv").write_bytes(stream)
    check_decodes("joined.flv", pictures(stream))
    media = [tag for tag in tags_of(stream) if tag.media]
    check(media[0].timestamp >= 1500, f"joined at {media[0].timestamp} ms, in the first round")
    check(media[-1].timestamp >= 4500, f"left at {media[-1].timestamp} ms, before the third")


def encoder_recipe(on_air):
    """The encoder has been on air for `on_air` seconds."""
    needs("ffmpeg")
    clip(4)
    port = free_port()
    with background(recipe("encoder", _5000=port, **{
            "-c copy": f"-c copy -output_ts_offset {on_air}"})) as server:
        wait_for_port(port)
        time.sleep(1)
        stream = join(port, TIMEOUT)
        finish(server).ok()
    check_start(stream, "the client")
    pathlib.Path("joined.flv").write_bytes(stream)
    check_decodes("joined.flv", pictures(stream))
    check(pictures(stream) > 50, f"{pictures(stream)} pictures")


for _seconds in (0, 3600):
    add_case(f"encoder-recipe-{_seconds}", lambda seconds=_seconds: encoder_recipe(seconds))

main()
