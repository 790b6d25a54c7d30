#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A page with mpegts.js in Chromium, with a real httpserversink: what a viewer of it sees."""

import atexit
import contextlib
import functools
import http.server
import os
import random
import re
import signal
import threading
import time

from chromium import NPM, SOUND, Browser
from pipeline import (ROOT, SAMPLE, Skip, add_case, background, case, check, connect, free_port,
                      main, needs, needs_element, run, wait_for_port)

PAGE = ROOT / "tests/check/pipelines/browser/mpegts"
GOP = 2  # s, of the sample
RATE = 25  # its pictures per second

STATUS = "document.getElementById('status').textContent"
# The state of picture and sound, and the displayed message.
LOOK = """(() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 16, height: 9});
  const picture = canvas.getContext('2d');
  picture.drawImage(video, 0, 0, 16, 9);
  return {
    time: video.currentTime,
    lag: video.buffered.length && video.buffered.end(video.buffered.length - 1) - video.currentTime,
    parts: Array.from(video.buffered, (_, i) => [video.buffered.start(i), video.buffered.end(i)]),
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    sound: video.webkitAudioDecodedByteCount,
    muted: video.muted,
    width: video.videoWidth,
    picture: picture.getImageData(0, 0, 16, 9).data.reduce((sum, byte) => (sum * 31 + byte) | 0, 0),
    state: player.dataset.state,
    status: %s,
    reconnects: Number(reconnects.textContent),
  };
})()""" % STATUS
# From then on, measures the longest time without a new picture, in ms.
WATCH = """(() => {
  let last = performance.now();
  window.longest = 0;
  const shown = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
})()"""
PLAYS = "player.dataset.state === 'playing' && video.getVideoPlaybackQuality().totalVideoFrames > 5"


# The browser


class Page(Browser):
    def __init__(self, *options):
        if not (NPM / "player/node_modules/mpegts.js").exists():
            raise Skip("no mpegts.js: scripts/test installs it")
        super().__init__(*options)

    def look(self):
        return self.run(LOOK)


@functools.cache
def browser():
    """The browser that most cases share. It may play sound without a user gesture."""
    shared = Page(SOUND)
    atexit.register(shared.close)
    return shared


class Pages(http.server.SimpleHTTPRequestHandler):
    """The page as it is after npm ci."""

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
def serve(port, command=None):
    """Runs the pipeline of the page's README with the sample, or `command`."""
    needs_element("httpserversink")
    if not command:
        readme = (PAGE / "README.md").read_text(encoding="utf-8")
        command = re.search(r"^gst-launch-1\.0 .*", readme, re.MULTILINE)[0]
        command = command.replace("movie.flv", str(SAMPLE)).replace("8080", str(port))
    with background(f"exec {command}") as server:
        wait_for_port(port)
        yield server


def check_plays(viewer, width=480):
    """Picture and sound play in real time, without a gap."""
    before, start = viewer.look(), time.monotonic()
    time.sleep(0.9)
    picture = viewer.look()["picture"]
    time.sleep(1.1)
    after, passed = viewer.look(), time.monotonic() - start
    told = f"{before} then {after}"
    check(after["state"] == "playing", told)
    check(after["width"] == width, told)
    holes = [next[0] - part[1] for part, next in zip(after["parts"], after["parts"][1:])]
    check(max(holes, default=0) < 0.2, f"holes: {told}")
    frames = after["frames"] - before["frames"]
    check(0.5 * RATE * passed < frames < 2 * RATE * passed, f"{frames} frames in {passed} s")
    check(0.5 * passed < after["time"] - before["time"] < 2 * passed, told)
    check({before["picture"], after["picture"]} != {picture}, "the picture stands still")
    check(after["sound"] > before["sound"], "no sound is decoded")
    check(not (errors := viewer.ask(errors=0)), f"errors in the page: {errors}")


