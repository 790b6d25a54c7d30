# SPDX-License-Identifier: LGPL-2.1-or-later
"""Inputs for the tests of the remux bin. ffmpeg and GStreamer's muxers make them once; they stay in
the build directory."""

import hashlib
import os
import pathlib
import shutil
from typing import NamedTuple

from pipeline import Skip, check, needs, needs_element, run

CACHE = pathlib.Path(os.environ["FLV_BUILD"]) / "remux-media"
SECONDS = 3

PICTURES = f"-f lavfi -i testsrc2=size=160x120:rate=25:duration={SECONDS}"
SOUND = f"-f lavfi -i sine=f=440:sample_rate=48000:duration={SECONDS}"
X264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 25"
X265 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -g 25 -x265-params log-level=none"
AAC = "-c:a aac -b:a 64k"
BOTH = f"{PICTURES} {SOUND}"
OPUS = "-c:a libopus -b:a 48k"

H264_B = f"{BOTH} {X264} -bf 3 {AAC}"
HEVC_B = f"{BOTH} {X265}:bframes=3 {AAC}"
VP9 = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 100k -g 25"
AV1 = "-c:v libaom-av1 -cpu-used 8 -usage realtime -b:v 100k -g 25"
# The same encoded tracks in another container.
COPY = "-i {h264-b.mkv} -c copy"


class Input(NamedTuple):
    name: str
    command: str  # the options of ffmpeg before the name; or a pipeline of gst-launch-1.0
    codecs: tuple
    group: str

    @property
    def is_pipeline(self):
        return " ! " in self.command


def _row(group, name, codecs, command):
    return Input(name, command, tuple(codecs.split()), group)


INPUTS = [
    _row("mp4", "h264-b.mp4", "H.264 AAC", H264_B),
    _row("mp4", "h264.mp4", "H.264 AAC", f"{BOTH} {X264} -bf 0 {AAC}"),
    _row("mp4", "faststart.mp4", "H.264 AAC", f"{H264_B} -movflags faststart"),
    _row("mp4", "fragmented.mp4", "H.264 AAC", f"{H264_B} -movflags frag_keyframe+empty_moov"),
    _row("mp4", "dash.mp4", "H.264 AAC",
         f"{COPY} -movflags frag_keyframe+empty_moov+default_base_moof+delay_moov"),
    _row("mp4", "edit.mp4", "H.264 AAC", "-ss 1.28 -i {h264-b.mp4} -c copy"),
    _row("mp4", "late-sound.mp4", "H.264 AAC",
         f"{PICTURES} -itsoffset 0.7 {SOUND} {X264} -bf 2 {AAC}"),
    _row("mp4", "late-pictures.mp4", "H.264 AAC",
         f"-itsoffset 0.7 {PICTURES} {SOUND} {X264} -bf 2 {AAC}"),
    _row("mp4", "rotated.mp4", "H.264 AAC", "-i {h264-b.mp4} -c copy -metadata:s:v rotate=90"),
    _row("mp4", "vfr.mp4", "H.264 AAC",
         f"{BOTH} -vf select='not(eq(mod(n\\,7)\\,3))' -vsync vfr {X264} -bf 2 {AAC}"),
    _row("mp4", "negative-offsets.mp4", "H.264 AAC",
         "-i {h264-b.mp4} -c copy -movflags negative_cts_offsets"),
    _row("mp4", "quicktime.mov", "H.264 AAC", COPY),
    _row("mp4", "video.mp4", "H.264", f"{PICTURES} {X264} -bf 3"),
    _row("mp4", "audio.m4a", "AAC", f"{SOUND} {AAC}"),
    _row("mp4", "gst.mp4", "H.264 AAC",
         "filesrc location={h264-b.ts} ! tsdemux name=d d. ! queue ! h264parse ! mp4mux name=m ! "
         "filesink location=OUT d. ! queue ! aacparse ! m."),
    _row("mkv", "h264-b.mkv", "H.264 AAC", H264_B),
    _row("mkv", "open-gop.mkv", "H.264 AAC", f"{BOTH} {X264} -bf 3 -x264-params open-gop=1 {AAC}"),
    _row("mkv", "vfr.mkv", "H.264 AAC", "-i {vfr.mp4} -c copy"),
    _row("mkv", "opus.mkv", "H.264 Opus", f"{BOTH} {X264} -bf 2 {OPUS}"),
    _row("mkv", "flac.mkv", "H.264 FLAC", f"{BOTH} {X264} -c:a flac"),
    _row("mkv", "live.mkv", "H.264 AAC", "-i {h264-b.mkv} -c copy -f matroska -live 1"),
    _row("mkv", "gst.mkv", "H.264 AAC",
         "filesrc location={h264-b.mp4} ! qtdemux name=d d. ! queue ! h264parse ! matroskamux name=m ! "
         "filesink location=OUT d. ! queue ! aacparse ! m."),
    _row("mkv", "vp9.webm", "VP9 Opus", f"{BOTH} {VP9} {OPUS}"),
    _row("mkv", "vp8.webm", "VP8 Vorbis",
         f"{BOTH} -c:v libvpx -deadline realtime -cpu-used 8 -b:v 100k -g 25 -c:a libvorbis"),
    _row("mkv", "av1.webm", "AV1 Opus", f"{BOTH} {AV1} {OPUS}"),
    _row("ts", "h264-b.ts", "H.264 AAC", COPY),
    _row("ts", "late.ts", "H.264 AAC", f"{COPY} -output_ts_offset 40000"),
    _row("ts", "interlaced.ts", "H.264 AAC",
         f"{BOTH} {X264} -flags +ildct+ilme -x264-params tff=1 -bf 2 {AAC}"),
    _row("ts", "mp3.ts", "H.264 MP3", f"{BOTH} {X264} -bf 2 -c:a libmp3lame"),
    _row("ts", "ac3.ts", "H.264 AC-3", f"{BOTH} {X264} -bf 2 -c:a ac3"),
    _row("ts", "gst.ts", "H.264 AAC",
         "filesrc location={h264-b.mp4} ! qtdemux name=d d. ! queue ! h264parse ! mpegtsmux name=m ! "
         "filesink location=OUT d. ! queue ! aacparse ! m."),
    _row("ts", "h264-b.flv", "H.264 AAC", COPY),
    _row("ts", "gst.flv", "H.264 AAC",
         "filesrc location={h264.mp4} ! qtdemux name=d d. ! queue ! h264parse ! flvmux name=m ! "
         "filesink location=OUT d. ! queue ! aacparse ! m."),
    _row("codecs", "hevc.mp4", "HEVC AAC", f"{HEVC_B} -tag:v hvc1"),
    _row("codecs", "hev1.mp4", "HEVC AAC", "-i {hevc.mp4} -c copy -tag:v hev1"),
    _row("codecs", "hevc.mkv", "HEVC AAC", "-i {hevc.mp4} -c copy"),
    _row("codecs", "hevc.ts", "HEVC AAC", "-i {hevc.mp4} -c copy"),
    _row("codecs", "av1.mp4", "AV1 Opus", "-i {av1.webm} -c copy -strict -2"),
    _row("codecs", "vp9.mp4", "VP9 Opus", "-i {vp9.webm} -c copy -strict -2"),
    _row("codecs", "eac3.mp4", "H.264 E-AC-3", f"{BOTH} {X264} -c:a eac3"),
    _row("audio", "surround.mp4", "H.264 AAC", f"{BOTH} {X264} -bf 2 -ac 6 {AAC}"),
    _row("audio", "mp3.mp4", "H.264 MP3", f"{BOTH} {X264} -bf 2 -c:a libmp3lame"),
    _row("audio", "mp3.mkv", "H.264 MP3", "-i {mp3.mp4} -c copy"),
    _row("audio", "cbr.mp3", "MP3", f"{SOUND} -c:a libmp3lame -b:a 64k"),
    _row("audio", "tagged.mp3", "MP3",
         f"{SOUND} -c:a libmp3lame -q:a 5 -metadata title=Title -id3v2_version 3"),
    _row("audio", "low.mp3", "MP3", f"{SOUND} -c:a libmp3lame -ar 22050 -write_xing 0"),
    _row("audio", "adts.aac", "AAC", f"{SOUND} {AAC}"),
    _row("audio", "opus.ogg", "Opus", f"{SOUND} {OPUS}"),
    _row("audio", "vorbis.ogg", "Vorbis", f"{SOUND} -c:a libvorbis"),
    _row("audio", "flac.ogg", "FLAC", f"{SOUND} -c:a flac"),
]

