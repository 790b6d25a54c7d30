#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The start position of flvstream, and its notice if that is not the requested position."""

import json
import os
import pathlib
import re

from commandline import FLVSTREAM, in_path, key_after, movie, read, stream, web_server
from flvfile import SCRIPT, tags_of
from pipeline import MEDIA, Skip, case, check, main, needs, recipe, run


def start(arguments, notice):
    """Returns the summary. Checks that `notice` is the only notice."""
    done = stream(f"--json --no-pace {arguments} copy.flv").ok()
    check(re.fullmatch(notice, done.stderr), f"{arguments}: {done.stderr}")
    return json.loads(done.stdout)


@case
def units():
    """All arguments of a group give the same start."""
    movie()
    for group in (("-s 5.5", "-s 5.5s", "-s 5500ms", "-s 0:05.5", "-s 0:00:05.500"),
                  ("-o 307200", "-o 300k", "-o 300K"), ("-o 524288", "-o 0.5M", "-o 512k"),
                  ("-s 0:00", "-s 0", "-s 0ms", "-o 0", "")):
        starts = [start(f"{arguments} movie.flv", "") for arguments in group]
        for told, arguments in zip(starts, group):
            check(told["start_offset"] == starts[0]["start_offset"], f"{arguments}: {told}")
    for arguments in ("-s 5m", "-s 5.5.5", "-s 1:5s", "-s s", "-o M", "-o 1.5", "-o 5x", "-o 1Mk",
                      "-o 9999999T", "-b 2m", "-b 2.5", "-b s", "-b 1:30", "-b 9999999s"):
        check(stream(f"{arguments} movie.flv copy.flv").status == 2, arguments)


@case
def command_part_recipe():
    expected = movie()
    key = next(tag for tag in tags_of(expected) if tag.key and tag.timestamp == 4000)
    run(in_path(recipe("command-part"))).ok()
    check(read().endswith(expected[key.begin:]), "another part")


@case
def behind_the_last_key_frame_it_says_where_it_went():
    expected = movie()
    last = [tag for tag in tags_of(expected) if tag.key][-1]
    seconds = last.timestamp / 1000
    place = rf"starts at the last one, at 0:00:{last.timestamp // 1000:02}"
    for time in (str(seconds + 0.5), str(seconds + 1000)):
        for options in ("", "--index=scan", "--index=metadata", "--snap=previous"):
            told = start(f"{options} -s {time} movie.flv",
                         rf"flvstream: movie.flv: no key frame at or after 0:[\d:.]+; {place}\n")
            check(told["start_offset"] == last.begin, f"{told}")
    done = run(f"cat movie.flv | {FLVSTREAM} --no-pace -s {seconds + 1} - copy.flv").ok()
    check(place in done.stderr and "standard input" in done.stderr, done.stderr)
    start("--snap=previous -o 1G movie.flv",
          rf"flvstream: movie.flv: no key frame at or after byte 1073741824; {place}, byte "
          rf"{last.begin}\n")
    start(f"-s {seconds} movie.flv", "")
    check(not stream("-q --no-pace -s 1:00:00 movie.flv copy.flv").ok().stderr, "not quiet")


@case
def before_the_first_key_frame_it_goes_on_to_it():
    """The first two keyframes become inter frames."""
    expected = movie()
    data = bytearray(expected)
    keys = [tag for tag in tags_of(expected) if tag.key]
    for tag in keys[:2]:
        data[tag.begin + 11] = data[tag.begin + 11] & 0x0F | 0x20
    pathlib.Path("movie.flv").write_bytes(data)
    told = start("-s 1 --index=scan movie.flv",
                 r"flvstream: movie.flv: no key frame at or before 0:00:01; starts at the next one, "
                 rf"at 0:00:{keys[2].timestamp // 1000:02}\n")
    check(told["start_offset"] == keys[2].begin, f"{told}")
    check(read().endswith(expected[keys[2].begin:]), "another part")
    done = stream("-s 1 --index=scan --snap=previous movie.flv copy.flv")
    check(done.status == 1 and done.stderr.count("\n") == 1, done.stderr)
    # A pipe cannot be read twice.
    done = run(f"cat movie.flv | {FLVSTREAM} -s 1 --index=scan - copy.flv")
    check(done.status == 1 and done.stderr.endswith("; --snap=next starts there\n"), done.stderr)
    run(f"cat movie.flv | {FLVSTREAM} --no-pace --snap=next -s 1 --index=scan - copy.flv").ok()
    check(read().endswith(expected[keys[2].begin:]), "another part of the pipe")


