#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""mpegts.js in Chromium seeks in the files of a flvserve, with Range fields and with ?bstart=. The
downloads are paced, so that each seek needs a new request. FLV_TEST_SEEKS: seeks per case."""

import atexit
import functools
import http.server
import json
import os
import random
import threading

from chromium import NPM, SOUND, Browser
from filemovies import make
from pipeline import SAMPLE, add_case, check, main, needs, run
from serverprocess import configured

SEEKS = int(os.environ.get("FLV_TEST_SEEKS", "4"))
LENGTH = 120  # s
GOP = 2  # s
FILES = """
[files /vod]
root=videos
burst=4000
"""
PAGE = b"""<!DOCTYPE html><meta charset="utf-8"><title>test</title>
<video id="video" muted width="320"></video>
<script src="/node_modules/mpegts.js/dist/mpegts.js"></script>
<script>
const video = document.getElementById('video');
const errors = [];
const requests = [];
const fetched = window.fetch;
window.fetch = (url, options) => {
  requests.push(`${url} ${new Headers(options?.headers).get('Range') ?? ''}`);
  return fetched(url, options);
};
let player;
function start(url, config) {
  player = mpegts.createPlayer({type: 'flv', url, isLive: false, cors: true}, config);
  player.on(mpegts.Events.ERROR, (...what) => errors.push(what.map(String).join(' ')));
  player.attachMediaElement(video);
  player.load();
  video.play();
}
</script>
"""
LOOK = """({
  time: video.currentTime,
  paused: video.paused,
  seeking: video.seeking,
  ready: video.readyState,
  parts: Array.from(video.buffered, (_, i) => [video.buffered.start(i), video.buffered.end(i)]),
  duration: video.duration,
  errors,
  error: video.error && video.error.message,
  requests,
})"""


class Pages(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def translate_path(self, path):
        self.directory = NPM / "player"
        return super().translate_path(path)

    def log_message(self, *_):
        pass


@functools.cache
def page_address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


@functools.cache
def browser():
    shared = Browser(LOOK, SOUND)
    atexit.register(shared.close)
    return shared


def seeks(producer, seek_type):
    """By default, mpegts.js continues at the time that the index lists for the keyframe. ffmpeg
    lists times that are more than the delay of B-frames before the first picture, and Chromium then
    waits for ever, whichever server sends the file."""
    needs("ffmpeg")
    viewer = browser()
    run(f"ffmpeg -v error -y -stream_loop -1 -i {SAMPLE} -t {LENGTH} -c copy long.flv").ok()
    make(producer, source="long.flv")
    chance = random.Random(7)
    with configured(FILES) as server:
        viewer.ask(open=page_address())
        url = f"http://127.0.0.1:{server.port}/vod/movie.flv"
        config = json.dumps({"seekType": seek_type, "accurateSeek": producer == "ffmpeg"})
        viewer.run(f"start('{url}', {config})")
        viewer.until("video.currentTime > 0.3", "it does not play")
        for number in range(SEEKS):
            before = viewer.look()
            target = chance.choice([at + 0.7 for at in range(0, LENGTH - 10, GOP)
                                    if not any(start - 5 < at < end + 15
                                               for start, end in before["parts"])])
            if number % 2:
                viewer.run("video.pause()")
            viewer.run(f"video.currentTime = {target}")
            viewer.until(f"!video.seeking && video.readyState >= 2 "
                         f"&& Math.abs(video.currentTime - {target}) < {GOP + 1}",
                         f"no picture at {target} s")
            if number % 2:
                viewer.run("void video.play()")
            at = viewer.look()["time"]
            viewer.until(f"video.currentTime > {at} + 0.3", f"it stands at {target} s")
            after = viewer.look()
            check(not after["errors"] and not after["error"], str(after))
            check(len(after["requests"]) > len(before["requests"]),
                  f"no request for {target} s: {after}")
        requests = viewer.look()["requests"]
        mark = "bstart=" if seek_type == "param" else " bytes="
        check(sum(mark in request for request in requests) >= SEEKS, str(requests))
        check(not (errors := viewer.ask(errors=0)), f"errors in the page: {errors}")


for _producer in ("ffmpeg", "flvmeta", "yamdi", "no-index"):
    for _how in ("range", "param"):
        add_case(f"seeks-by-{_how}-{_producer}", functools.partial(seeks, _producer, _how))

main()
