#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvseek on files that several programs have indexed: its output decodes from the first picture
on, and the pictures equal those of the file."""

import functools
import pathlib
import re
import shutil

from amf import on_metadata
from flvfile import AUDIO, HEADER_SIZE, SCRIPT, VIDEO, pictures, tags_of
from pipeline import (MEDIA, SAMPLE, Skip, add_case, background, case, check, check_decodes,
                      finish, free_port, main, needs, needs_element, recipe, run, wait_for_port)
from web_server import nginx

SECONDS = 12


# Files by the producer of their index.


def by_ffmpeg(path):
    shutil.copyfile(SAMPLE, path)


def by_yamdi(path):
    needs("yamdi")
    run(f"yamdi -i {SAMPLE} -o {path}").ok()


def by_flvmeta(path):
    needs("flvmeta")
    run(f"flvmeta --update {SAMPLE} {path}").ok()


def by_flvmux(path):
    for element in ("flvdemux", "h264parse", "aacparse", "flvmux"):
        needs_element(element)
    run(f"gst-launch-1.0 -q filesrc location={SAMPLE} ! flvdemux name=d flvmux name=m ! "
        f"filesink location={path} d.video ! queue ! h264parse ! m.video "
        "d.audio ! queue ! aacparse ! m.audio").ok()


def by_nobody(path):
    run(f"ffmpeg -v error -i {SAMPLE} -c copy -flvflags no_metadata {path}").ok()


PRODUCERS = {"ffmpeg": by_ffmpeg, "yamdi": by_yamdi, "flvmeta": by_flvmeta, "flvmux": by_flvmux,
             "nobody": by_nobody}


# Checks of a stream.


def framehashes(path):
    """The hash of each decoded picture. Checks that ffmpeg decodes without warnings."""
    done = run(f"cat {path} | ffmpeg -v warning -i pipe: -map 0:v -f framemd5 -").ok()
    # flvmeta writes an event into the last second, and ffmpeg logs it.
    said = [line for line in done.stderr.splitlines() if line and "New data stream" not in line]
    check(not said, f"ffmpeg on {path}: {said}")
    return [line.split(",")[-1].strip() for line in done.stdout.splitlines() if line[:1] == "0"]


class Movie:
    def __init__(self, producer):
        needs("ffmpeg")
        PRODUCERS[producer]("movie.flv")
        self.scan = " index=scan" if producer == "nobody" else ""
        self.bytes = pathlib.Path("movie.flv").read_bytes()
        self.tags = tags_of(self.bytes)
        self.keys = {tag.begin: tag.begin for tag in self.tags if tag.key}
        if producer != "nobody":
            self.keys = self.listed()
        self.hashes = framehashes("movie.flv")
        self.seen = set()

    def pictures_from(self, position):
        return sum(tag.picture for tag in self.tags if tag.begin >= position)

    def start(self, properties, out="part.flv"):
        return run(f"gst-launch-1.0 filesrc location=movie.flv ! flvseek {properties}{self.scan} "
                   f"! filesink location={out}")

    def check_part(self, position, what, out="part.flv"):
        """Checks that it starts with the keyframe at `position`, and decodes like the file from
        there on."""
        part = pathlib.Path(out).read_bytes()
        tail = self.bytes[position:]
        check(part.endswith(tail) and part[:3] == b"FLV", f"{what}: not a head and the tail")
        if part in self.seen:
            return
        self.seen.add(part)
        expected = self.pictures_from(position)
        got = framehashes(out)
        check(got == self.hashes[-expected:], f"{what}: {len(got)} pictures, {expected} expected, "
              "or others than in the file")
        check_index(part, len(part) - len(tail), what)

    def listed(self):
        """The entries of the index, each with its keyframe. Some producers list the configuration
        before the keyframe; flvmux lists more audio tags than keyframes."""
        by_place = {tag.begin: tag for tag in self.tags}
        keys = [tag.begin for tag in self.tags if tag.key]
        listed = {}
        for position in map(int, index_of(self.tags)["filepositions"]):
            if by_place[position].configuration or by_place[position].key:
                meant = min(key for key in keys if key >= position)
                listed |= {position: meant, meant: meant}
        return listed

    def expected(self, offset, snap):
        if snap == "exact":
            return self.keys.get(offset)
        if snap == "next":
            return min((key for key in self.keys.values() if key >= offset), default=None)
        before = [key for key in self.keys.values() if key <= offset]
        return self.keys.get(offset, max(before, default=None))


def index_of(tags):
    return on_metadata(next(tag.data for tag in tags if tag.kind == SCRIPT))["keyframes"]


def check_index(part, head_size, what):
    """Checks all positions in the metadata."""
    tags = tags_of(part)
    by_place = {tag.begin: tag for tag in tags}
    metadata = [tag for tag in tags if tag.kind == SCRIPT]
    if not metadata:
        return
    check(metadata[0].begin == HEADER_SIZE and metadata[0].timestamp == 0, f"{what}: no metadata")
    members = on_metadata(metadata[0].data)
    check(members.get("filesize", len(part)) == len(part), f"{what}: filesize")
    if "keyframes" not in members:
        return
    positions = [int(position) for position in members["keyframes"]["filepositions"]]
    check(positions and positions[0] == head_size, f"{what}: the index starts at {positions[:1]}")
    check(len(positions) == len(members["keyframes"]["times"]), f"{what}: lengths")
    for position in positions:
        check(position in by_place and by_place[position].key, f"{what}: no key frame at {position}")
    check(members.get("lastkeyframelocation", positions[-1]) == positions[-1], f"{what}: the last")


def every_start(producer):
    """For each keyframe: its position, one byte less and one byte more."""
    movie = Movie(producer)
    check(len(movie.keys) >= (2 if producer == "flvmux" else 6), f"few: {movie.keys}")
    for key in sorted(movie.keys):
        for offset in (key - 1, key, key + 1):
            for snap in ("next", "previous", "exact"):
                what = f"offset={offset} snap={snap}"
                place = movie.expected(offset, snap)
                done = movie.start(what)
                if place is None:
                    check(done.status != 0 and str(offset) in done.stderr, f"{what}: no error")
                else:
                    done.ok()
                    movie.check_part(place, what)


for name in PRODUCERS:
    add_case(f"every-start-indexed-by-{name}", functools.partial(every_start, name))


def copy():
    return pathlib.Path("copy.flv").read_bytes()


def check_copy(position, stop=None):
    """copy.flv is a complete head and a part of the sample."""
    stream = SAMPLE.read_bytes()
    tail = stream[position:stop]
    check(copy().endswith(tail), "not the file's bytes")
    head = tags_of(copy()[:len(copy()) - len(tail)])
    check([tag.kind for tag in head] == [SCRIPT, VIDEO, AUDIO], f"in front: {head}")
    check_decodes("copy.flv", pictures(stream[:HEADER_SIZE] + tail))


def key_after(offset):
    return next(tag.begin for tag in tags_of(SAMPLE.read_bytes()) if tag.key and tag.begin >= offset)


def end_of_tag_before(offset):
    return next(tag.begin for tag in tags_of(SAMPLE.read_bytes()) if tag.begin >= offset)


@case
def seek_part_recipe():
    by_ffmpeg("movie.flv")
    run(recipe("seek-part")).ok()
    stop = end_of_tag_before(600000)
    check_copy(key_after(300000), stop)
    check_index(copy(), len(copy()) - (stop - key_after(300000)), "the part")


@case
def seek_part_can_be_sought_in():
    """ffmpeg can seek with the rewritten index."""
    movie = Movie("ffmpeg")
    movie.start(f"offset={sorted(movie.keys)[1]}").ok()
    for second in (4, 6, 8):
        done = run(f"ffmpeg -v warning -noaccurate_seek -ss {second - 2}.1 -i part.flv -map 0:v "
                   "-frames:v 1 -f framemd5 -").ok()
        first = [line.split(",")[-1].strip() for line in done.stdout.splitlines() if line[:1] == "0"]
        check(first == [movie.hashes[second * 25]], f"{second} s: another picture")


@case
def seek_time_recipe():
    by_ffmpeg("movie.flv")
    run(recipe("seek-time")).ok()
    tags = tags_of(copy())
    check(next(tag.timestamp for tag in tags if tag.media) == 0, "not from 0")
    check_decodes("copy.flv", 8 * 25)


@case
def seek_serve_recipe():
    by_ffmpeg("movie.flv")
    port = free_port()
    with background(recipe("tcp-listen", _5000=port)) as client:
        wait_for_port(port)
        run(recipe("seek-serve", _5000=port)).ok()
        finish(client).ok()
    check_decodes("copy.flv", pictures(SAMPLE.read_bytes()[:HEADER_SIZE]
                                       + SAMPLE.read_bytes()[key_after(300000):]))


@case
def seek_http_recipe():
    """One request for the start of the file, and one from near the place on."""
    needs_element("souphttpsrc")
    by_ffmpeg("movie.flv")
    port = free_port()
    place = key_after(700000)
    with nginx("events {} http { log_format asked '$status $http_range'; access_log log asked; "
               f"server {{ listen 127.0.0.1:{port}; root {pathlib.Path.cwd()}; }} }}", port):
        run(recipe("seek-http", _8080=port)).ok()
    check_copy(place)
    asked = pathlib.Path("log").read_text(encoding="utf-8").splitlines()
    check(len(asked) == 2 and asked[0].startswith("200"), f"requests: {asked}")
    begin = int(re.fullmatch(r"206 bytes=(\d+)-\d*", asked[1])[1])
    check(place - 65536 <= begin <= place, f"{place} was wanted, {begin} asked for")


@case
def seek_pseudostreaming_recipe():
    by_ffmpeg("movie.flv")
    front, back = free_port(), free_port()
    pathlib.Path("server.py").write_text(recipe("seek-pseudostreaming", _8081=back),
                                         encoding="utf-8")
    with background("exec python3 server.py"), nginx(
            recipe("seek-nginx", _8080=front, _8081=back), front):
        wait_for_port(back)
        run(f"curl -sS --fail -o copy.flv 'http://127.0.0.1:{front}/movie.flv?start=700000'").ok()
    check_copy(key_after(700000))


@case
def the_configuration_in_front_is_the_last_one():
    """The file has dozens of configurations."""
    source = MEDIA / "h264_speex_many_configs.flv"
    if not source.exists():
        raise Skip(f"no {source.name} in {MEDIA}")
    stream = source.read_bytes()
    tags = tags_of(stream)
    shutil.copyfile(source, "movie.flv")
    keys = [tag for tag in tags if tag.key]
    for key in keys[1::7]:
        before = [tag for tag in tags if tag.begin < key.begin]
        last = [next(tag for tag in reversed(before) if tag.configuration and tag.kind == kind)
                for kind in {tag.kind for tag in before if tag.configuration}]
        run(f"gst-launch-1.0 filesrc location=movie.flv ! flvseek offset={key.begin} index=scan "
            "! filesink location=copy.flv").ok()
        head = tags_of(copy()[:len(copy()) - (len(stream) - key.begin)])
        got = [tag.data for tag in head if tag.configuration]
        check(sorted(got) == sorted(tag.data for tag in last), f"at {key.begin}")


def from_an_hour(path, producer):
    """The sample with timestamps that start at an hour, and with the index of `producer`."""
    needs("ffmpeg")
    run(f"ffmpeg -y -v error -i {SAMPLE} -c copy -output_ts_offset 3600 "
        f"-flvflags add_keyframe_index {path}").ok()
    if producer == "ffmpeg":
        return
    needs(producer)
    shutil.move(path, "plain.flv")
    run(f"yamdi -i plain.flv -o {path}" if producer == "yamdi" else
        f"flvmeta --update plain.flv {path}").ok()


@case
def times_count_from_the_first_tag():
    """For any timestamps of the tags, and any time base of the producer's index."""
    for producer in ("ffmpeg", "yamdi", "flvmeta"):
        from_an_hour("movie.flv", producer)
        stream = pathlib.Path("movie.flv").read_bytes()
        tags = tags_of(stream)
        first = next(tag.timestamp for tag in tags if tag.media and not tag.configuration)
        check(first > 3_590_000, f"{producer}: the file begins at {first} ms")
        keys = [(tag.begin, tag.timestamp - first) for tag in tags if tag.key]
        for wanted in (1000, 5000, 9999):
            place = max(begin for begin, time in keys if time <= wanted)
            for index in ("metadata", "scan", "auto"):
                run(f"gst-launch-1.0 filesrc location=movie.flv ! flvseek start-time={wanted} "
                    f"snap=previous index={index} ! filesink location=copy.flv").ok()
                check(copy().endswith(stream[place:]) and
                      tags_of(copy())[-1].timestamp == tags[-1].timestamp and
                      sum(tag.key for tag in tags_of(copy())) ==
                      sum(begin >= place for begin, _ in keys),
                      f"{producer}, index={index}: not from the key frame at byte {place} on")


main()
