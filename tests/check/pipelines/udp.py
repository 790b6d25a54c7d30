#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""udpsink: tags split to size, each byte in its datagram, and a receiver that decodes."""

import contextlib
import pathlib
import socket
import subprocess
import threading

from flvfile import clip, pictures, tags_of
from pipeline import (TIMEOUT, background, case, check, check_decodes, check_same, finish,
                      free_port, main, needs, needs_element, recipe, run, wait_for_port)

SO_RCVBUFFORCE = 33  # Linux; exceeds the system's limit if root


def collect(receiver, datagrams):
    with contextlib.suppress(TimeoutError):
        while True:
            datagrams.append(receiver.recv(65536))
            receiver.settimeout(2)


def large_movie():
    """720p keyframes that exceed the size of a datagram."""
    needs("ffmpeg")
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                    "testsrc2=size=1280x720:rate=25,noise=alls=20:allf=t", "-f", "lavfi", "-i",
                    "sine=sample_rate=44100", "-t", "3", "-c:v", "libx264", "-preset", "ultrafast",
                    "-tune", "zerolatency", "-crf", "30", "-g", "50", "-pix_fmt", "yuv420p",
                    "-c:a", "aac", "movie.flv"], check=True)
    stream = pathlib.Path("movie.flv").read_bytes()
    largest = max(tag.end - tag.begin for tag in tags_of(stream))
    check(largest > 65507, f"the largest tag has only {largest} bytes")
    return stream


@case
def udp_writes_down_the_file():
    needs_element("udpsink")
    stream = large_movie()
    datagrams = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
        with contextlib.suppress(PermissionError):
            receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 25)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(TIMEOUT)
        reader = threading.Thread(target=collect, args=(receiver, datagrams))
        reader.start()
        done = run(recipe("udp-send", _5000=receiver.getsockname()[1])).ok()
        reader.join()
    check(done.warnings == 0, done.stdout)
    check(max(map(len, datagrams)) <= 1316, f"a datagram of {max(map(len, datagrams))} bytes")
    check_same(b"".join(datagrams), stream, "the datagrams together")


@case
def udp_recipe():
    needs_element("udpsink")
    stream = clip(3)
    port = free_port(socket.SOCK_DGRAM)
    with background(recipe("udp-receive", _5000=port)) as receiver:
        wait_for_port(port, "udp")
        run(recipe("udp-send", _5000=port)).ok()
        finish(receiver)  # ffmpeg ends by its timeout, with any status
    check_decodes("copy.flv", pictures(stream))


main()
