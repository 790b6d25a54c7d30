#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""fdsink and filesink: the output equals the input, or exactly the rest of it."""

import http.server
import pathlib
import resource
import shutil
import threading

from flvfile import HEADER_SIZE, VIDEO, clip, is_clean, tags_of, whole_part
from pipeline import (MEDIA, SAMPLE, Skip, add_case, background, case, check, check_same, main,
                      needs_element, recipe, run, wait_until)


def movie(source=SAMPLE):
    shutil.copyfile(source, "movie.flv")
    return pathlib.Path("movie.flv").read_bytes()


def copy():
    return pathlib.Path("copy.flv").read_bytes()


def check_failed(done, why):
    """Checks the error message. A crash has a different exit status."""
    check(done.status in (1, 255), f"exit status {done.status}")
    check("ERROR: from element" in done.stderr and why in done.stderr, f"no error: {done.stderr}")


def check_copy(command, expected):
    done = run(command).ok()
    check_same(copy(), expected)
    return done


@case
def stdout_recipe():
    check_copy(recipe("stdout"), clip(2))


@case
def pipe_recipe():
    check_copy(recipe("pipe"), clip(2))


@case
def file_recipe():
    done = check_copy(recipe("file"), movie())
    check(done.warnings == 0, done.stdout)


@case
def file_from_zero_recipe():
    shifted = bytearray(movie())
    tags = tags_of(shifted)
    for tag in tags:
        later = (tag.timestamp + 3_600_000).to_bytes(4, "big")
        shifted[tag.begin + 4:tag.begin + 8] = later[1:] + later[:1]
    pathlib.Path("movie.flv").write_bytes(shifted)
    run(recipe("file-from-zero")).ok()
    first = next(tag.timestamp for tag in tags if tag.media)
    times = [tag.timestamp - first for tag in tags if tag.media]
    check([tag.timestamp for tag in tags_of(copy()) if tag.media] == times, "times are not from 0")


@case
def file_check_recipe():
    movie()
    run(recipe("file-check")).ok()
    at = damage()
    done = run(recipe("file-check"))
    check_failed(done, f"at byte {at}")


def damage():
    """Damages a tag in the middle of movie.flv; returns its position."""
    stream = bytearray(pathlib.Path("movie.flv").read_bytes())
    tags = tags_of(stream)
    tag = tags[len(tags) // 2]
    stream[tag.begin] = 0x55
    pathlib.Path("movie.flv").write_bytes(stream)
    return tag.begin


@case
def damaged_file():
    stream = movie()
    at = damage()
    tag = next(tag for tag in tags_of(stream) if tag.begin == at)
    done = check_copy(recipe("file"), stream[:tag.begin] + stream[tag.end:])
    check(done.warnings == 1, f"{done.warnings} warnings, not one")


@case
def truncated_file():
    stream = movie()
    tag = next(tag for tag in reversed(tags_of(stream)) if tag.picture)
    cut = stream[:tag.end - 20]
    pathlib.Path("movie.flv").write_bytes(cut)
    done = check_copy(recipe("file"), whole_part(cut))
    check(done.warnings == 1, f"{done.warnings} warnings, not one")


@case
def header_and_nothing_else():
    stream = movie()[:HEADER_SIZE]
    pathlib.Path("movie.flv").write_bytes(stream)
    check_copy(recipe("file"), stream)


def check_refused(stream, why, source="filesrc location=movie.flv"):
    """async=false: gst-launch-1.0 1.22 sometimes hangs after an error during preroll."""
    pathlib.Path("movie.flv").write_bytes(stream)
    done = run(f"gst-launch-1.0 {source} ! flvpace sync=false ! "
               "filesink location=copy.flv async=false < movie.flv")
    check_failed(done, why)
    check_same(copy(), b"")


@case
def no_flv_file():
    check_refused(b"RIFF" + bytes(5000), "'RIF'")
    check_refused(b"RIFF" + bytes(5000), "'RIF'", "fdsrc")


@case
def empty_file():
    check_refused(b"", "Not an FLV file")
    check_refused(b"", "Not an FLV file", "fdsrc")


@case
def cut_anywhere():
    stream = movie()
    for size in (1, 7, 65536):
        if size == 1:
            stream = clip(0.3)
        check_copy(f"gst-launch-1.0 filesrc location=movie.flv blocksize={size} ! queue ! "
                   "flvpace sync=false ! filesink location=copy.flv", stream)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@case
def http_recipe():
    needs_element("souphttpsrc")
    stream = clip(2)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        check_copy(recipe("http", _8080=server.server_port), stream)
        server.shutdown()


@case
def loop_into_a_file():
    stream = clip(1)
    tags = tags_of(stream)
    body = len(stream) - HEADER_SIZE
    with background("exec gst-launch-1.0 multifilesrc location=movie.flv loop=true ! "
                    "flvpace sync=false ! filesink location=copy.flv buffer-mode=unbuffered"):
        path = pathlib.Path("copy.flv")
        wait_until(lambda: path.exists() and path.stat().st_size > 20 * len(stream), "no 20 rounds")
    looped = tags_of(copy())
    check_same(copy()[:len(stream)], stream, "the first round")
    check(looped[20 * len(tags)].begin == HEADER_SIZE + 20 * body, "rounds differ in size")
    last = {}
    for tag in (tag for tag in looped if tag.media):
        step = tag.timestamp - last.get(tag.kind, tag.timestamp)
        check(0 <= step <= 200, f"a step of {step} ms at byte {tag.begin}")
        last[tag.kind] = tag.timestamp
    check(min(last.values()) > 19 * 900, f"the time did not go on: {last}")


def movie_of_one_tag(size):
    data = b"\x17\1\0\0\0" + bytes(size - 5)
    tag = bytes([VIDEO]) + len(data).to_bytes(3, "big") + bytes(7) + data
    header = b"FLV\1\1\0\0\0\x09\0\0\0\0"
    stream = header + tag + len(tag).to_bytes(4, "big")
    pathlib.Path("movie.flv").write_bytes(stream)
    return stream


@case
def large_tag_byte_by_byte():
    """The memory for this is that of the tag, and not that of one buffer per byte."""
    stream = movie_of_one_tag(1_000_000)
    check_copy("gst-launch-1.0 filesrc location=movie.flv blocksize=1 ! queue ! "
               "flvpace sync=false ! filesink location=copy.flv", stream)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    check(largest < 200_000, f"a program so far took {largest} kB")


def media_case(path):
    def same():
        stream = movie(path)
        if stream[:3] != b"FLV":
            check_refused(stream, "Not an FLV file")
            return
        whole = whole_part(stream)
        check_copy(recipe("file").replace("sync=false", "sync=false retimestamp=none"), whole)
        if is_clean(stream):
            check_copy(recipe("file"), whole)

    add_case(f"file-{path.stem}", same)


def no_media():
    raise Skip(f"no files in {MEDIA}")


media = sorted(MEDIA.glob("*.flv"))
for each in media:
    media_case(each)
if not media:
    add_case("media-files", no_media)

main()