@case
def times_count_from_the_start_of_the_recording():
    """A file whose timestamps start at an hour."""
    expected = bytearray(movie())
    tags = tags_of(bytes(expected))
    hour = 3_600_000
    for tag in tags:
        moved = tag.timestamp + hour if tag.kind != SCRIPT else 0
        expected[tag.begin + 4:tag.begin + 7] = (moved & 0xFFFFFF).to_bytes(3, "big")
        expected[tag.begin + 7] = moved >> 24
    pathlib.Path("movie.flv").write_bytes(expected)
    first = next(tag for tag in tags if tag.media).timestamp
    key = [tag for tag in tags if tag.key and tag.timestamp - first <= 4000][-1]
    told = start("-s 4 --index=scan movie.flv", "")
    check(told["start_offset"] == key.begin, f"{told}")
    check(told["start_ms"] == key.timestamp - first, f"{told}")
    last = max(tag.timestamp for tag in tags if tag.media)
    check(told["position_ms"] == last - first, f"{told}, not {last - first}")


@case
def a_server_without_ranges_is_named_and_the_way_works():
    """The file is longer than the initial reads."""
    movie()
    needs("ffmpeg", "curl")
    run("ffmpeg -v error -stream_loop 19 -i movie.flv -c copy -flvflags add_keyframe_index "
        "long.flv").ok()
    with web_server() as web:
        for option in ("-s 200", "-o 12M", "-s 0:03:20.5"):
            done = stream(f"{option} {web}/long.flv copy.flv")
            check(done.status == 1 and "range requests" in done.stderr
                  and done.stderr.count("\n") == 1, done.stderr)
            command = done.stderr.rsplit(": ", 1)[1].strip().replace("flvstream", FLVSTREAM)
            run(f"{command} --no-pace > copy.flv").ok()
            piped = read()
            stream(f"--no-pace {option} long.flv copy.flv").ok()
            key = next(tag for tag in tags_of(read()) if tag.key)
            check(piped.endswith(read()[key.begin:]), f"{option}: another part")


@case
def an_index_is_not_needed():
    expected = movie()
    keys = expected.index(b"keyframes")
    pathlib.Path("movie.flv").write_bytes(expected[:keys] + b"Keyframes" + expected[keys + 9:])
    key = key_after(300000)
    check(start("-o 300000 movie.flv", "")["start_offset"] == key.begin, "another start")
    check(stream("-o 300000 --index=metadata movie.flv copy.flv").status == 1, "it starts")


def true_notice(told, keys, first):
    """The correct notice for a start at 1 s, computed from the tags of the file."""
    times = [key.timestamp - first for key in keys]
    if all(time < 1000 for time in times):
        return r"no key frame at or after 0:00:01; starts at the last one, at 0:00:00(\.\d+)?\n"
    if all(time > 1000 for time in times):
        return r"no key frame at or before 0:00:01; starts at the next one, at [\d:.]+\n"
    return ""


@case
def one_second_into_each_sample():
    """Each file with a keyframe starts, and the notice is correct for its tags."""
    files = sorted(MEDIA.glob("*.flv"))
    if not files:
        raise Skip(f"no {MEDIA}")
    for path in files:
        data = path.read_bytes()
        done = stream(f"--json --no-pace -s 1 {path} copy.flv")
        if data[:3] != b"FLV":
            check(done.status == 1 and "WebM with VP8 and Vorbis, but FLV cannot carry Vorbis"
                  in done.stderr, done.stderr)
            continue
        check(done.status == 0, f"{path.name}: {done.stderr}")
        told = json.loads(done.stdout)
        media = [tag for tag in tags_of(data) if tag.media]
        keys = [tag for tag in media if tag.key] or media
        check(any(key.begin == told["start_offset"] for key in keys), f"{path.name}: {told}")
        notice = true_notice(told, keys, media[0].timestamp)
        said = re.sub(r"^flvstream: warning: .*\n", "", done.stderr, flags=re.MULTILINE)
        said = said.replace(f"flvstream: {path}: ", "")
        check(re.fullmatch(notice, said), f"{path.name}: {done.stderr}")
        check(os.path.getsize("copy.flv") > 0, path.name)


main()
