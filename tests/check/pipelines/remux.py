#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The remux bin: each input in each container that fits. ffmpeg decodes every picture without a
message. The numbers of packets and their times are those of the input.

The argument selects the inputs by their group. No plugin with decoders is installed here."""

import functools
import sys

import remux_media
from pipeline import add_case, main
from remux_media import CARRIES, INPUTS, VIDEO
from remuxing import check_decodes, check_times, readable, remux

GROUP = sys.argv[1]


def convert(one, extension):
    source = remux_media.path_of(one.name)
    output = f"out.{extension}"
    remux(source, output)
    result = readable(output, one.codecs)
    check_decodes(result)
    check_times(source, result, one.codecs, f"{one.name} in {extension}")


for each in INPUTS:
    if each.group != GROUP:
        continue
    for container, carried in CARRIES.items():
        is_audio_only = container in ("ogg", "mp3")
        if set(each.codecs) <= carried and not (is_audio_only and VIDEO & set(each.codecs)):
            add_case(f"{each.name}-in-{container}", functools.partial(convert, each, container))

main()