# What the writers carry.
CARRIES = {
    "flv": {"H.264", "HEVC", "AV1", "VP8", "VP9", "AAC", "MP3", "Opus", "FLAC", "AC-3", "E-AC-3"},
    "mkv": {"H.264", "HEVC", "AV1", "VP8", "VP9", "AAC", "MP3", "Opus", "Vorbis", "FLAC", "AC-3",
            "E-AC-3"},
    "webm": {"VP8", "VP9", "AV1", "Opus", "Vorbis"},
    "ts": {"H.264", "HEVC", "AAC", "MP3", "Opus", "AC-3", "E-AC-3"},
    "ogg": {"Opus", "Vorbis", "FLAC"},
    "mp3": {"MP3"},
}
VIDEO = {"H.264", "HEVC", "AV1", "VP8", "VP9"}


def find(name):
    return next(one for one in INPUTS if one.name == name)


def _filled(command):
    """The command with a path in place of each {name}."""
    while (begin := command.find("{")) >= 0:
        end = command.index("}", begin)
        command = command[:begin] + str(path_of(command[begin + 1:end])) + command[end + 1:]
    return command


def path_of(name):
    """The path of an input. Makes it if it does not exist."""
    one = find(name)
    key = hashlib.sha256(one.command.encode()).hexdigest()[:12]
    path = CACHE / key / name
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{os.getpid()}-{name}")
    command = _filled(one.command)
    if one.is_pipeline:
        needs_element("qtdemux", "tsdemux", "h264parse", "mp4mux", "matroskamux", "mpegtsmux",
                      "flvmux")
        done = run(f"timeout 20 gst-launch-1.0 -q {command.replace('OUT', str(part))}")
    else:
        needs("ffmpeg")
        done = run(f"ffmpeg -nostdin -v error -y {command} {part}")
        if "Unknown encoder" in done.stderr:
            raise Skip(f"ffmpeg does not make {name}: {done.stderr}")
    check(done.status == 0, f"{name}: {done.stderr}")
    shutil.move(part, path)
    return path
