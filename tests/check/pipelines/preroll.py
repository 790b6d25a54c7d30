#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pipeline after flvpace with default properties reaches PLAYING and receives frames at the right
time."""

from flvfile import clip, pictures
from pipeline import add_case, case, check, main, needs, run
from sinks import DECODEBIN, DECODERS, frames_at

SECONDS = 3
SOURCE = "filesrc location=movie.flv ! flvpace"
LATE = 1000  # ms, on a machine with other load


def decodes(burst, rest):
    stream = clip(SECONDS)
    sinks = frames_at(f"{SOURCE} burst={burst} ! {rest}")
    check(set(sinks) == {"video", "audio"}, f"only {sorted(sinks)} get something")
    check(sinks["video"].buffers == pictures(stream), f"{sinks['video'].buffers} pictures")
    for name, got in sinks.items():
        check(got.first < LATE, f"{name}: begins at {got.first} ms")
        check(got.latest < LATE, f"{name}: {got.latest} ms late")


for _burst in (0, 300, 2000):
    add_case(f"decoders-burst-{_burst}", lambda burst=_burst: decodes(burst, DECODERS))
    add_case(f"decodebin-burst-{_burst}", lambda burst=_burst: decodes(burst, DECODEBIN))


@case
def beside_a_server():
    decodes(300, "tee name=t t. ! queue ! tcpserversink host=127.0.0.1 port=0 "
            f"t. ! queue ! {DECODERS}")


@case
def another_flvpace():
    clip(SECONDS)
    sinks = frames_at(f"{SOURCE} ! queue ! flvpace ! fakesink name=tags sync=true")
    got = sinks["tags"]
    check(got.buffers > 25 * SECONDS and got.first < LATE and got.latest < LATE, str(sinks))


@case
def splitmuxsink():
    stream = clip(SECONDS)
    frames_at(f"{SOURCE} ! flvdemux name=d "
              "d.video ! queue ! h264parse ! splitmuxsink name=s location=part.mp4 "
              "d.audio ! queue ! aacparse ! s.audio_0")
    needs("ffprobe")
    count = run("ffprobe -v error -count_frames -select_streams v "
                "-show_entries stream=nb_read_frames -of csv=p=0 part.mp4").ok()
    check(not count.stderr and int(count.stdout) == pictures(stream), count.stdout + count.stderr)


main()
