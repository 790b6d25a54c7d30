#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvpace after live sources: a switch to another source, an RTMP server, a publisher whose clock
differs from the local clock."""

import collections
import functools
import os
import pathlib
import time

from flvfile import SCRIPT, tags_of
from pipeline import (SAMPLE, add_case, background, check, finish, free_port, main, needs,
                      needs_element, recipe, run)
from publisher import OWN, dropped
from rtmp_server import on_air, rtmp_server
from sinks import DECODERS, frames_at

SWITCHES = 20
SIZES = {"one.flv": "480x270", "two.flv": "320x180"}
LATE = 1000  # ms, on a machine with other load


# Switches between sources


def source(path):
    """A file with a keyframe every 200 ms."""
    needs("ffmpeg")
    run(f"ffmpeg -v error -y -f lavfi -i testsrc2=size={SIZES[path]}:rate=25 "
        "-f lavfi -i sine=sample_rate=44100 -t 14 -c:v libx264 -preset fast -bf 2 -g 5 "
        f"-keyint_min 5 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -ac 1 {path}").ok()
    return tags_of(pathlib.Path(path).read_bytes())


def hashes(path):
    """The size and checksum of each picture, in display order."""
    done = run(f"ffmpeg -i {path} -map 0:v -autoscale 0 -fps_mode passthrough "
               f"-enc_time_base:v 1:1000 -f framehash -hash md5 -").ok()
    rows = [line.split(",") for line in done.stdout.splitlines() if line[0] != "#"]
    return [(int(row[4]), row[5].strip()) for row in rows]


def shown_at(tag):
    return tag.timestamp + int.from_bytes(tag.data[2:5], "big")


def whole_groups(tags, known):
    """The pictures, by source and time, whose last keyframe is from their own source."""
    at = None  # the source of the last keyframe
    for tag in (tag for tag in tags if tag.kind != SCRIPT):
        path, of_source = known[(tag.kind, tag.data)]
        if path != at:
            at = path if tag.key else None
        if at and tag.picture:
            yield path, shown_at(of_source)


def switch(cut):
    needs_element("input-selector")
    known = {(tag.kind, tag.data): (path, tag) for path in SIZES for tag in source(path)
             if tag.media or tag.kind != SCRIPT and tag.configuration}
    inputs = " ".join(f"filesrc location={path} ! flvpace {cut} ! selector." for path in SIZES)
    done = run(f"{os.environ['FLV_SWITCHING']} {SWITCHES} 300 'input-selector name=selector ! "
               f"flvpace name=pace live=yes ! filesink location=copy.flv {inputs}'").ok()
    check("pace:" not in done.stdout, done.stdout)
    stream = pathlib.Path("copy.flv").read_bytes()
    tags = tags_of(stream)
    check(tags[-1].end == len(stream), f"no tag at byte {tags[-1].end}")
    for tag in tags:
        check(tag.kind == SCRIPT or (tag.kind, tag.data) in known,
              f"the tag at byte {tag.begin} is of no source")
    check_configured(tags, known)
    check_decoded(tags, known)


def check_configured(tags, known):
    """No picture is decoded with the configuration of another source."""
    configured, sources = None, []
    for tag in (tag for tag in tags if tag.kind != SCRIPT and tag.data[0] & 15 == 7):
        path, _ = known[(tag.kind, tag.data)]
        if tag.configuration:
            configured = path
        check(path == configured, f"byte {tag.begin}: a picture of {path} after {configured}")
        if sources[-1:] != [path]:
            sources.append(path)
    check(len(sources) > SWITCHES, f"only {len(sources)} stretches")


def check_decoded(tags, known):
    """From the first keyframe of a source on, its pictures are correct until the next switch."""
    right = {}
    for path in SIZES:
        times = sorted(shown_at(tag) for of, tag in known.values() if of == path and tag.picture)
        right[path] = dict(zip(times, hashes(path), strict=True))
    wanted = collections.Counter(right[path][time] for path, time in whole_groups(tags, known))
    got = collections.Counter(hashes("copy.flv"))
    check(wanted.total() > 50, f"only {wanted.total()} pictures")
    check(not wanted - got, f"{(wanted - got).total()} of {wanted.total()} pictures are not right")


add_case("switch-between-tags", lambda: switch(""))
# With the sleeps, most switches are within a tag.
add_case("switch-inside-of-tags", lambda: switch("mtu=100 ! queue ! identity sleep-time=1000"))


# Publishers


# The server sends audio at once, and video from the next keyframe on.
ROOM = DECODERS.replace("queue", "queue max-size-buffers=0 max-size-time=4000000000")


def rtmp(seconds, settings):
    """Joins during the stream of a publisher that has been on air for `seconds`."""
    needs_element("rtmp2src")
    on_air(seconds, 8)
    port = free_port()
    with rtmp_server(port), background(recipe("rtmp-send", _1935=port)) as sender:
        time.sleep(1.5)
        sinks = frames_at(f"rtmp2src location=rtmp://127.0.0.1:{port}/live/movie ! "
                          f"flvpace {settings} ! {ROOM}")
        finish(sender).ok()
    check(set(sinks) == {"video", "audio"}, f"only {sorted(sinks)} get something")
    check(sinks["video"].buffers > 3 * 25, f"{sinks['video'].buffers} pictures")
    # The sinks start together, with the first picture: the audio before it is late.
    for name, got in sinks.items():
        check(got.last_late < LATE, f"{name}: {got.last_late} ms late in the end")
    check(sinks["audio"].first < LATE, f"sound begins at {sinks['audio'].first} ms")


for _seconds in (0, 3600):
    for _live in ("auto", "yes"):
        add_case(f"rtmp-to-decoders-{_seconds}-live-{_live}",
                 functools.partial(rtmp, _seconds, f"live={_live}"))


def clock(rate):
    """The clock error is so large that 10 s are enough to detect it."""
    needs_element("flvdemux")
    told = dropped(OWN.replace("max-lateness=20", "max-lateness=200"), SAMPLE.read_bytes(), 10, rate)
    check(told["dropped"] < 5, f"{told['dropped']:.1f} % were dropped")
    check(told["lag"] < 1.5, f"it ends {told['lag']:.1f} s after the publisher")


add_case("fast-clock", lambda: clock(1.1))
add_case("slow-clock", lambda: clock(0.9))


main()
