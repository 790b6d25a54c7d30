# SPDX-License-Identifier: LGPL-2.1-or-later
"""An FLV parser for the pipeline tests: simple, strict, and independent of the code under test."""

import pathlib
import subprocess
from dataclasses import dataclass

from pipeline import SAMPLE, check, needs

AUDIO, VIDEO, SCRIPT = 8, 9, 18
HEADER_SIZE = 13  # including PreviousTagSize0


@dataclass
class Tag:
    kind: int
    begin: int
    end: int  # after its PreviousTagSize, which a file's last tag may lack
    timestamp: int
    data: bytes

    @property
    def configuration(self):
        """A classic AVC or AAC sequence header, or an Enhanced sequence start."""
        first = self.data[0] if self.data else 0
        if self.kind == VIDEO:
            return first & 0x8F == 0x80 or (first & 0x8F == 7 and self.data[1] == 0)
        return self.kind == AUDIO and (first == 0x90 or (first >> 4 == 10 and self.data[1] == 0))

    @property
    def end_of_sequence(self):
        return self.kind == VIDEO and len(self.data) > 1 and (
            self.data[0] & 0x8F == 7 and self.data[1] == 2)

    @property
    def key(self):
        return (self.kind == VIDEO and self.data[0] & 0x70 == 0x10 and not self.configuration
                and not self.end_of_sequence)

    @property
    def picture(self):
        return self.kind == VIDEO and not self.configuration and not self.end_of_sequence

    @property
    def media(self):
        return self.kind in (AUDIO, VIDEO) and not self.configuration


def tags_of(stream):
    """The whole tags from the start of the stream. Requires a file header."""
    check(stream[:3] == b"FLV", f"no file header, but {stream[:16].hex()}")
    tags = []
    at = HEADER_SIZE
    while at + 11 <= len(stream) and stream[at] & 0x1F in (8, 9, 15, 18):
        data_end = at + 11 + int.from_bytes(stream[at + 1:at + 4], "big")
        end = data_end + 4
        if end > len(stream) >= data_end:
            end = data_end
        elif end > len(stream):
            break
        timestamp = int.from_bytes(stream[at + 4:at + 7], "big") | stream[at + 7] << 24
        tags.append(Tag(stream[at] & 0x1F, at, end, timestamp, stream[at + 11:data_end]))
        at = end
    return tags


def whole_part(stream):
    """The stream up to the end of the last whole tag."""
    tags = tags_of(stream)
    return stream[:tags[-1].end if tags else HEADER_SIZE]


def is_clean(stream):
    """Whether the timestamps have no step that counts as a discontinuity."""
    last = {}
    for tag in tags_of(stream):
        if tag.media:
            step = tag.timestamp - last.get(tag.kind, max(last.values(), default=tag.timestamp))
            if not -1000 <= step <= 10000:
                return False
            last[tag.kind] = tag.timestamp
    return True


def pictures(stream):
    return sum(tag.picture for tag in tags_of(stream))


def clip(seconds, path="movie.flv"):
    """The first seconds of the sample. An even number of seconds ends with a whole group of
    pictures."""
    needs("ffmpeg")
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", SAMPLE, "-frames:v",
                    str(round(seconds * 25)), "-c", "copy", path], check=True)
    return pathlib.Path(path).read_bytes()
