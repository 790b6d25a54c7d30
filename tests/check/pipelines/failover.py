#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""failoversrc with web servers that are killed, frozen, or answer with something else. The output is
one FLV stream that decodes across each switch."""

import contextlib
import pathlib
import re
import signal
import time

from flvfile import tags_of
from introspection import PYTHON
from pipeline import (TIMEOUT, background, case, check, check_decodes,
                      free_port, main, needs, needs_element, recipe, run, wait_for_port,
                      wait_until)

SERVER = pathlib.Path(__file__).with_name("live_server.py")
QUICK = "timeout=1500 retry-min=100 retry-max=400 fail-back=600"
PICTURES = {"a": "testsrc2", "b": "smptebars"}


def source(name, seconds=30):
    """A stream with a keyframe every 400 ms. The picture is that of the name."""
    needs("ffmpeg")
    run(f"ffmpeg -v error -y -f lavfi -i {PICTURES[name]}=size=320x180:rate=25 "
        f"-f lavfi -i sine=sample_rate=44100 -t {seconds} -c:v libx264 -preset ultrafast -bf 0 "
        f"-g 10 -keyint_min 10 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -ac 1 {name}.flv").ok()


class Server:
    """A process that serves NAME.flv."""

    def __init__(self, name, port=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._stack = contextlib.ExitStack()
        self.process = self._stack.enter_context(
            background(f"exec {PYTHON} {SERVER} {self.port} {name}.flv"))
        wait_for_port(self.port)

    def send(self, number):
        self.process.send_signal(number)

    def close(self):
        self._stack.close()


class Line:
    """gst-launch-1.0 with failoversrc; the messages of the element as text."""

    def __init__(self, uris, settings=QUICK, after="flvpace"):
        needs_element("failoversrc", "souphttpsrc")
        self._stack = contextlib.ExitStack()
        pathlib.Path("log").touch()
        self.process = self._stack.enter_context(background(
            f"exec gst-launch-1.0 -m -e failoversrc uris='{';'.join(uris)}' {settings} ! {after} ! "
            "filesink location=out.flv buffer-mode=unbuffered > log 2>&1"))

    def messages(self):
        text = pathlib.Path("log").read_text(encoding="utf-8", errors="replace")
        found = re.findall(r"source-(lost|switched|back), index=\(uint\)(\d+).*?;", text)
        reasons = re.findall(r"source-(?:lost|switched|back), index=.*?(?:reason=\(string\)"
                             r"([\w-]+).*?)?;", text)
        return [" ".join(filter(None, (*each, reason))) for each, reason in zip(found, reasons)]

    def wait_for(self, message):
        wait_until(lambda: message in self.messages(), f"no “{message}”", TIMEOUT)

    def run_for(self, seconds):
        """Real time passes, and the output grows."""
        before = pathlib.Path("out.flv").stat().st_size
        time.sleep(seconds)
        check(pathlib.Path("out.flv").stat().st_size > before, "the output stands still")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(TIMEOUT)
        text = pathlib.Path("log").read_text(encoding="utf-8", errors="replace")
        self._stack.close()
        check(status == 0, f"exit status {status}:\n{text[-2000:]}")
        check("ERROR" not in text, f"an error on the bus: {text[text.find('ERROR'):][:500]}")


def check_output(order):
    """The output decodes, and has the pictures of the sources in this order, such as "ab"."""
    check_decodes("out.flv")
    owner = {tag.data: name for name in PICTURES if pathlib.Path(f"{name}.flv").exists()
             for tag in tags_of(pathlib.Path(f"{name}.flv").read_bytes()) if tag.picture}
    tags = [tag for tag in tags_of(pathlib.Path("out.flv").read_bytes()) if tag.picture]
    check(all(tag.data in owner for tag in tags), "a picture of no source")
    found = ""
    for tag in tags:
        name = owner[tag.data]
        if not found.endswith(name):
            check(tag.key, f"{name} begins without a keyframe")
            found += name
    check(found == order, f"the pictures are of {found}, not of {order}")
    steps = [b.timestamp - a.timestamp for a, b in zip(tags, tags[1:])]
    # Timestamps that go on by the time of the loss are no jump to flvpace.
    check(all(0 <= step < 5000 for step in steps), f"steps from {min(steps)} to {max(steps)} ms")


def lost_and_back(lose, restore, reason):
    """Source a is lost, b replaces it, and a comes back."""
    source("a")
    source("b")
    with contextlib.closing(Server("a")) as a, contextlib.closing(Server("b")) as b:
        line = Line([f"{a.url}/live.flv", f"{b.url}/live.flv"])
        line.wait_for("switched 0 start")
        line.run_for(1)
        begin = time.monotonic()
        lose(a)
        line.wait_for("switched 1 lost")
        gap = time.monotonic() - begin
        # The timeout, a group of pictures, and time for a busy machine.
        check(gap < 1.5 + 0.4 + 2, f"the switch took {gap:.1f} s")
        line.run_for(1)
        with contextlib.closing(restore(a)):
            line.wait_for("switched 0 fail-back")
            line.run_for(1)
            line.end()
        check(line.messages()[:2] == ["switched 0 start", f"lost 0 {reason}"],
              str(line.messages()))
    check_output("aba")


@case
def a_killed_server():
    def kill(server):
        server.send(signal.SIGKILL)
        server.process.wait()

    lost_and_back(kill, lambda server: Server("a", server.port), "ended")


@case
def a_frozen_server():
    def thaw(server):
        server.send(signal.SIGCONT)
        return contextlib.ExitStack()

    lost_and_back(lambda server: server.send(signal.SIGSTOP), thaw, "silent")


@case
def no_stream_at_the_address():
    """404, HTML, a port without a server, a scheme without an element."""
    source("b")
    with contextlib.closing(Server("b")) as b:
        line = Line([f"{b.url}/none.flv", f"{b.url}/page", f"http://127.0.0.1:{free_port()}/x",
                     "nosuch://x", f"{b.url}/live.flv"])
        line.wait_for("switched 4 start")
        line.run_for(1)
        line.end()
        check(line.messages()[:5] == ["lost 0 error", "lost 1 wrong-type", "lost 2 error",
                                      "lost 3 no-source", "switched 4 start"],
              str(line.messages()))
    check_output("b")


@case
def starts_before_its_sources():
    source("a")
    port = free_port()
    line = Line([f"http://127.0.0.1:{port}/live.flv"])
    line.wait_for("lost 0 error")
    with contextlib.closing(Server("a", port)):
        line.wait_for("switched 0 start")
        line.run_for(1)
        line.end()
    check_output("a")


@case
def a_file_repeats_in_real_time():
    """A file replaces a live source. Each of its repetitions takes as long as its media."""
    source("a")
    source("b", 2)
    with contextlib.closing(Server("a")) as a:
        line = Line([f"{a.url}/live.flv", pathlib.Path("b.flv").absolute().as_uri()])
        line.wait_for("switched 0 start")
        line.run_for(1)
        a.send(signal.SIGKILL)
        line.wait_for("switched 1 lost")
        time.sleep(5)
        line.end()
    check_output("ab")
    tags = tags_of(pathlib.Path("out.flv").read_bytes())
    frames = {tag.data for tag in tags_of(pathlib.Path("b.flv").read_bytes()) if tag.picture}
    count = sum(tag.picture and tag.data in frames for tag in tags)
    check(90 <= count <= 150, f"{count} pictures in 5 s, which has 125")


def other_container(make, caps, plugin):
    """Two files of another container as sources: the output decodes."""
    needs("ffmpeg")
    needs_element(plugin)
    source("a", 4)
    run(f"ffmpeg -v error -y -i a.flv -c copy {make}").ok()
    path = pathlib.Path(make.split()[-1]).absolute()
    line = Line(["file:///none", path.as_uri()], after=f"capsfilter caps={caps}")
    line.wait_for("switched 1 start")
    line.run_for(6)
    line.end()
    done = run("ffmpeg -v error -xerror -t 3 -i out.flv -f null -").ok()
    check(not done.stderr, done.stderr)


@case
def a_transport_stream():
    other_container("-f mpegts a.ts", "video/mpegts", "failoversrc")


@case
def a_matroska_stream():
    other_container("a.mkv", "video/x-matroska", "failoversrc")


@case
def recipe_offline_picture():
    """The recipe of the page: a server that is not there, and the file instead."""
    needs_element("httpserversink")
    source("b", 4)
    port = free_port()
    text = recipe("offline-picture", **{"_8080": port, "http://camera.example/live.flv":
                                        f"http://127.0.0.1:{free_port()}/live.flv",
                                        "/srv/offline.flv": pathlib.Path("b.flv").absolute()})
    with background(text):
        wait_for_port(port)
        run(f"ffmpeg -v error -t 2 -i http://127.0.0.1:{port}/live.flv -c copy -y out.flv").ok()
    check_decodes("out.flv")


@case
def recipe_relay():
    source("a")
    with contextlib.closing(Server("a")) as a:
        text = recipe("relay", **{"http://one.example": a.url, "http://two.example": a.url})
        with background(text):
            wait_until(lambda: pathlib.Path("copy.flv").exists()
                       and pathlib.Path("copy.flv").stat().st_size > 100_000, "no output")


main()
