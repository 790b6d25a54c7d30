# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the remux bin, and compares its output with the source."""

import json
import os

from pipeline import check, needs, run

REMUXER = os.environ["FLV_REMUXER"]
# ms: two roundings to ms, of the source and of the output.
TOLERANCE = 1.01
# ffprobe 5.1 does not read these in FLV.
ENHANCED = {"HEVC", "AV1", "VP8", "VP9", "Opus", "FLAC", "AC-3", "E-AC-3"}


def remux(source, output, arguments=""):
    done = run(f"{REMUXER} {source} {output} {arguments}").ok()
    check("CRITICAL" not in done.stderr and "WARNING" not in done.stderr, done.stderr)
    return done


def packets(path):
    """The presentation times in ms of the packets of each kind, in the order of the file."""
    needs("ffprobe")
    done = run("ffprobe -v error -show_entries packet=codec_type,pts_time,flags -of json "
               f"{path}").ok()
    times = {}
    for packet in json.loads(done.stdout)["packets"]:
        if packet["codec_type"] in ("video", "audio") and "pts_time" in packet:
            times.setdefault(packet["codec_type"], []).append(1000 * float(packet["pts_time"]))
    return times


def check_times(source, output, codecs, what):
    """Compares the numbers and the times of packets, relative to the first picture. The first packet
    of Vorbis has no sound; ffmpeg gives it a time before the start."""
    expected, got = packets(source), packets(output)
    check(expected.keys() == got.keys(), f"{what}: {got.keys()}, not {expected.keys()}")
    kind = "video" if "video" in got else "audio"
    skip = 1 if codecs == ("Vorbis",) else 0
    shift = min(got[kind][skip:]) - min(expected[kind][skip:])
    for kind, times in got.items():
        check(len(times) == len(expected[kind]),
              f"{what}: {len(times)} {kind} packets of {len(expected[kind])}")
        for i, (time, right) in enumerate(zip(times, expected[kind])):
            check(i < skip or abs(time - right - shift) <= TOLERANCE,
                  f"{what}: {kind} packet {i} at {time - shift:.3f} ms, not {right:.3f}")


def check_decodes(path):
    """ffmpeg reads a pipe, as from a live stream."""
    needs("ffmpeg")
    done = run(f"cat {path} | ffmpeg -v warning -xerror -i pipe: -enc_time_base:v 1:90000 "
               "-f null -")
    check(done.status == 0 and not done.stderr, f"ffmpeg on {path}: {done.stderr[:2000]}")


def readable(path, codecs):
    """The file, or, if ffmpeg does not read its codecs in FLV, the same in Matroska."""
    if not str(path).endswith(".flv") or not ENHANCED & set(codecs):
        return path
    remux(path, "back.mkv")
    return "back.mkv"
