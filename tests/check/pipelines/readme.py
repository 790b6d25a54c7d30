#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs every command line in the README's uses and in the elements' doc comments, with only the
ports replaced. Its output decodes."""

import contextlib
import functools
import pathlib
import re
import socket

from commandline import FLVSTREAM, web_server
from flvfile import clip, pictures, tags_of
from pipeline import (ROOT, add_case, background, case, check, check_decodes, finish, free_port,
                      main, needs, needs_element, run, wait_for_port)

SECONDS = 8
SECTIONS = ("Uses", "flvstream")
# rtmp.py tests this line, and has the server for it.
ELSEWHERE = "rtmp2sink"
PORTS = re.compile(r"(?<=[:=])(?:5000|8080)\b")


def lines():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = []
    for title in SECTIONS:
        section = text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
        for block in re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            found += [line.split("  #")[0].strip() for line in block.splitlines()
                      if line and not line.startswith("#")]
    return found


def lines_of_comments():
    """The lines in the doc comments' sections: element, number and line."""
    for source in sorted((ROOT / "gst").glob("*/gst*.cpp")):
        text = source.read_text(encoding="utf-8")
        element = re.search(r"^ \* SECTION:element-(\w+)$", text, re.MULTILINE)[1]
        for block in re.findall(r"^ \* \|\[\n(.*?)^ \* \]\|$", text, re.MULTILINE | re.DOTALL):
            for number, line in enumerate(block.splitlines(), 1):
                yield element, number, line.removeprefix(" * ")


def frames_of(url):
    """A player that joins now decodes two seconds of pictures without a warning."""
    done = run(f"ffmpeg -v warning -t 2 -i {url} -c copy -y joined.flv").ok()
    check(not done.stderr, f"ffmpeg on {url}: {done.stderr}")
    check_decodes("joined.flv")
    count = pictures(pathlib.Path("joined.flv").read_bytes())
    check(count >= 25, f"{count} pictures from {url}")


def serve(line, port, url):
    with background(line):
        wait_for_port(port)
        frames_of(url)


def send_to_listener(line, port):
    with background(f"ffmpeg -v warning -i tcp://127.0.0.1:{port}?listen -c copy copy.flv") as taker:
        wait_for_port(port)
        run(line).ok()
        finish(taker).ok()
    check_decodes("copy.flv", pictures(pathlib.Path("movie.flv").read_bytes()))


def send_datagrams(line, port):
    received = bytearray()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        receiver.bind(("127.0.0.1", port))
        run(line).ok()
        receiver.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                received += receiver.recv(65536)
    # The start fits into the system's socket buffer.
    check(len(tags_of(bytes(received))) > 10, f"{len(received)} bytes arrived")


def play(line):
    with web_server() as web:
        play_beside(web, line)


def play_beside(web, line):
    needs("ffmpeg", "ffprobe")
    for element in re.findall(r"\b(\w+(?:src|sink))\b", line):
        needs_element(element)
    clip(SECONDS)
    port = free_port()
    command = PORTS.sub(str(port), line).replace("http://127.0.0.1/", f"{web}/")
    if command.startswith("flvstream"):
        command = FLVSTREAM + command.removeprefix("flvstream")
    if "| ffplay -" in command:
        done = run(command.replace("ffplay -", "ffmpeg -v warning -i - -f null -")).ok()
        check("non-existing" not in done.stderr and "Invalid" not in done.stderr, done.stderr)
    elif "tcpserversink" in command or " -l " in command:
        serve(command, port, f"tcp://127.0.0.1:{port}")
    elif "httpserversink" in command:
        path = re.search(r" path=(\S+)", command)[1]
        serve(command, port, f"http://127.0.0.1:{port}{path}")
    elif "--http" in command:
        serve(command, port, f"http://127.0.0.1:{port}/movie.flv")
    elif "udpsink" in command or " -u " in command:
        send_datagrams(command, port)
    elif str(port) in command:
        send_to_listener(command, port)
    else:
        run(command).ok()
        output = re.search(r"(\w+\.flv)$", command)[1]
        check(output != "movie.flv", f"no output in {command}")
        check_decodes(output)
        check(pictures(pathlib.Path(output).read_bytes()) > 25, f"few pictures in {output}")


@case
def lines_are_found():
    kinds = [line.split()[0] for line in lines()]
    check(kinds.count("gst-launch-1.0") > 8 and kinds.count("flvstream") > 5, str(kinds))


@case
def every_element_has_a_line():
    elements = {element for element, _, _ in lines_of_comments()}
    check(elements == {"flvpace", "flvseek", "httpserversink", "failoversrc"}, str(elements))


for name, number, each in lines_of_comments():
    if ELSEWHERE not in each:
        add_case(f"{name}-{number}", functools.partial(play, each))

for number, each in enumerate(lines()):
    if ELSEWHERE not in each:
        add_case(f"line-{number + 1}", functools.partial(play, each))

main()