def check_live(viewer, width=480):
    """The playback is close to the newest data, at once or soon."""
    viewer.until("parseFloat(lag.textContent) < 1.6", "it stays behind")
    check_plays(viewer, width)


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
    """Types an address, clicks Play, then clicks WebSocket."""
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
    viewer = Page()
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
            # s since the navigation started
            took.append(viewer.run("new Promise((resolve) => video.requestVideoFrameCallback("
                                   "() => resolve(performance.now() / 1000)))"))
    check(max(took) < GOP + 1, f"a first picture after {took} s")


def comes_back(protocol, how):
    """The server is down for a while, and another one replaces it."""
    port = free_port()
    viewer = browser()
    with serve(port) as server:
        open_page(viewer, f"{protocol}://127.0.0.1:{port}/live.flv")
        viewer.until(PLAYS, "it doesn't play")
        server.send_signal(how)
        server.wait(timeout=10)
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
def goes_on_through_a_flush():
    """The source returns to its start three times with a flush, and the clients stay connected."""
    port = free_port()
    viewer = browser()
    command = (f"{os.environ['FLV_REWIND']} filesrc location={SAMPLE} ! flvseek ! flvpace ! "
               f"httpserversink port={port} path=/live.flv")
    with serve(port, command) as server:
        open_page(viewer, f"http://127.0.0.1:{port}/live.flv")
        viewer.until(PLAYS, "it doesn't play")
        viewer.run(WATCH)
        for _ in range(3):
            server.send_signal(signal.SIGUSR1)
            check_live(viewer)
        check((longest := viewer.run("longest")) < 1500, f"a picture stands for {longest} ms")
        check(viewer.look()["reconnects"] == 0, "it has connected again")


@case
def goes_on_with_another_configuration():
    """Another source with a different picture size replaces the first one."""
    needs("ffmpeg")
    run("ffmpeg -v error -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine -t 30 "
        "-c:v libx264 -preset ultrafast -bf 3 -g 50 -c:a aac -ar 44100 -ac 1 other.flv").ok()
    port = free_port()
    viewer = browser()
    command = (f"gst-launch-1.0 filesrc location={SAMPLE} ! concat name=both "
               "filesrc location=other.flv ! both. "
               f"both. ! flvpace ! httpserversink port={port} path=/live.flv")
    with serve(port, command):
        open_page(viewer, f"http://127.0.0.1:{port}/live.flv")
        viewer.until(PLAYS, "it doesn't play")
        viewer.run(WATCH)
        viewer.until("video.videoWidth === 320", "the other doesn't come")
        check_live(viewer, width=320)
        check((longest := viewer.run("longest")) < 1000, f"a picture stands for {longest} ms")
        check(viewer.look()["reconnects"] == 0, "it has connected again")


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
    """The server sends nothing for a while: the connection stays open, and no lag remains."""
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
def waits_for_room():
    """The page shows why it cannot play, and plays as soon as there is room."""
    port = free_port()
    viewer = browser()
    command = (f"gst-launch-1.0 multifilesrc location={SAMPLE} loop=true ! flvpace ! "
               f"httpserversink port={port} path=/live.flv max-clients=1")
    with serve(port, command):
        with connect(port) as other:
            other.sendall(b"GET /live.flv HTTP/1.1\r\nHost: localhost\r\n\r\n")
            check(other.recv(12) == b"HTTP/1.1 200", "the first client gets nothing")
            open_page(viewer, f"http://127.0.0.1:{port}/live.flv")
            viewer.until(f"{STATUS}.includes('503')", "it doesn't say why")
            viewer.until("reconnects.textContent > 0", "it gives up")
        viewer.until(PLAYS, "it doesn't play when there is room")


@case
def stops_trying_when_told():
    port = free_port()
    viewer = browser()
    with serve(port):
        open_page(viewer, f"ws://127.0.0.1:{port}/other.flv")
        viewer.until("reconnects.textContent > 1", "it gives up")
        viewer.run("document.getElementById('stop').click()")
        stopped = viewer.look()
        time.sleep(3)
        check(viewer.look() == stopped, f"{stopped} then {viewer.look()}")
        check(stopped["state"] == "idle", str(stopped))


main()
