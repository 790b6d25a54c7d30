#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rtmp2sink sends to nginx with its RTMP module, which records the stream and serves a player."""

import pathlib
import re
import time

from commandline import in_path
from flvfile import clip, pictures, tags_of
from pipeline import (ROOT, add_case, background, case, check, check_decodes, finish, free_port,
                      main, needs_element, recipe, run, wait_until)
from rtmp_server import on_air, rtmp_server


def recording(size):
    """nginx's recording, as soon as it is complete."""
    def complete():
        files = list(pathlib.Path("recorded").glob("*.flv"))
        return files and files[0].stat().st_size >= size

    wait_until(complete, f"{size} bytes were not recorded")
    return next(pathlib.Path("recorded").glob("*.flv"))


def check_recorded(command_for):
    """The server's recording of four seconds equals the input. `command_for` makes the sender's
    command for a port."""
    stream = clip(4)
    port = free_port()
    with rtmp_server(port, "recorded"):
        run(command_for(port)).ok()
        media = [tag for tag in tags_of(stream) if tag.media]
        recorded = recording(sum(len(tag.data) for tag in media))
    check_decodes(recorded, pictures(stream))
    return recorded, media


@case
def rtmp_send_recipe():
    recorded, media = check_recorded(lambda port: recipe("rtmp-send", _1935=port))
    got = [(tag.kind, tag.data) for tag in tags_of(recorded.read_bytes()) if tag.media]
    check(got == [(tag.kind, tag.data) for tag in media], "other audio and video than was sent")


@case
def readme_line():
    """The README's line, which has no port for the server."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    line = re.search(r"^gst-launch-1.0 .*rtmp2sink.*$", text, re.MULTILINE)[0]
    check("rtmp://127.0.0.1/" in line, line)
    check_recorded(lambda port: line.replace("rtmp://127.0.0.1/", f"rtmp://127.0.0.1:{port}/"))


def check_played(command_for, seconds=0):
    """A player that joins during the stream. `command_for` makes its command for a port; the
    publisher has been on air for `seconds`."""
    on_air(seconds, 6)
    port = free_port()
    with rtmp_server(port):
        with background(recipe("rtmp-send", _1935=port)) as sender:
            time.sleep(1)
            with background(command_for(port)) as player:
                finish(sender).ok()
                finish(player).ok()
    played = pathlib.Path("copy.flv").read_bytes()
    check_decodes("copy.flv", pictures(played))
    check(pictures(played) > 50, f"only {pictures(played)} pictures")


@case
def rtmp_play_recipe():
    check_played(lambda port: recipe("rtmp-play", _1935=port))


def command_rtmp_recipe(seconds):
    """flvstream with a stream from a server."""
    needs_element("rtmp2src")
    check_played(lambda port: in_path(recipe("command-rtmp", _1935=port)), seconds)


for _seconds in (0, 3600):
    add_case(f"command-rtmp-recipe-{_seconds}",
             lambda seconds=_seconds: command_rtmp_recipe(seconds))

main()
