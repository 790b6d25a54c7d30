#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Live input of the remux bin: tracks that fall silent or never come, sources that start again, and
clients that join in the middle."""

import pathlib

import remux_media
from flvfile import AUDIO, VIDEO, tags_of
from pipeline import case, check, main, run
from remuxing import REMUXER, check_decodes, packets, remux


def source_tags():
    content = remux_media.path_of("h264-b.flv").read_bytes()
    return content, tags_of(content)


def write(name, tags, content, head=13):
    pathlib.Path(name).write_bytes(content[:head] + b"".join(
        content[tag.begin:tag.end] for tag in tags))


def at(tag, time, content):
    """The tag with another timestamp."""
    body = bytearray(content[tag.begin:tag.end])
    body[4:7] = (time & 0xFFFFFF).to_bytes(3, "big")
    body[7] = time >> 24 & 0xFF
    return bytes(body)


def live(source, output):
    run(f"cat {source} | {REMUXER} - {output} live").ok()
    check_decodes(output)
    return packets(output)


@case
def a_silent_track_does_not_stop_the_other():
    content, tags = source_tags()
    write("a.flv", [tag for tag in tags if tag.kind != AUDIO or tag.timestamp < 1000], content)
    for extension in ("mkv", "ts", "flv"):
        got = live("a.flv", f"out.{extension}")
        check(len(got["video"]) == 75, f"{len(got['video'])} pictures in {extension}")
        check(max(got["audio"]) < min(got["audio"]) + 1000, "sound")


@case
def a_track_without_media_is_not_promised():
    """Cameras send an AAC configuration and never a frame."""
    content, tags = source_tags()
    write("a.flv", [tag for tag in tags if tag.kind != AUDIO or tag.configuration], content)
    for extension in ("mkv", "ts", "flv"):
        got = live("a.flv", f"out.{extension}")
        check(list(got) == ["video"], f"{list(got)} in {extension}")
    check(pathlib.Path("out.flv").read_bytes()[4] == 1, "the FLV header announces sound")


@case
def a_track_that_comes_late_is_added_to_flv():
    content, tags = source_tags()
    later = [tag for tag in tags if tag.kind != AUDIO or tag.timestamp > 2500 or tag.configuration]
    write("a.flv", later, content)
    got = live("a.flv", "out.flv")
    expected = sum(tag.kind == AUDIO and tag.media for tag in later)
    check(len(got["audio"]) == expected, f"{len(got['audio'])} of {expected} audio packets")


@case
def a_source_that_starts_again_goes_on():
    content, tags = source_tags()
    part = [tag for tag in tags if tag.kind in (AUDIO, VIDEO)]
    pathlib.Path("a.flv").write_bytes(
        content + b"".join(content[tag.begin:tag.end] for tag in part if not tag.end_of_sequence))
    for extension in ("mkv", "ts"):
        got = live("a.flv", f"out.{extension}")
        check(len(got["video"]) == 150, f"{len(got['video'])} pictures in {extension}")
        first, second = sorted(got["video"])[74:76]
        check(0 < second - first < 200, f"{second - first} ms between the parts in {extension}")
        shift = min(got["audio"]) - min(got["video"])
        later = got["audio"][len(got["audio"]) // 2]
        check(abs(later - second - shift) < 1.01, "the tracks are not in step")


@case
def times_before_zero_keep_the_tracks_in_step():
    content, tags = source_tags()
    pathlib.Path("a.flv").write_bytes(content[:13] + b"".join(
        at(tag, tag.timestamp - 33, content) for tag in tags if not tag.kind == 18))
    expected = packets(remux_media.path_of("h264-b.flv"))
    for extension in ("mkv", "ts", "flv"):
        remux("a.flv", f"out.{extension}")
        got = packets(f"out.{extension}")
        check(abs((min(got["audio"]) - min(got["video"]))
                  - (min(expected["audio"]) - min(expected["video"]))) < 1.01, extension)


@case
def another_configuration_in_the_middle_decodes():
    """The publisher came back with another picture size."""
    content, tags = source_tags()
    run(f"ffmpeg -nostdin -v error {remux_media.BOTH} -vf scale=320:240 {remux_media.X264} -bf 3 "
        f"{remux_media.AAC} other.flv").ok()
    other = pathlib.Path("other.flv").read_bytes()
    shift = tags[-1].timestamp + 100
    joined = content + b"".join(at(tag, tag.timestamp + shift, other)
                                for tag in tags_of(other) if tag.kind in (AUDIO, VIDEO))
    pathlib.Path("a.flv").write_bytes(joined)
    for extension in ("mkv", "ts", "flv"):
        run(f"cat a.flv | {REMUXER} - out.{extension} live").ok()
        done = run(f"cat out.{extension} | ffmpeg -v error -i pipe: -enc_time_base:v 1:1000 "
                   "-f null -").ok()
        check(not done.stderr, f"{extension}: {done.stderr[:1000]}")
        # ffprobe counts the end of the first sequence in FLV.
        check(len(packets(f"out.{extension}")["video"]) in (150, 151), extension)


@case
def a_client_joins_mpeg_ts_at_each_key_frame():
    remux(remux_media.path_of("h264-b.mp4"), "out.ts")
    content = pathlib.Path("out.ts").read_bytes()
    tables = [at for at in range(0, len(content), 188)
              if content[at + 1] & 0x5F == 0x40 and content[at + 2] == 0]
    check(len(tables) > 2, f"{len(tables)} tables")
    joined = 0
    for begin in tables[1:]:
        # The table before a key frame: its picture, on PID 0x100, has the random access indicator.
        picture = content[begin + 2 * 188:]
        if picture[1:3] == b"\x41\x00" and picture[3] & 0x20 and picture[5] & 0x40:
            pathlib.Path("part.ts").write_bytes(content[begin:])
            check_decodes("part.ts")
            joined += 1
    check(joined == 3, f"{joined} joins")


main()
