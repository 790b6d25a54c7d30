#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors of the remux bin name the codec and the container."""

import pathlib

import remux_media
from pipeline import case, check, main, needs, run
from remuxing import REMUXER, check_decodes, packets, remux


def fails(source, output, *words, before="", name=None):
    done = run(f"{before}{REMUXER} {name or source} {output}")
    check(done.status == 1, f"{source} to {output}: exit status {done.status}: {done.stderr}")
    check("CRITICAL" not in done.stderr, done.stderr)
    for word in words:
        check(word in done.stderr, f"{source} to {output}: no {word} in {done.stderr}")
    return done.stderr


def make(path, options):
    needs("ffmpeg")
    run(f"ffmpeg -nostdin -v error -y {options} {path}").ok()
    return path


@case
def codecs_that_do_not_fit_are_named():
    for name, extension, codec, container in (
            ("h264-b.mp4", "webm", "H.264", "WebM"), ("h264-b.mp4", "ogg", "H.264", "Ogg"),
            ("h264-b.flv", "mp3", "H.264", "MP3"), ("adts.aac", "mp3", "AAC", "MP3"),
            ("vorbis.ogg", "flv", "Vorbis", "FLV"), ("vorbis.ogg", "ts", "Vorbis", "MPEG-TS"),
            ("vp9.webm", "ts", "VP9", "MPEG-TS"), ("av1.webm", "ts", "AV1", "MPEG-TS"),
            ("hevc.mkv", "webm", "HEVC", "WebM")):
        said = fails(remux_media.path_of(name), f"out.{extension}",
                     f"complaint: {container} cannot carry {codec}",
                     f"error: {container} cannot carry {codec}")
        check(said.count("complaint") == 1, said)


@case
def other_codecs_are_named():
    for path, options, codec in (
            ("a.mkv", "-c:v mpeg2video", "MPEG-2"), ("a.mp4", "-c:v mpeg4", "MPEG-4"),
            ("a.mov", "-c:v prores", "ProRes"), ("b.mkv", "-c:v libtheora", "Theora"),
            ("b.mov", "-vn -c:a pcm_s16le", "PCM"), ("b.flv", "-c:v flv1", "Sorenson"),
            ("c.flv", "-vn -c:a pcm_s16le -ar 44100", "PCM")):
        source = make(path, f"{remux_media.BOTH} -t 1 {options}")
        fails(source, "out.ts", f"MPEG-TS cannot carry {codec}")


@case
def a_codec_that_only_the_parser_knows_is_named():
    source = make("mp2.ts", f"{remux_media.SOUND} -t 1 -c:a mp2")
    fails(source, "out.flv", "complaint: FLV cannot carry MP2", "error: FLV cannot carry MP2")
    remux(source, "out.mkv")
    check_decodes("out.mkv")


@case
def other_input_is_named():
    make("a.avi", f"{remux_media.PICTURES} -t 1 -c:v mpeg4")
    make("a.wav", f"{remux_media.SOUND} -t 1")
    pathlib.Path("a.html").write_text("<!DOCTYPE html><html>" + 100 * "text ", encoding="ascii")
    pathlib.Path("zeros").write_bytes(bytes(100_000))
    pathlib.Path("empty").write_bytes(b"")
    pathlib.Path("text.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nText\n", encoding="ascii")
    make("text.mkv", "-i text.srt -c:s srt")
    fails("a.avi", "out.flv", "AVI")
    fails("a.wav", "out.flv", "WAV")
    fails("a.html", "out.flv", "HTML")
    for name in ("zeros", "empty", "text.mkv"):
        fails(name, "out.flv", "error: ")


@case
def an_index_at_the_end_of_a_pipe_is_an_error():
    """qtdemux holds some MB of media before the index, and not more."""
    source = remux_media.path_of("h264-b.mp4")
    content = source.read_bytes()
    at = content.index(b"mdat") - 4
    size = int.from_bytes(content[at:at + 4], "big")
    padding = 200 << 20
    with open("large.mp4", "wb") as file:
        file.write(content[:at] + (size + padding).to_bytes(4, "big") + content[at + 4:at + size])
        file.truncate(at + size + padding)
        file.seek(0, 2)
        file.write(content[at + size:])
    remux("large.mp4", "out.mkv")
    check_decodes("out.mkv")
    fails("large.mp4", "pipe.mkv", "error: ", before="cat large.mp4 | ", name="-")


@case
def a_second_track_is_left_out():
    source = make("two.mkv", f"-i {remux_media.path_of('h264-b.mp4')} -map 0 -map 0:a -c copy")
    done = remux(source, "out.flv")
    check("warning: FLV has one audio track" in done.stdout, done.stdout)
    check(len(packets("out.flv")["audio"]) == len(packets(source)["audio"]) / 2, "both tracks")
    for extension in ("mkv", "ts"):
        remux(source, f"out.{extension}")
        check(packets(f"out.{extension}")["audio"][:2] != packets("out.flv")["audio"][:2],
              "one track")


@case
def damaged_files_do_not_crash():
    for name in ("h264-b.mp4", "h264-b.mkv", "h264-b.ts", "h264-b.flv", "cbr.mp3", "opus.ogg"):
        content = bytearray(remux_media.path_of(name).read_bytes())
        for at in range(2000, len(content), 3001):
            content[at] ^= 0xA5
        pathlib.Path("damaged").write_bytes(content)
        pathlib.Path("short").write_bytes(content[:len(content) // 2])
        for path in ("damaged", "short"):
            for extension in ("mkv", "ts", "flv"):
                done = run(f"{REMUXER} {path} out.{extension}")
                check(done.status in (0, 1) and "CRITICAL" not in done.stderr,
                      f"{path} of {name}: {done.status}: {done.stderr}")


main()
