#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page of examples/web in Chromium, on a real httpserversink: what a viewer gets to see."""

import atexit
import contextlib
import functools
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading
import time

from pipeline import (ROOT, SAMPLE, Skip, add_case, background, case, check, free_port, main, needs,
                      needs_element, wait_for_port)

PAGE = ROOT / "examples/web"
NPM = pathlib.Path(os.environ["FLV_NPM"])  # what scripts/test has installed: player/ and browser/
GOP = 2  # s, of the sample
RATE = 25  # pictures a second of it

# Nothing here is to be looked up or fetched elsewhere.
OPTIONS = ["--disable-quic", "--disable-background-networking", "--disable-component-update"]
SOUND = "--autoplay-policy=no-user-gesture-required"

# What a viewer sees and hears, and why; pixels is a picture of 16 x 9.
LOOK = """(() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 16, height: 9});
  const picture = canvas.getContext('2d');
  picture.drawImage(video, 0, 0, 16, 9);
  return {
    time: video.currentTime,
    lag: video.buffered.length && video.buffered.end(video.buffered.length - 1) - video.currentTime,
    parts: video.buffered.length,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    sound: video.webkitAudioDecodedByteCount,
    muted: video.muted,
    width: video.videoWidth,
    pixels: [...picture.getImageData(0, 0, 16, 9).data],
    state: player.dataset.state,
    status: document.getElementById('status').textContent,
    reconnects: Number(reconnects.textContent),
  };
})()"""
PLAYS = "player.dataset.state === 'playing' && video.getVideoPlaybackQuality().totalVideoFrames > 5"


# The browser


