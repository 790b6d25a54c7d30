#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvserve: the extension of a path selects the container. Clients that join late decode it.

serve_containers.py [files | codecs | streams]: one part of the cases.
"""

import functools
import os
import subprocess
import sys
import time

from flvfile import clip
from http_client import ask, get, stream_of
from pipeline import add_case, check, free_port, main, needs, run, wait_until
from serverprocess import configured, converted, movie, serve_once, serving

VP8 = "-vf scale=160:-2 -c:v libvpx -threads 1 -b:v 100k -deadline realtime -cpu-used 8 -g 50"
# Inputs with H.264 and AAC, in each container.
TYPICAL = {"flv": "-c copy", "mp4": "-c copy", "mov": "-c copy", "mkv": "-c copy", "ts": "-c copy"}
# File, options of ffmpeg, container, codecs.
OTHERS = (
    ("m.webm", f"{VP8} -c:a libopus", "webm", "vp8 opus"),
    ("m.webm", f"{VP8} -c:a libopus", "mkv", "vp8 opus"),
    ("m.mp3", "-vn -c:a libmp3lame", "mp3", "mp3"),
    ("m.mp3", "-vn -c:a libmp3lame", "flv", "mp3"),
    ("m.flv", "-vn -c:a libmp3lame", "mp3", "mp3"),
    ("m.ogg", "-vn -c:a libopus", "ogg", "opus"),
    ("m.ogg", "-vn -c:a libopus", "webm", "opus"),
    ("m.aac", "-vn -c:a copy", "flv", "aac"),
    ("m.flv", "-an -c:v copy", "ts", "h264"),
    ("m.mkv", "-an -c:v copy", "flv", "h264"),
)


PART = sys.argv[1] if len(sys.argv) > 1 else None


def add(part, name, function):
    if PART in (None, part):
        add_case(name, function)


def codecs(file):
    told = run(f"ffprobe -v error -show_entries stream=codec_name -of csv=p=0 {file}").ok().stdout
    return sorted(set(told.split()))


def check_joined(url, expected, seconds=2, file="joined.mkv"):
    """A player that joins now gets a stream that decodes without a message."""
    needs("ffmpeg", "ffprobe")
    done = run(f"ffmpeg -v error -t {seconds} -i {url} -map 0 -c copy -y {file}").ok()
    check(not done.stderr, f"ffmpeg on {url}: {done.stderr}")
    check(codecs(file) == sorted(expected.split()), f"{url}: {codecs('joined.mkv')}")
    done = run(f"ffmpeg -v error -xerror -i {file} -enc_time_base:v 1:1000 -f null -").ok()
    check(not done.stderr, f"ffmpeg on what {url} sent: {done.stderr}")
    told = run("ffprobe -v error -count_packets -show_entries stream=codec_type,nb_read_packets "
               f"-of csv=p=0 {file}").ok().stdout
    counts = dict(line.split(",")[:2] for line in told.split())
    check(int(counts.get("video", 1000)) >= 20 * seconds, f"{url}: {counts}")
    check(int(counts.get("audio", 1000)) >= 20 * seconds, f"{url}: {counts}")


def wait_for_stream(port, path):
    wait_until(lambda: ask(port, "HEAD", path).status == 200, f"no {path}")


def every_container_of(extension):
    """The same file in all containers that carry its codecs, joined two seconds later."""
    name = converted(f"m.{extension}", TYPICAL[extension], rounds=3)
    containers = ("flv", "mkv", "ts")
    with configured("".join(f"[mount /{each}.{each}]\nuris={name}\n" for each in containers)) as server:
        first = stream_of(server.port, "/flv.flv")
        first.read_pictures(50)
        first.close()
        for each in containers:
            check_joined(f"http://127.0.0.1:{server.port}/{each}.{each}", "h264 aac")
        server.end()


for _name in TYPICAL:
    add("files", f"from-{_name}", functools.partial(every_container_of, _name))


def other_codecs(name, options, container, expected):
    converted(name, options, rounds=2)
    with configured(f"[mount /a.{container}]\nuris={name}\n") as server:
        time.sleep(1)  # the client joins late
        check_joined(f"http://127.0.0.1:{server.port}/a.{container}", expected)
        server.end()


for _name, _options, _container, _codecs in OTHERS:
    add("codecs", f"{_codecs.replace(' ', '-')}-from-{_name[2:]}-to-{_container}",
        functools.partial(other_codecs, _name, _options, _container, _codecs))


def stream_case(function):
    add("streams", function.__name__.replace("_", "-"), function)
    return function


@stream_case
def content_types():
    name = converted("m.flv", "-vn -c:a libmp3lame")
    types = {"flv": "video/x-flv", "mkv": ("video/x-matroska", "audio/x-matroska"),
             "ts": "video/mp2t", "mp3": "audio/mpeg"}
    with configured("".join(f"[mount /a.{each}]\nuris={name}\n" for each in types)) as server:
        for each, expected in types.items():
            response = stream_of(server.port, f"/a.{each}")
            check(response.headers["content-type"] in expected, f"{each}: {response.headers}")
            response.close()
        server.end()


@stream_case
def the_container_of_the_command_line():
    converted("m.mkv")
    converted("m.mp4")
    for name, path, container in (("m.mkv", "/m.mkv", "matroska,webm"), ("m.mp4", "/m.flv", "flv")):
        with serving(name) as server:
            check(server.lines[0].endswith(path), server.text)
            told = run("ffprobe -v error -show_entries format=format_name -of csv=p=0 "
                       f"http://127.0.0.1:{server.port}{path}").ok().stdout
            check(told.strip('" \n') == container, told)
            server.end()


@stream_case
def other_containers_are_paced():
    """In the real time of their media, and with the burst at once."""
    converted("m.mkv", "-t 4 -c copy")
    for container in ("mkv", "ts", "flv"):
        with configured(f"[mount /a.{container}]\nuris=m.mkv\nburst=1000\n") as server:
            begin = time.monotonic()
            stream_of(server.port, f"/a.{container}").read_all()
            seconds = time.monotonic() - begin
            server.wait_for("the source has ended")
            server.end()
        check(2 < seconds < 6, f"{container}: {seconds:.1f} s")


@stream_case
def a_live_encoder_in_another_container():
    movie()
    with subprocess.Popen(["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", "movie.flv",
                           "-c", "copy", "-f", "mpegts", "-"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as source:
        with serving("-", stdin=source.stdout) as server:
            source.stdout.close()
            first = stream_of(server.port, "/live.flv")
            first.read_pictures(30)
            check_joined(f"http://127.0.0.1:{server.port}/live.flv", "h264 aac")
            first.close()
            server.end()
        source.kill()


@stream_case
def a_mount_in_several_containers():
    """One source, which is read once."""
    movie()
    with configured("[mount /a.flv]\nuris=movie.flv\nloop=true\n[mount /a.mkv]\nfrom=/a.flv\n"
                    "[mount /a.ts]\nfrom=/a.flv\n[mount /b.flv]\nfrom=/a.ts\n") as server:
        first = stream_of(server.port, "/a.flv")
        first.read_pictures(60)
        for path in ("/a.mkv", "/a.ts", "/b.flv", "/a.flv"):
            wait_for_stream(server.port, path)
            check_joined(f"http://127.0.0.1:{server.port}{path}", "h264 aac")
        first.close()
        server.end()


@stream_case
def a_pipeline_with_a_muxer():
    with configured("[mount /a.webm]\nlaunch=videotestsrc is-live=true ! video/x-raw,width=160,"
                    "height=120,framerate=25/1 ! vp8enc deadline=1 keyframe-max-dist=25 ! webmmux "
                    "streamable=true\n[mount /a.mkv]\nfrom=/a.webm\n") as server:
        first = stream_of(server.port, "/a.webm")
        first.read(20000)
        for path in ("/a.webm", "/a.mkv"):
            check_joined(f"http://127.0.0.1:{server.port}{path}", "vp8")
        first.close()
        server.end()


@stream_case
def files_in_other_containers_are_repeated():
    clip(2)
    run("ffmpeg -v error -i movie.flv -c copy m.mkv -c copy m.mp4").ok()
    with configured("[mount /a.mkv]\nuris=m.mkv\nloop=true\n"
                    "[mount /a.flv]\nuris=m.mp4\nloop=true\n") as server:
        # ffmpeg's Matroska muxer damages its file when FLV repeats a decoder configuration.
        for path, file in (("/a.mkv", "joined.mkv"), ("/a.flv", "joined.flv")):
            check_joined(f"http://127.0.0.1:{server.port}{path}", "h264 aac", seconds=5, file=file)
        server.end()


@stream_case
def a_codec_that_does_not_fit():
    """The message names the codec and the container."""
    converted("m.webm", f"-t 1 {VP8} -c:a libopus")
    converted("m.mkv", "-t 1 -c copy")
    converted("m.ogg", "-t 1 -vn -c:a libvorbis")
    for name, container, codec, format_name in (
            ("m.ogg", "flv", "Vorbis", "FLV"), ("m.webm", "ts", "VP8", "MPEG-TS"),
            ("m.mkv", "webm", "H.264", "WebM"), ("m.mkv", "ogg", "H.264", "Ogg"),
            ("m.mkv", "mp3", "H.264", "MP3")):
        with configured(f"[mount /a.{container}]\nuris={name}\nwait-timeout=100\n") as server:
            server.wait_for_pattern(rf"\[mount /a\.{container}\]: .*{codec}.*{format_name}|"
                                    rf"\[mount /a\.{container}\]: .*{format_name}.*{codec}")
            check(get(server.port, f"/a.{container}").status == 503, "it serves something")
            server.end()
    converted("m.mka", "-t 1 -vn -c:a libvorbis")
    os.rename("m.mka", "m.mp4")
    done = serve_once(f"--listen={free_port()} m.mp4")
    check(done.status == 1 and "Vorbis" in done.stderr and "FLV" in done.stderr, done.stderr)


main()
