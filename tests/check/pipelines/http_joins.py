#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Late clients of httpserversink: the start of their stream, and its end."""

import functools
import pathlib
import random
import re
import time

from amf import on_metadata
from flvfile import AUDIO, SCRIPT, VIDEO, clip, pictures, tags_of
from http_client import Fed, Sample, in_parallel, media, serve, stream_of
from pipeline import (SAMPLE, add_case, case, check, check_decodes, check_same, finish, free_port,
                      main, needs, needs_element, run)
from websocket_client import CLOSE, WebSocket

JOINS = 20
ROUNDS = 3
LENGTH = 2 * ROUNDS  # s
SHOW = "packet=codec_type,flags:stream=codec_type,nb_read_packets,nb_read_frames"


def rounds(pace):
    """A file in a loop as one stream, which has splices and an end."""
    clip(LENGTH / ROUNDS, "movie0.flv")
    for number in range(1, ROUNDS):
        pathlib.Path(f"movie{number}.flv").symlink_to("movie0.flv")
    return f"multifilesrc location=movie%d.flv stop-index={ROUNDS - 1} ! flvpace {pace}"


def late(port, delay, path):
    time.sleep(delay)
    return stream_of(port, path).read_all()


def join_all(port, path):
    """The complete streams of clients that join at the start and at random times, with their
    delays."""
    delays = [0, *(random.uniform(0, LENGTH - 0.5) for _ in range(JOINS - 1))]
    streams = in_parallel(*[functools.partial(late, port, delay, path) for delay in delays])
    return list(zip(delays, streams))


def check_whole(path):
    """Checks that the file decodes without warnings from its first video packet, a keyframe.
    Returns the number of pictures."""
    done = run(f"cat {path} | ffprobe -v warning -count_packets -count_frames -of compact "
               f"-show_entries {SHOW} -i pipe:").ok()
    check(not done.stderr, f"ffprobe on {path}: {done.stderr}")
    rows = [line for line in done.stdout.splitlines() if "codec_type=video" in line]
    check("flags=K" in rows[0], f"{path} begins with no key frame, but {rows[0]}")
    packets, frames = re.search(r"nb_read_frames=(\d+)\|nb_read_packets=(\d+)", rows[-1]).groups()
    check(packets == frames, f"{frames} pictures decoded of {packets} in {path}")
    return int(frames)


def check_all(streams, suffix):
    """Checks two streams at a time."""
    needs("ffprobe")
    paths = [pathlib.Path(f"{number}.{suffix}") for number in range(len(streams))]
    for path, stream in zip(paths, streams):
        path.write_bytes(stream)
    halves = in_parallel(*[lambda part=part: [check_whole(path) for path in part]
                           for part in (paths[::2], paths[1::2])])
    check(halves[0][0] == LENGTH * 25, f"{halves[0][0]} pictures from the start on")


def check_rest(reference, stream, what):
    """The stream equals the end of the reference, with the same time offset for audio and video. At
    the start, audio before the first picture is left out."""
    theirs = [tag for tag in tags_of(stream) if tag.media]
    ours = [tag for tag in tags_of(reference) if tag.media]
    offset = ours[-1].timestamp - theirs[-1].timestamp
    begin = theirs[0].timestamp + offset
    key = next(at for at, tag in enumerate(ours) if tag.key and tag.timestamp == begin)
    wanted = [(tag.kind, tag.data, tag.timestamp - offset) for tag in ours[key:]
              if tag.timestamp >= begin]
    got = [(tag.kind, tag.data, tag.timestamp) for tag in theirs]
    check(got == wanted, f"{what}: {len(got)} tags of media, {len(wanted)} expected, "
          f"different at {next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), -1)}")
    check(theirs[0].timestamp == 0, f"{what} starts at {theirs[0].timestamp} ms")


def check_start(stream, what):
    """Metadata, configurations and a keyframe follow the file header, all at time 0. tags_of()
    checks the file header."""
    tags = tags_of(stream)
    kinds = [(tag.kind, tag.configuration) for tag in tags[:3]]
    check(kinds[0] == (SCRIPT, False) and
          sorted(kinds[1:]) == [(AUDIO, True), (VIDEO, True)], f"{what} starts with {kinds}")
    check(tags[3].key, f"{what}: no key frame after the head")
    check([tag.timestamp for tag in tags[:4]] == [0] * 4, f"{what} does not start at 0")
    check(stream[4] == 5, f"{what}: the flags are {stream[4]}")


