#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The start of the remux bin: at the last key frame at or before the time, from files and from
pipes."""

import functools
import json

import remux_media
from pipeline import add_case, check, main, run
from remuxing import REMUXER, check_decodes, packets

# Containers with an index, without one, and without seeks; audio without pictures.
NAMES = ("h264-b.mp4", "fragmented.mp4", "edit.mp4", "h264-b.mkv", "live.mkv", "vp9.webm",
         "h264-b.ts", "h264-b.flv", "opus.ogg", "adts.aac", "cbr.mp3")


def key_times(path):
    """ms: the times of key frames, and of all pictures; without video those of the sound."""
    done = run("ffprobe -v error -show_entries packet=codec_type,pts_time,flags -of json "
               f"{path}").ok()
    kinds = {"video": [], "audio": []}
    for packet in json.loads(done.stdout)["packets"]:
        if "pts_time" in packet:
            kinds[packet["codec_type"]].append((1000 * float(packet["pts_time"]),
                                                "K" in packet["flags"]))
    rows = kinds["video"] or kinds["audio"]
    first = min(time for time, _ in rows)
    return [time - first for time, key in rows if key], [time - first for time, _ in rows]


def start_of(done):
    return int(done.ok().stdout.split("start ")[1].split()[0])


def starts_at_the_key_frame(name, milliseconds):
    source = remux_media.path_of(name)
    keys, pictures = key_times(source)
    kind = "video" if "video" in packets(source) else "audio"
    # Of audio, the samples may be counted from another packet.
    slack = 2 if kind == "video" else 30
    right = max(time for time in keys if time <= milliseconds + 1)
    outputs = []
    for command in (f"{REMUXER} {source} file.mkv file {milliseconds}",
                    f"cat {source} | {REMUXER} - pipe.mkv file {milliseconds}"):
        start = start_of(run(command))
        check(abs(start - right) <= slack + 100 * (kind == "video"),
              f"{command}: starts at {start}, not {right}")
        output = command.split(" file ")[0].split()[-1]
        check_decodes(output)
        count = len(packets(output)[kind])
        expected = sum(time > right - slack for time in pictures)
        # Leading pictures come after their key frame.
        check(abs(count - expected) <= (0 if kind == "video" else 2),
              f"{command}: {count} packets, not {expected}")
        outputs.append(packets(output))
    if kind == "video" and name.endswith((".flv", ".mkv")):
        check(outputs[0] == outputs[1], "the output from a pipe is another")


for each in NAMES:
    for time in (500, 1900, 9000):
        add_case(f"{each}-at-{time}", functools.partial(starts_at_the_key_frame, each, time))

main()
