#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The video element of Chromium plays the live streams of a flvserve without a script."""

import pathlib

from chromium import SOUND, Browser
from commandline import web_server
from http_client import ask
from pipeline import case, check, main, wait_until
from serverprocess import configured, converted, movie

PAGE = "<!DOCTYPE html><title>test</title><video id=video muted></video>"
LOOK = """({
  time: video.currentTime,
  width: video.videoWidth,
  ready: video.readyState,
  error: video.error && video.error.message,
})"""
MOUNTS = """
[mount /file.mkv]
uris=movie.mkv
loop=true
[mount /live.flv]
uris=movie.flv
loop=true
[mount /live.mkv]
from=/live.flv
"""


@case
def matroska():
    """From Matroska, and from FLV."""
    movie()
    converted("movie.mkv")
    pathlib.Path("page.html").write_text(PAGE, encoding="utf-8")
    viewer = Browser(LOOK, SOUND)
    try:
        with web_server() as web, configured(MOUNTS) as server:
            for name in ("file", "live"):
                wait_until(lambda: ask(server.port, "HEAD", f"/{name}.mkv").status == 200,
                           f"no {name}.mkv: {server.text}")
                viewer.ask(open=f"{web}/page.html")
                viewer.run(f"video.src = 'http://127.0.0.1:{server.port}/{name}.mkv'; "
                           "void video.play()")
                viewer.until("video.currentTime > 2 && video.videoWidth > 0",
                             f"{name}.mkv does not play")
                check(not viewer.look()["error"], str(viewer.look()))
            server.end()
    finally:
        viewer.close()


main()
