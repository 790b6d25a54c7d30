#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""INPUT of flvstream that is not FLV. It is converted, or the message names the format, and a
command that works."""

import gzip
import json
import os
import pathlib
import re

from commandline import FLVSTREAM, movie, read, stream, web_server
from flvfile import VIDEO, pictures, tags_of
from pipeline import (Skip, case, check, check_decodes, check_same, main, needs, needs_element,
                      recipe, run)


def refused(arguments, *words):
    """Returns the message of a command that fails, and the command after its last semicolon."""
    done = stream(arguments)
    check(done.status == 1, f"{arguments}: exit status {done.status}: {done.stderr}")
    check(done.stderr.count("\n") == 1, done.stderr)
    for word in words:
        check(word in done.stderr, f"{arguments}: no {word} in {done.stderr}")
    return done.stderr.rsplit("; ", 1)[-1].split(": ", 1)[-1].strip()


def paste(command, before=""):
    """Runs the command with a fast flvstream. Returns the output."""
    os.makedirs("bin", exist_ok=True)
    program = pathlib.Path("bin/flvstream")
    program.write_text(f'#!/bin/sh\nexec {FLVSTREAM} --no-pace "$@" copy.flv\n', encoding="ascii")
    program.chmod(0o755)
    run(f"PATH=$PWD/bin:$PATH; {before}{command}").ok()
    return read()


def encode(path, options):
    needs("ffmpeg")
    done = run(f"ffmpeg -v error -y -i movie.flv -t 2 {options} {path}")
    if done.status != 0:
        raise Skip(f"ffmpeg does not make {path}: {done.stderr}")


def converted(arguments, before=""):
    """The output of a command that converts its input to FLV."""
    done = run(f"{before}{FLVSTREAM} --no-pace {arguments} copy.flv").ok()
    check(not done.stderr, f"{arguments}: {done.stderr}")
    return read()


@case
def what_fits_is_copied():
    expected = movie()
    needs("ffmpeg")
    for name in ("a.mp4", "a.mov", "a.mkv", "a.ts"):
        run(f"ffmpeg -v error -y -i movie.flv -c copy {name}").ok()
        copy = converted(name)
        check(pictures(copy) == pictures(expected), f"{name}: {pictures(copy)} pictures")
        check_decodes("copy.flv")
    for name, options in (("a.mp3", "-c:a libmp3lame"), ("a.aac", "-c:a copy")):
        run(f"ffmpeg -v error -y -i movie.flv -vn {options} {name}").ok()
        check(sum(tag.media for tag in tags_of(converted(name))) > 100, name)
        check_decodes("copy.flv")


@case
def what_does_not_fit_is_encoded_again():
    movie()
    for name, options, codecs, expected in (
            ("b.mp4", "-c:v mpeg4 -c:a copy", ("MP4 with MPEG-4 and AAC", "carry MPEG-4"),
             "-c:v libx264 -c:a copy"),
            ("f.webm", "-c:v libvpx -c:a libvorbis", ("WebM with VP8 and Vorbis", "carry Vorbis"),
             "-c:v libx264 -c:a aac"),
            ("g.ts", "-c:v mpeg2video -c:a mp2", ("MPEG-2", "MPEG audio"),
             "-c:v libx264 -c:a aac")):
        encode(name, f"-strict -2 {options}")
        command = refused(f"{name} copy.flv", "but FLV cannot carry", *codecs)
        check(command == f"ffmpeg -i {name} {expected} -f flv - | flvstream -", command)
        check(pictures(paste(command)) > 40, f"{name}: too few pictures")
        check_decodes("copy.flv")


@case
def other_containers_are_encoded_again():
    movie()
    for name, options, container in (("a.avi", "-c:v mpeg4 -c:a ac3", "AVI"),
                                     ("a.wav", "-vn -c:a pcm_s16le", "WAV"),
                                     ("a.mpg", "-c:v mpeg2video -c:a mp2", "MPEG-PS")):
        encode(name, options)
        command = refused(f"{name} copy.flv", "Not an FLV file", container)
        check("-c:v libx264 -c:a aac" in command, command)


@case
def any_name_is_quoted():
    movie()
    encode("b.mp4", "-c:v mpeg4 -an")
    for name in ("a b.mp4", "it's.mp4", "12:30.mp4", "-x.mp4", "$HOME.mp4", "a&b.mp4"):
        os.link("b.mp4", name)
        path = name if not name.startswith("-") else f"./{name}"
        quoted = "'" + path.replace("'", "'\\''") + "'"
        check(pictures(paste(refused(f"{quoted} copy.flv", "MP4"))) > 0, name)
        os.unlink(name)


@case
def a_pipe_and_a_server_are_told_apart():
    movie()
    needs("ffmpeg", "curl")
    encode("b.mkv", "-c:v mpeg4 -c:a copy")
    command = refused("- copy.flv < b.mkv", "standard input", "Matroska with MPEG-4 and AAC")
    check(pictures(paste(command, "cat b.mkv | ")) > 0, command)
    with web_server() as web:
        command = refused(f"{web}/b.mkv copy.flv", "Matroska with MPEG-4 and AAC")
        check(pictures(paste(command)) > 0, command)


@case
def pipes_and_servers_are_converted():
    expected = pictures(movie())
    needs("ffmpeg")
    run("ffmpeg -v error -y -i movie.flv -c copy a.mkv").ok()
    run("ffmpeg -v error -y -i movie.flv -c copy -movflags faststart a.mp4").ok()
    run("ffmpeg -v error -y -i movie.flv -c copy a.ts").ok()
    with web_server() as web:
        for name in ("a.mkv", "a.mp4", "a.ts"):
            for arguments, before in (("-", f"cat {name} | "), (f"{web}/{name}", "")):
                count = pictures(converted(arguments, before))
                check(count == expected, f"{before}{arguments}: {count} pictures of {expected}")
                check_decodes("copy.flv")
    os.mkfifo("fifo")
    count = pictures(converted("fifo", "cat a.ts > fifo & "))
    check(count == expected, f"FIFO: {count} pictures of {expected}")


@case
def a_start_is_at_a_key_frame():
    movie()
    needs("ffmpeg")
    run("ffmpeg -v error -y -i movie.flv -c copy a.mp4").ok()
    for time, milliseconds, message in (("5", 4000, ""), ("0:04", 4000, ""),
                                        ("1:00:00", 10000, "no key frame at or after 1:00:00; "
                                         "starts at the last one, at 0:00:10")):
        for arguments, before in (("a.mp4", ""), ("-", "cat a.mp4 | ")):
            if before:
                run("ffmpeg -v error -y -i movie.flv -c copy -movflags faststart f.mp4").ok()
                before = "cat f.mp4 | "
            done = run(f"{before}{FLVSTREAM} --json --no-pace -s {time} {arguments} copy.flv").ok()
            told = json.loads(done.stdout)
            check(told["start_ms"] == milliseconds, f"-s {time}: {told}")
            check(message in done.stderr and bool(message) == bool(done.stderr), done.stderr)
            media = [tag for tag in tags_of(read()) if tag.media]
            check(next(tag for tag in media if tag.kind == VIDEO).key, "an inter frame first")
            check_decodes("copy.flv")


@case
def converted_input_is_paced():
    movie()
    needs("ffmpeg")
    run("ffmpeg -v error -y -i movie.flv -t 4 -c copy a.mp4").ok()
    told = json.loads(stream("--json -b 2s a.mp4 copy.flv").ok().stdout)
    check(told["seconds"] > 1.5, f"{told}")
    check(told["discontinuities"] == 0, f"{told}")


@case
def what_only_flv_has_is_refused():
    movie()
    needs("ffmpeg")
    run("ffmpeg -v error -y -i movie.flv -c copy a.mkv").ok()
    for arguments, option in (("-o 100k a.mkv", "--offset"), ("--loop a.mkv", "--loop"),
                              ("-s 5 --snap=exact a.mkv", "--snap"),
                              ("--index=scan a.mkv", "--index")):
        done = stream(f"{arguments} copy.flv")
        check(done.status == 1 and not os.path.exists("copy.flv"), arguments)
        check(done.stderr == f"flvstream: {option} needs FLV, but a.mkv is Matroska\n", done.stderr)
    done = run(f"cat a.mkv | {FLVSTREAM} -o 100k - copy.flv")
    check(done.status == 1 and not os.path.exists("copy.flv"), "from a pipe")
    check(done.stderr == "flvstream: --offset needs FLV, but standard input is Matroska\n",
          done.stderr)


@case
def compressed_files_are_unpacked():
    expected = movie()
    needs("gunzip", "curl")
    pathlib.Path("movie.flv.gz").write_bytes(gzip.compress(expected))
    with web_server() as web:
        for arguments, before in {"movie.flv.gz": "", "- < movie.flv.gz": "cat movie.flv.gz | ",
                                  f"{web}/movie.flv.gz": ""}.items():
            command = refused(arguments, "gzip")
            check_same(paste(command, before), expected, command)


@case
def pages_and_playlists_are_named():
    movie()
    with web_server() as web:
        for name, text, what in (("a.html", "<!DOCTYPE html><title>No</title>", "HTML"),
                                 ("b.html", "\n <html>", "HTML"),
                                 ("c.m3u8", "#EXTM3U\n#EXT-X-VERSION:3\n", "an M3U playlist")):
            pathlib.Path(name).write_text(text, encoding="ascii")
            for arguments in (name, f"{web}/{name}", f"- < {name}"):
                refused(arguments, what)


@case
def urls_are_told_the_way():
    movie()
    for arguments, line in {
            "movie.flv rtmp://127.0.0.1/live/a": "gst-launch-1.0 filesrc location=movie.flv ! flvpace "
                                                 "! rtmp2sink location=rtmp://127.0.0.1/live/a",
            "-h rtmp://127.0.0.1/live/a movie.flv":
                "gst-launch-1.0 filesrc location=movie.flv ! flvpace ! rtmp2sink "
                "location=rtmp://127.0.0.1/live/a",
            "- rtmps://127.0.0.1/live/a": "gst-launch-1.0 fdsrc ! flvpace ! rtmp2sink "
                                          "location=rtmps://127.0.0.1/live/a",
            "http://127.0.0.1/a.flv RTMP://127.0.0.1/live/a":
                "gst-launch-1.0 souphttpsrc location=http://127.0.0.1/a.flv ! flvpace ! rtmp2sink "
                "location=RTMP://127.0.0.1/live/a",
            "rtmp://127.0.0.1/live/a": "gst-launch-1.0 -q rtmp2src "
                                       "location=rtmp://127.0.0.1/live/a ! fdsink | "
                                       "flvstream --no-pace -",
            "movie.flv tcp://127.0.0.1:5000": "--host=127.0.0.1:5000",
            "movie.flv udp://127.0.0.1:5000": "--udp --host=127.0.0.1:5000",
            "-h tcp://127.0.0.1:5000 movie.flv": "--host=127.0.0.1:5000",
            "movie.flv http://127.0.0.1/a.flv": "--http=PORT",
            "movie.flv file:///tmp/a.flv": "/tmp/a.flv", "file:///tmp/a.flv": "/tmp/a.flv"}.items():
        done = stream(arguments)
        check(done.status == 2, f"{arguments}: exit status {done.status}")
        check(done.stderr.endswith(f": {line}\n") and done.stderr.count("\n") == 1, done.stderr)
    for arguments in ("srt://a", "movie.flv srt://a"):
        check(stream(arguments).stderr.endswith("; see flvstream --help\n"), arguments)


@case
def the_launch_lines_for_rtmp_have_elements():
    """rtmp.py uses the same elements for streams."""
    needs_element("rtmp2sink", "rtmp2src")
    movie()
    said = stream("movie.flv rtmp://127.0.0.1:1935/live/movie").stderr
    line = re.search("gst-launch-1.0 .*", said)[0]
    check(line == recipe("rtmp-send").strip(), line)


main()