class Browser:
    """A Chromium with one page at a time."""

    def __init__(self, *options):
        needs("chromium", "node")
        for module in ("player/node_modules/mpegts.js", "browser/node_modules/playwright-core"):
            if not (NPM / module).exists():
                raise Skip(f"no {module.rsplit('/', 1)[1]}: scripts/test installs it")
        driver = pathlib.Path(__file__).parent / "browser/drive.mjs"
        self._node = subprocess.Popen(
            ["node", driver, NPM / "browser", shutil.which("chromium"), *OPTIONS, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", text=True)

    def ask(self, **command):
        self._node.stdin.write(json.dumps(command) + "\n")
        self._node.stdin.flush()
        line = self._node.stdout.readline()
        check(line, "the browser is gone")
        answer = json.loads(line)
        check("error" not in answer, answer.get("error"))
        return answer["value"]

    def run(self, expression):
        return self.ask(run=expression)

    def look(self):
        return self.run(LOOK)

    def until(self, expression, why, timeout=20):
        try:
            self.ask(until=expression, timeout=timeout * 1000)
        except AssertionError as error:
            seen = self.look()
            del seen["pixels"]
            raise AssertionError(f"{why}: {seen}, {error}") from None

    def close(self):
        self._node.stdin.close()
        self._node.wait()


@functools.cache
def browser():
    """The one that most cases share. It may play with sound without being asked to."""
    shared = Browser(SOUND)
    atexit.register(shared.close)
    return shared


class Pages(http.server.SimpleHTTPRequestHandler):
    """examples/web as it is after npm ci."""

    def translate_path(self, path):
        self.directory = NPM / "player" if path.startswith("/node_modules/") else PAGE
        return super().translate_path(path)

    def log_message(self, *_):
        pass


@functools.cache
def page_address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/index.html"


def open_page(viewer, stream=None):
    viewer.ask(open=page_address() + (f"?url={stream}" if stream else ""))


# The server


@contextlib.contextmanager
def serve(port):
    """The pipeline of the page's README, with the sample."""
    needs_element("httpserversink")
    command = re.search(r"^gst-launch-1\.0 .*", (PAGE / "README.md").read_text(), re.MULTILINE)[0]
    command = command.replace("movie.flv", str(SAMPLE)).replace("8080", str(port))
    with background(f"exec {command}") as server:
        wait_for_port(port)
        yield server


def check_plays(viewer):
    """Picture and sound go on at the speed of time, without a hole."""
    before, start = viewer.look(), time.monotonic()
    time.sleep(2)
    after, passed = viewer.look(), time.monotonic() - start
    told = f"{before} then {after}"
    check(after["state"] == "playing", told)
    check(after["width"] == 480, told)
    check(after["parts"] == 1, f"holes: {told}")
    frames = after["frames"] - before["frames"]
    check(0.5 * RATE * passed < frames < 2 * RATE * passed, f"{frames} frames in {passed} s")
    check(0.5 * passed < after["time"] - before["time"] < 2 * passed, told)
    check(after["pixels"] != before["pixels"], "the picture stands still")
    check(after["sound"] > before["sound"], "no sound is decoded")
    check(not (errors := viewer.ask(errors=0)), f"errors in the page: {errors}")


def check_live(viewer):
    """Near the newest, or soon there."""
    viewer.until("parseFloat(lag.textContent) < 1.6", "it stays behind")
    check_plays(viewer)


# The cases


@case
def plays_over_http():
    port = free_port()
    viewer = browser()
    with serve(port):
        open_page(viewer, f"http://127.0.0.1:{port}/live.flv")
        viewer.until(PLAYS, "it doesn't play")
        check_plays(viewer)
        seen = viewer.look()
        check(not seen["muted"] and seen["reconnects"] == 0, str(seen))
        speed = viewer.run("parseInt(speed.textContent)")
        check(200 < speed < 3000, f"{speed} kbit/s of a stream of 550")


@case
def plays_over_websocket():
    """An address typed in, a click on Play, then one on WebSocket."""
    port = free_port()
    viewer = browser()
    with serve(port):
        open_page(viewer)
        viewer.run(f"address.value = 'http://127.0.0.1:{port}/live.flv'; go.click()")
        viewer.until(PLAYS, "it doesn't play over HTTP")
        viewer.run("document.querySelector('[value=ws]').click()")
        check(viewer.run("address.value") == f"ws://127.0.0.1:{port}/live.flv", "another address")
        viewer.until(PLAYS, "it doesn't play over WebSocket")
        check_plays(viewer)


@case
def sound_waits_for_a_click_where_it_has_to():
    port = free_port()
    viewer = Browser()
    with contextlib.closing(viewer), serve(port):
        open_page(viewer, f"http://127.0.0.1:{port}/live.flv")
        viewer.until(PLAYS, "it doesn't play without a click")
        check(viewer.look()["muted"] and not viewer.run("unmute.hidden"), "sound without a click")
        viewer.run("unmute.click()")
        viewer.until("!video.muted && unmute.hidden", "the click gives no sound")


@case
def joins_within_a_gop():
    port = free_port()
    viewer = browser()
    took = []
    with serve(port):
        for join in range(6):
            time.sleep(random.uniform(0, GOP))
            protocol = ("http", "ws")[join % 2]
            open_page(viewer, f"{protocol}://127.0.0.1:{port}/live.flv")
            # s since the browser began to load the page
            took.append(viewer.run("new Promise((resolve) => video.requestVideoFrameCallback("
                                   "() => resolve(performance.now() / 1000)))"))
    check(max(took) < GOP + 1, f"a first picture after {took} s")


def comes_back(protocol, how):
    """The server goes for a while, and another comes in its place."""
    port = free_port()
    viewer = browser()
    with serve(port) as server:
        open_page(viewer, f"{protocol}://127.0.0.1:{port}/live.flv")
        viewer.until(PLAYS, "it doesn't play")
        server.send_signal(how)
        server.wait()
        viewer.until("player.dataset.state === 'waiting'", "it doesn't notice")
    viewer.until("reconnects.textContent > 1", "it doesn't go on trying")
    with serve(port):
        viewer.until(PLAYS, "it doesn't play again")
        check_live(viewer)


add_case("comes-back-after-a-kill-over-http",
         functools.partial(comes_back, "http", signal.SIGKILL))
add_case("comes-back-after-an-end-over-websocket",
         functools.partial(comes_back, "ws", signal.SIGINT))


@case
def goes_on_after_a_pause():
    port = free_port()
    viewer = browser()
    with serve(port):
        open_page(viewer, f"http://127.0.0.1:{port}/live.flv")
        viewer.until(PLAYS, "it doesn't play")
        viewer.run("video.pause()")
        before = viewer.look()
        time.sleep(5)
        check(viewer.look()["frames"] - before["frames"] < 3, "it goes on in the pause")
        viewer.run("video.play()")
        viewer.until(f"video.currentTime > {before['time'] + 4}", "no jump", timeout=1.5)
        check_live(viewer)
        check(viewer.look()["reconnects"] == 0, "it has connected again")


@case
def waits_through_a_hiccup():
    """A server that sends nothing for a while: the connection holds, and there is no lag to stay."""
    port = free_port()
    viewer = browser()
    with serve(port) as server:
        open_page(viewer, f"ws://127.0.0.1:{port}/live.flv")
        viewer.until(PLAYS, "it doesn't play")
        server.send_signal(signal.SIGSTOP)
        viewer.until("player.dataset.state === 'waiting'", "it doesn't run dry")
        time.sleep(2)
        server.send_signal(signal.SIGCONT)
        viewer.until(PLAYS, "it doesn't play on")
        check_live(viewer)
        check(viewer.look()["reconnects"] == 0, "it has connected again")


@case
def says_what_is_wrong():
    port = free_port()
    viewer = browser()
    with serve(port):
        open_page(viewer, f"http://127.0.0.1:{port}/other.flv")
        viewer.until("document.getElementById('status').textContent.includes('404')", "no 404")
        viewer.until("reconnects.textContent > 0", "it gives up")
        viewer.run("document.getElementById('stop').click()")
        viewer.until("player.dataset.state === 'idle'", "it doesn't stop")


main()
