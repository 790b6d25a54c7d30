#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The player page of httpserversink in Chromium: what a viewer sees.

FLV_PLAYER_MINUTES=30 also plays for that long. FLV_SCREENSHOTS=FOLDER keeps pictures of the page.
"""

import contextlib
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import threading
import time

from chromium import SOUND, Browser
from pipeline import (ROOT, SAMPLE, add_case, background, case, check, free_port, main, needs,
                      needs_element, run, wait_for_port)

MAKE = ROOT / "tests/check/player/make.mjs"
ELEMENT = "document.querySelector('flv-player')"
PART = ELEMENT + ".shadowRoot.querySelector('%s')"
VIDEO = PART % "video"
LOOK = f"""({{
  ...{ELEMENT}.figures,
  reason: {ELEMENT}.reason,
  status: {PART % '#status'}.textContent,
  notice: {PART % '#notice'}.textContent,
  time: {VIDEO}.currentTime,
  sound: {VIDEO}.webkitAudioDecodedByteCount,
  muted: {VIDEO}.muted,
}})"""
PLAYS = f"{ELEMENT}.state === 'playing' && {ELEMENT}.figures.frames > 5"
NEAR = f"{ELEMENT}.figures.delay < 0.8"
BAR = 500  # ms from the click to the first picture


class Viewer(Browser):
    def look(self):
        return self.run(LOOK)

    def open(self, port, query=""):
        self.ask(open=f"http://127.0.0.1:{port}/play/?{query}")

    def waits_for_picture(self):
        self.until(PLAYS, "it doesn't play")

    def plays(self, seconds=2):
        """Plays in real time, near the live edge, and without an uncaught exception."""
        self.until(NEAR, "it stays behind")
        before, started = self.look(), time.monotonic()
        time.sleep(seconds)
        after, passed = self.look(), time.monotonic() - started
        told = f"{before} then {after}"
        check(after["state"] == "playing", told)
        check(0.6 * passed < after["time"] - before["time"] < 1.5 * passed, told)
        check(after["frames"] - before["frames"] > 10 * passed, told)
        check(not (errors := self.ask(errors=0)), f"errors in the page: {errors}")
        return after


@contextlib.contextmanager
def viewing(*options):
    viewer = Viewer(*options)
    try:
        yield viewer
    finally:
        viewer.close()


@contextlib.contextmanager
def serve(port, source=f"multifilesrc location={SAMPLE} loop=true ! flvpace"):
    needs_element("httpserversink")
    with background(f"exec gst-launch-1.0 -q {source} ! httpserversink address=127.0.0.1 "
                    f"port={port} path=/live.flv page-path=/play") as server:
        wait_for_port(port)
        yield server


def make(name, seconds, codecs):
    run(f"node {MAKE} {name} {seconds} {codecs}").ok()
    return pathlib.Path(name).resolve()


def picture(viewer, name):
    if folder := os.environ.get("FLV_SCREENSHOTS"):
        viewer.ask(screenshot=f"{folder}/{name}.png")


@case
def first_picture_after_a_click():
    port = free_port()
    took = []
    with viewing(SOUND) as viewer, serve(port):
        for _ in range(6):
            viewer.open(port)
            viewer.waits_for_picture()
            viewer.run(f"{ELEMENT}.stop()")
            took.append(viewer.run(f"""new Promise((resolve) => {{
              const start = performance.now();
              {VIDEO}.addEventListener('loadedmetadata', () => {VIDEO}.requestVideoFrameCallback(
                  () => resolve(performance.now() - start)), {{once: true}});
              {PART % '#play'}.click();
            }})"""))
    print(f"first picture after {[round(ms) for ms in took]} ms")
    check(statistics.median(took) < BAR, f"{took} ms")


@case
def sound_starts_muted_with_a_button():
    port = free_port()
    with viewing() as viewer, serve(port):
        viewer.open(port)
        viewer.waits_for_picture()
        check(viewer.look()["muted"], "sound without a click")
        check(not viewer.run(f"{PART % '#unmute'}.hidden"), "no button")
        picture(viewer, "unmute")
        viewer.run(f"{PART % '#unmute'}.click()")
        viewer.until(f"!{VIDEO}.muted && {PART % '#unmute'}.hidden", "no sound after the click")


@case
def plays_with_sound_near_the_live_edge():
    port = free_port()
    with viewing(SOUND) as viewer, serve(port):
        viewer.open(port, "debug")
        viewer.waits_for_picture()
        seen = viewer.plays()
        check(not seen["muted"] and seen["sound"] > 0, str(seen))
        check(seen["codecs"] == "H.264 AAC" and seen["connections"] == 1, str(seen))
        picture(viewer, "debug")


def comes_back(query):
    port = free_port()
    with viewing(SOUND) as viewer:
        with serve(port) as server:
            viewer.open(port, query.replace("PORT", str(port)))
            viewer.waits_for_picture()
            server.send_signal(signal.SIGKILL)
            viewer.until(f"{ELEMENT}.state === 'reconnecting'", "it doesn't notice")
            picture(viewer, "reconnecting")
        with serve(port):
            viewer.waits_for_picture()
            check(viewer.plays()["connections"] == 2, "another number of connections")


add_case("comes-back-over-websocket", lambda: comes_back(""))
add_case("comes-back-over-http", lambda: comes_back("src=http://127.0.0.1:PORT/live.flv"))


@case
def another_size_and_codec():
    """H.264, then another size, then VP9 and Opus, on one connection."""
    needs("ffmpeg", "node")
    port = free_port()
    run("ffmpeg -v error -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine -t 5 "
        "-c:v libx264 -preset ultrafast -g 25 -c:a aac -ar 44100 -ac 1 small.flv").ok()
    other = make("other.flv", 40, "vp9+opus")
    run(f"ffmpeg -v error -i {SAMPLE} -t 5 -c copy first.flv").ok()
    files = " ".join(f"filesrc location={name} ! both." for name in ("small.flv", other))
    with viewing(SOUND) as viewer, serve(port, f"filesrc location=first.flv ! concat name=both "
                                         f"{files} both. ! flvpace"):
        viewer.open(port)
        viewer.waits_for_picture()
        viewer.until(f"{VIDEO}.videoWidth === 320", "the other size doesn't come")
        viewer.until(f"{VIDEO}.videoWidth === 192", "the other codec doesn't come")
        viewer.until(f"{ELEMENT}.figures.codecs === 'VP9 Opus'", "the other codec has no name")
        check(viewer.plays(1)["connections"] == 1, "it has connected again")


@case
def a_gap_in_the_sound():
    needs("ffmpeg")
    port = free_port()
    run("ffmpeg -v error -f lavfi -i testsrc2=size=192x108:rate=25 -f lavfi -i sine -t 24 "
        "-c:v libx264 -preset ultrafast -g 25 -c:a aac "
        "-af aselect='not(between(t\\,4\\,8))' gap.flv").ok()
    with viewing(SOUND) as viewer, serve(port, "filesrc location=gap.flv ! flvpace"):
        viewer.open(port)
        viewer.waits_for_picture()
        viewer.run(f"""{{ window.stalls = 0; let last = {VIDEO}.currentTime;
          setInterval(() => {{ stalls += {VIDEO}.currentTime === last; last = {VIDEO}.currentTime; }},
                      250); }}""")
        viewer.until(f"{VIDEO}.currentTime > 10", "it stands in the gap")
        check(viewer.run("stalls") <= 4, f"{viewer.run('stalls')} stalls")
        viewer.plays(1)


class Proxy:
    """A TCP proxy whose two sides can be cut from each other without a word."""

    def __init__(self, port):
        self._target = port
        self.flows = threading.Event()
        self.flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client = self._listener.accept()[0]
            server = socket.create_connection(("127.0.0.1", self._target))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.flows.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@case
def a_network_cut_of_10_s():
    port = free_port()
    with viewing(SOUND) as viewer, serve(port):
        proxy = Proxy(port)
        viewer.open(proxy.port)
        viewer.waits_for_picture()
        proxy.flows.clear()
        viewer.until(f"{ELEMENT}.state !== 'playing'", "it doesn't run dry")
        time.sleep(10)
        proxy.flows.set()
        viewer.until(PLAYS, "it doesn't play on", timeout=6)
        viewer.plays(1)


@case
def a_tab_in_the_background():
    port = free_port()
    with viewing(SOUND) as viewer, serve(port):
        viewer.open(port)
        viewer.waits_for_picture()
        viewer.ask(state="frozen")
        time.sleep(4)
        viewer.ask(state="active")
        viewer.until(f"{NEAR} && {ELEMENT}.state === 'playing'", "no jump to the live edge", timeout=2)
        viewer.plays(1)


@case
def permanent_errors_show_the_reason():
    port = free_port()
    with viewing(SOUND) as viewer, serve(port):
        for protocol in ("ws", "http"):
            viewer.open(port, f"src={protocol}://127.0.0.1:{port}/nothing.flv")
            viewer.until(f"{ELEMENT}.state === 'stopped'", "it doesn't stop")
            check("404" in viewer.look()["status"], str(viewer.look()))
            check(not viewer.run(f"{PART % '#play'}.hidden"), "no button to try again")
        picture(viewer, "404")
        viewer.open(port, f"src=http://127.0.0.1:{port}/play/player.js")
        viewer.until(f"{ELEMENT}.reason === 'This is not an FLV stream.'", "another reason")
        viewer.open(port, "src=ftp://localhost/")
        viewer.until(f"{ELEMENT}.reason.includes('has to start with')", "another reason")


@case
def a_codec_that_the_browser_lacks():
    needs("node", "ffmpeg")
    port = free_port()
    movie = make("hevc.flv", 10, "hevc+aac")
    with viewing(SOUND) as viewer, serve(port, f"filesrc location={movie} ! flvpace"):
        viewer.open(port)
        viewer.until(f"{PART % '#notice'}.textContent === 'This browser cannot decode HEVC video.'",
                     "no sentence")
        picture(viewer, "notice")


def plays_codec(codecs, names):
    needs("node", "ffmpeg")
    port = free_port()
    movie = make("movie.flv", 5, codecs)
    with viewing(SOUND) as viewer, serve(port, f"multifilesrc location={movie} loop=true ! flvpace"):
        viewer.open(port)
        viewer.until(f"{VIDEO}.webkitAudioDecodedByteCount > 20000", "no sound")
        viewer.until(f"{ELEMENT}.figures.delay < 1", "it stays behind")
        seen = viewer.look()
        check(seen["codecs"] == names, str(seen))
        check(not (errors := viewer.ask(errors=0)), f"errors in the page: {errors}")


for pair, shown in (("av1+mp3", "AV1 MP3"), ("vp9+flac", "VP9 FLAC"), ("opus", "Opus")):
    add_case(f"plays-{pair}", lambda pair=pair, shown=shown: plays_codec(pair, shown))


@case
def fits_phones_in_both_positions():
    port = free_port()
    with viewing(SOUND) as viewer, serve(port):
        viewer.open(port)
        viewer.waits_for_picture()
        for name, width, height in (("portrait", 390, 844), ("landscape", 844, 390)):
            viewer.ask(size=[width, height])
            box = viewer.run(f"{ELEMENT}.getBoundingClientRect().toJSON()")
            check(box["left"] >= 0 and box["right"] <= width + 1 and box["bottom"] <= height + 1,
                  f"{name}: {box}")
            check(max(box["width"] / width, box["height"] / height) > 0.97, f"{name}: {box}")
            small = viewer.run(f"Array.from({ELEMENT}.shadowRoot.querySelectorAll('button')).filter("
                               "(each) => each.offsetWidth && each.offsetWidth < 40).length")
            check(small == 0, f"{name}: {small} buttons are too small for a finger")
            picture(viewer, name)


@case
def keyboard_dark_and_reduced_motion():
    port = free_port()
    with viewing(SOUND) as viewer, serve(port):
        viewer.open(port)
        viewer.waits_for_picture()
        viewer.ask(media={"colorScheme": "dark", "reducedMotion": "reduce"})
        focused = f"{ELEMENT}.shadowRoot.activeElement?.id"
        names = []
        for _ in range(3):
            viewer.ask(key="Tab")
            names.append(viewer.run(focused))
        check(names == ["mute", "volume", "full"], str(names))
        viewer.ask(key="m")
        check(viewer.look()["muted"], "m does not mute")
        viewer.ask(key="Enter")
        viewer.until("document.fullscreenElement !== null", "no full screen")
        viewer.ask(key="Enter")
        viewer.until("document.fullscreenElement === null", "no way back")
        back = viewer.run("getComputedStyle(document.body).backgroundColor")
        check(sum(map(int, back[4:-1].split(", "))) < 150, f"a background of {back} in the dark")
        duration = viewer.run(f"getComputedStyle({PART % '#bar'}).transitionDuration")
        check(duration == "0s", f"a transition of {duration}")
        picture(viewer, "dark")
        viewer.run(f"{ELEMENT}.stop(); {PART % '#play'}.focus()")
        viewer.ask(key="Enter")
        viewer.waits_for_picture()
        unnamed = viewer.run(f"Array.from({ELEMENT}.shadowRoot.querySelectorAll('button,input,video'))"
                             ".filter((each) => !(each.ariaLabel || each.textContent)).length")
        check(unnamed == 0, f"{unnamed} elements without a name")


if MINUTES := float(os.environ.get("FLV_PLAYER_MINUTES", "0")):
    @case
    def memory_and_delay_do_not_grow():
        port = free_port()
        with viewing(SOUND, "--enable-precise-memory-info") as viewer, serve(port):
            viewer.open(port)
            viewer.waits_for_picture()
            time.sleep(20)
            first = viewer.run("performance.memory.usedJSHeapSize")
            delays = []
            end = time.monotonic() + 60 * MINUTES
            while time.monotonic() < end:
                time.sleep(5)
                delays.append(viewer.look()["delay"])
            grown = viewer.run("performance.memory.usedJSHeapSize") - first
            half = len(delays) // 2
            told = f"{grown} bytes, delays {statistics.mean(delays[:half]):.3f} then " \
                   f"{statistics.mean(delays[half:]):.3f}, most {max(delays):.3f} s"
            print(told)
            check(grown < 10e6, told)
            check(statistics.mean(delays[half:]) < statistics.mean(delays[:half]) + 0.1, told)
            spans = viewer.run(f"Array.from({VIDEO}.buffered, (_, i) => {VIDEO}.buffered.end(i) - "
                               f"{VIDEO}.buffered.start(i))")
            check(sum(spans) < 40, f"{spans} s are buffered")


main()
