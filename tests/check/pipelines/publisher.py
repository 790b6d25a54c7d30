# SPDX-License-Identifier: LGPL-2.1-or-later
"""A live publisher with its own clock, and pipelines that read its stream from a pipe."""

import os
import subprocess
import time

from flvfile import HEADER_SIZE, SCRIPT, tags_of

# Drops buffers that are later than this (ns), as video sinks do by default.
SINK = "fakesink sync=true max-lateness=20000000"
OWN = ("fdsrc ! flvpace live=yes ! flvdemux name=d "
       f"d.video ! queue ! {SINK} name=video d.audio ! queue ! {SINK} name=audio")
PEER = ("fdsrc ! flvdemux name=d "
        f"d.video ! queue ! clocksync ! {SINK} name=video "
        f"d.audio ! queue ! clocksync ! {SINK} name=audio")


def endless(stream, first):
    """The tags of the stream in an endless loop, with their times (ms) from `first` on."""
    tags = tags_of(stream)
    media = [tag for tag in tags if tag.media]
    length = media[-1].timestamp - media[0].timestamp + 40
    while True:
        for tag in tags:
            timestamp = tag.timestamp + first
            head = bytearray(stream[tag.begin:tag.begin + 11])
            head[4:8] = (timestamp & 0xFFFFFF).to_bytes(3, "big") + bytes([timestamp >> 24])
            yield timestamp, bytes(head) + stream[tag.begin + 11:tag.end]
        first += length
        tags = [tag for tag in tags if tag.kind != SCRIPT and not tag.configuration]


def publish(pipe, stream, seconds, rate=1.0, first=0, pause=0.0):
    """Writes `seconds` of media at `rate` times real time, with a break of `pause` seconds in the
    middle. Returns the number of frames."""
    pipe.write(stream[:HEADER_SIZE])
    begin = time.monotonic()
    frames = 0
    for timestamp, tag in endless(stream, first):
        media = (timestamp - first) / 1000
        if media >= seconds:
            break
        due = begin + media / rate + (pause if media >= seconds / 2 else 0)
        time.sleep(max(due - time.monotonic(), 0))
        pipe.write(tag)
        frames += tag[0] != SCRIPT and tag[12] != 0
    pipe.close()
    return frames


def dropped(line, stream, seconds, rate, pause=0.0, meter=os.environ.get("FLV_SINKMETER")):
    """Publishes to `line`. Returns the share (%) of the frames that no sink showed, and the time
    (s) from the end of the publisher to the end of the line."""
    # The pipe is the only buffer: a full pipe blocks the publisher.
    with subprocess.Popen([meter, str(seconds * 2 + 10), line], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, bufsize=0) as process:
        frames = publish(process.stdin, stream, seconds, rate, pause=pause)
        end = time.monotonic()
        told = process.stdout.read().decode()
        lag = time.monotonic() - end
    if process.returncode != 0:
        raise AssertionError(f"exit status {process.returncode}: {told}")
    shown = sum(int(text.split()[1]) for text in told.splitlines())
    return {"frames": frames, "dropped": 100 * (1 - shown / frames), "lag": lag}
