#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvserve with a folder: files on demand with curl, with ffmpeg, and as players with Flash use
them."""

import functools
import pathlib
import shutil

from amf import on_metadata
from filemovies import PRODUCERS, get, keys_of, make
from flvfile import SCRIPT, pictures, tags_of
from pipeline import add_case, case, check, check_same, main, needs, run
from serverprocess import configured, converted, serving

FILES = """
[files /vod]
root=videos
"""


def check_start(stream, file, what):
    """The start has onMetaData, configurations and a keyframe first, and then the file's own bytes.
    Returns its tags."""
    tags = tags_of(stream)
    check(tags[0].kind == SCRIPT and tags[0].timestamp == 0, f"{what}: no onMetaData at time 0")
    first = next(tag for tag in tags if tag.media)
    check(first.key, f"{what}: the first picture is no key frame")
    check([tag.configuration for tag in tags].count(True) >= 2, f"{what}: no configurations")
    check(file.endswith(stream[first.begin:]), f"{what}: the tail is another one")
    return tags


def check_first_picture(stream):
    """ffmpeg decodes every picture, from the first one on, without a message. flvmeta writes an
    event into the last second, which ffmpeg reports as a stream of data."""
    pathlib.Path("start.flv").write_bytes(stream)
    done = run("cat start.flv | ffmpeg -v warning -i pipe: -map 0:v -f framemd5 -").ok()
    said = [line for line in done.stderr.splitlines() if line and "New data stream" not in line]
    check(not said, f"ffmpeg: {said}")
    decoded = sum(line[:1] == "0" for line in done.stdout.splitlines())
    check(decoded == pictures(stream), f"{decoded} of {pictures(stream)} pictures")


def starts_decode(producer):
    needs("ffmpeg")
    make(producer)
    with configured(FILES) as server:
        file, _ = get(server.port, "/vod/movie.flv")
        keys = keys_of(file)
        queries = [f"start={key.begin}" for key in keys[1:]] + [f"t={second}" for second in
                                                               (2, 4.5, 11.9)]
        for query in queries:
            stream, fields = get(server.port, f"/vod/movie.flv?{query}")
            check(fields["Content-Type"] == "video/x-flv", str(fields))
            check_start(stream, file, query)
            check_first_picture(stream)
        stream, _ = get(server.port, "/vod/movie.flv?start=0")
        check_same(stream, file, "start=0")


def flash_player(producer):
    """A player with Flash: plays from the start, and then requests offsets that the index of
    onMetaData lists. It takes each of these for an offset in the first file, so the index does not
    change."""
    make(producer)
    with configured(FILES) as server:
        file, _ = get(server.port, "/vod/movie.flv?start=0")
        first = on_metadata(tags_of(file)[0].data)
        positions = [int(each) for each in first["keyframes"]["filepositions"]]
        times = first["keyframes"]["times"]
        check(len(positions) == len(times) >= 6, f"{len(positions)} entries")
        keys = {key.begin: key for key in keys_of(file)}
        found = 0
        for position, time in zip(positions, times):
            if position > max(keys):  # the end of the sequence, which some programs list
                get(server.port, f"/vod/movie.flv?start={position}", status=416)
                continue
            stream, _ = get(server.port, f"/vod/movie.flv?start={position}")
            tags = check_start(stream, file, position)
            check(on_metadata(tags[0].data) == first, "another onMetaData")
            picture = next(tag for tag in tags if tag.media)
            check(abs(picture.timestamp / 1000 - time) < 0.2,
                  f"{picture.timestamp} ms at entry {time} s")
            found += position in keys
        check(found >= len(keys) - 1, f"the index has {found} of {len(keys)} key frames")


for _producer in PRODUCERS:
    add_case(f"starts-decode-{_producer}", functools.partial(starts_decode, _producer))
    add_case(f"flash-player-{_producer}", functools.partial(flash_player, _producer))


@case
def virtual_file_has_a_complete_index():
    stored = make("no-index")
    with configured(FILES) as server:
        file, fields = get(server.port, "/vod/movie.flv")
        check(int(fields["Content-Length"]) == len(file) > len(stored), str(fields))
        metadata = on_metadata(tags_of(file)[0].data)
        listed = [int(each) for each in metadata["keyframes"]["filepositions"]]
        keys = [key.begin for key in keys_of(file)]
        check(listed[1:] == keys and tags_of(file)[1].begin == listed[0], f"{listed} of {keys}")
        check_same(file[tags_of(file)[1].begin:], stored[tags_of(stored)[1].begin:], "the tags")
    check_first_picture(file)
    check(pictures(file) == pictures(stored), "other pictures")


@case
def curl_resumes():
    needs("curl")
    for producer in ("ffmpeg", "no-index"):
        make(producer)
        with configured(FILES) as server:
            url = f"http://127.0.0.1:{server.port}/vod/movie.flv"
            file, fields = get(server.port, "/vod/movie.flv")
            run(f"curl -sS -f -r 0-99999 -o part.flv {url}").ok()
            check(pathlib.Path("part.flv").stat().st_size == 100000, "another range")
            run(f"curl -sS -f -C - -o part.flv {url}").ok()
            check_same(pathlib.Path("part.flv").read_bytes(), file)
            same = run(f"curl -sS -o /dev/null -w '%{{http_code}}' "
                       f"-H 'If-None-Match: {fields['ETag']}' {url}").ok()
            check(same.stdout == "304", same.stdout)


@case
def ffmpeg_seeks_over_http():
    """ffmpeg itself requests ranges, in FLV and in MP4."""
    needs("ffmpeg")
    make("ffmpeg")
    shutil.move(converted("movie.mp4"), "videos/movie.mp4")
    shutil.move(converted("movie.mkv"), "videos/movie.mkv")
    with configured(FILES) as server:
        for name, kind in (("flv", "video/x-flv"), ("mp4", "video/mp4"),
                           ("mkv", "video/x-matroska")):
            _, fields = get(server.port, f"/vod/movie.{name}", method="HEAD")
            check(fields["Content-Type"] == kind, str(fields))
            done = run(f"ffmpeg -v warning -ss 6 -i http://127.0.0.1:{server.port}/vod/movie.{name}"
                       " -map 0:v -f framemd5 -").ok()
            frames = [line for line in done.stdout.splitlines() if line[:1] == "0"]
            check(len(frames) >= 100 and not done.stderr, f"{name}: {len(frames)} {done.stderr}")
        get(server.port, "/vod/movie.mp4?start=100", status=415)


@case
def a_folder_on_the_command_line():
    stored = make("ffmpeg")
    with serving("videos") as server:
        file, _ = get(server.port, "/movie.flv")
        check_same(file, stored)
        get(server.port, "/../flvserve.conf", status=404)
        get(server.port, "/none.flv", status=404)


@case
def listing_and_playlist():
    make("ffmpeg")
    pathlib.Path("videos/.secret").write_text("x", encoding="utf-8")
    with configured(FILES + "listing=true\n") as server:
        page, fields = get(server.port, "/vod/")
        check(fields["Content-Type"].startswith("text/html"), str(fields))
        check(b"./movie.flv?play" in page and b"secret" not in page, page.decode())
        playlist, _ = get(server.port, "/vod/movie.flv?play")
        url = playlist.decode().splitlines()[-1]
        check(url == f"http://127.0.0.1:{server.port}/vod/movie.flv", url)
    with configured(FILES) as server:
        get(server.port, "/vod/", status=404)


@case
def other_names_of_start():
    stored = make("ffmpeg")
    with configured(FILES + "start-names=offset;pos\nmax-age=60\n") as server:
        file, fields = get(server.port, "/vod/movie.flv?start=100000")
        check_same(file, stored)
        check(fields["Cache-Control"] == "max-age=60", str(fields))
        stream, _ = get(server.port, "/vod/movie.flv?pos=100000")
        check_start(stream, file, "pos")


main()