@case
def flv_joins():
    port = free_port()
    with serve(f"{rounds('burst=0')} ! httpserversink port={port} path=/live.flv", port) as server:
        joined = join_all(port, "/live.flv")
        check(finish(server).status == 0, "gst-launch fails")
    reference = joined[0][1]
    for delay, stream in joined:
        what = f"the client that joined after {delay:.3f} s"
        check_start(stream, what)
        check_rest(reference, stream, what)
    check_all([stream for _, stream in joined], "flv")


def other_joins(suffix, muxer, parsers):
    """The sink's input has the media times, so the sink does not change timestamps."""
    needs_element(muxer.split()[0], *parsers.split())
    video, audio = parsers.split()
    config = "config-interval=-1" if muxer == "mpegtsmux" else ""
    port = free_port()
    with serve(f"{rounds('sync=false')} ! flvdemux name=in  {muxer} name=out ! "
               f"httpserversink port={port} path=/live  "
               f"in.video ! queue ! {video} {config} ! out.  in.audio ! queue ! {audio} ! out.",
               port) as server:
        joined = join_all(port, "/live")
        check(finish(server).status == 0, "gst-launch fails")
    check_all([stream for _, stream in joined], suffix)


for each, arguments in {
        "matroska": ("mkv", "matroskamux streamable=true", "h264parse aacparse"),
        "mpeg-ts": ("ts", "mpegtsmux", "h264parse aacparse")}.items():
    add_case(f"{each}-joins", functools.partial(other_joins, *arguments))


def first_picture(stream):
    return next(tag.data for tag in tags_of(stream) if tag.picture)


def key_of(group):
    return first_picture(Sample().head + group)


@case
def join_at_the_latest_key_frame():
    sample = Sample()
    with Fed() as source:
        source.write(sample.until(3))
        source.settle()
        stream = stream_of(source.port).read_pictures(50)
    check_start(stream, "the client")
    check(first_picture(stream) == key_of(sample.groups[2]), "it begins elsewhere")


@case
def join_with_a_burst():
    sample = Sample()
    with Fed("join=burst burst=3000") as source:
        source.write(sample.until(5))  # 10 s: the fourth group has the point 3 s back
        source.settle()
        stream = stream_of(source.port).read_pictures(100)
        check_start(stream, "the client")
        check(first_picture(stream) == key_of(sample.groups[3]), "it begins elsewhere")
        check(pictures(stream) == 100, f"a burst of {pictures(stream)} pictures")
        many = in_parallel(*[lambda: stream_of(source.port).read_pictures(100)] * 5)
    check(all(each == stream for each in many), "another burst for another client")


@case
def join_at_the_next_key_frame():
    sample = Sample()
    with Fed("join=next-keyframe") as source:
        source.write(sample.until(2))
        source.settle()
        client = stream_of(source.port)
        check(client.is_quiet(0.5), "something before the next key frame")
        source.write(sample.groups[2])
        stream = client.read_pictures(50)
    check_start(stream, "the client")
    check(first_picture(stream) == key_of(sample.groups[2]), "it begins elsewhere")


@case
def timestamps_of_the_source():
    sample = Sample()
    with Fed("rebase-timestamps=false") as source:
        source.write(sample.until(3))
        source.settle()
        client = stream_of(source.port)
        source.end()
        stream = client.read_all()
    check(tags_of(stream)[3].timestamp == 4000, f"it begins at {tags_of(stream)[3].timestamp} ms")
    known = {tag.data: tag.timestamp for tag in tags_of(sample.bytes) if tag.media}
    check(all(known[tag.data] == tag.timestamp for tag in tags_of(stream) if tag.media),
          "another timestamp")


@case
def source_that_comes_back():
    """A source ends within a tag, and another file follows: the client receives one stream."""
    sample = Sample()
    with Fed() as source:
        source.write(sample.until(1))
        source.settle()
        client = stream_of(source.port)
        for groups in (2, 3):
            source.write(sample.until(groups))
        source.end()
        stream = client.read_all()
    check(media(stream) == [one for groups in (1, 2, 3) for one in media(sample.until(groups))],
          "it did not get all")
    last = {}
    for tag in (tag for tag in tags_of(stream) if tag.media):
        step = tag.timestamp - last.get(tag.kind, tag.timestamp)
        check(0 <= step < 200, f"a step of {step} ms at byte {tag.begin}")
        last[tag.kind] = tag.timestamp
    check(11000 < min(last.values()) and max(last.values()) < 13000, f"12 s, but it ends at {last}")
    pathlib.Path("back.flv").write_bytes(stream)
    check_decodes("back.flv", 6 * 50)


def only(kind):
    """The sample with one kind only; its head still announces both."""
    stream = SAMPLE.read_bytes()
    return stream[:13] + b"".join(stream[tag.begin:tag.end] for tag in tags_of(stream)
                                  if tag.kind in (kind, SCRIPT))


def true_flags(kind, flags, names):
    with Fed("max-lag=0") as source:
        source.write(only(kind))
        source.settle()
        client = stream_of(source.port)
        source.end()
        stream = client.read_all()
    check(stream[4] == flags, f"the flags are {stream[4]}")
    told = on_metadata(tags_of(stream)[0].data)
    for name, true in names.items():
        check(told.get(name, False) == true, f"{name} is {told.get(name)}")
    wrong = "video" if kind == AUDIO else "audio"
    check(not any(name.startswith(wrong) and value for name, value in told.items()), str(told))
    check({tag.kind for tag in tags_of(stream)} == {kind, SCRIPT}, "what is there")
    check(next(tag.timestamp for tag in tags_of(stream) if tag.media) == 0, "it's not from 0")
    pathlib.Path("only.flv").write_bytes(stream)
    check_decodes("only.flv")


add_case("flags-of-sound-alone",
         functools.partial(true_flags, AUDIO, 4, {"hasAudio": True, "hasVideo": False}))
add_case("flags-of-pictures-alone",
         functools.partial(true_flags, VIDEO, 1, {"hasAudio": False, "hasVideo": True}))


# The end of the stream


@case
def everybody_gets_the_end():
    sample = Sample()
    with Fed("max-lag=0") as source:
        source.write(sample.until(1))
        source.settle()
        clients = [stream_of(source.port) for _ in range(10)]
        sockets = [WebSocket(source.port) for _ in range(10)]
        source.wait_for_clients(20)
        source.write(sample.behind(1))
        source.end()
        streams = in_parallel(*[client.read_all for client in clients],
                              *[lambda it=it: b"".join(it.receive_until(CLOSE)[1]) for it in sockets])
        check(finish(source.process, timeout=10).status == 0, "gst-launch fails")
    for stream in streams:
        check_same(stream, streams[0], "another client's")
    check(media(streams[0]) == media(sample.bytes), "it isn't all of the file")
    check(tags_of(streams[0])[-1].end == len(streams[0]), "bytes after the last tag")


@case
def who_does_not_read_holds_up_the_end():
    """A client that does not read delays the end up to the limit."""
    sample = Sample()
    with Fed("max-lag=0 max-lag-bytes=0 drain-timeout=1500") as source:
        source.write(sample.until(1))
        source.settle()
        stalled = stream_of(source.port, buffer=4096)
        for _ in range(10):
            source.write(sample.behind(0))
        start = time.monotonic()
        source.end()
        check(finish(source.process, timeout=20).status == 0, "gst-launch fails")
        took = time.monotonic() - start
        stalled.close()
    check(1.3 < took < 5, f"the end took {took:.3f} s, not 1.5")


@case
def interrupt_with_clients():
    """Ctrl-C ends the server, whatever clients are connected."""
    port = free_port()
    with serve(f"-e multifilesrc location={SAMPLE} loop=true ! flvpace speed=10 ! "
               f"httpserversink port={port} drain-timeout=1000", port) as server:
        clients = [stream_of(port, "/") for _ in range(5)]
        stalled = stream_of(port, "/", buffer=4096)
        server.send_signal(2)
        check(finish(server, timeout=20).status == 0, "gst-launch fails")
        for client in clients:
            check(tags_of(client.read_all()), "nothing")
        stalled.close()


if __name__ == "__main__":
    main()
