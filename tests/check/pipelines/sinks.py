# SPDX-License-Identifier: LGPL-2.1-or-later
"""Launch lines that end with sinks with sync=true, and the data that the sinks receive."""

import os
import re
from typing import NamedTuple

from pipeline import check, needs_element, run

DECODERS = ("flvdemux name=d "
            "d.video ! queue ! h264parse ! avdec_h264 ! fakesink name=video sync=true "
            "d.audio ! queue ! aacparse ! avdec_aac ! fakesink name=audio sync=true")
DECODEBIN = ("decodebin name=d "
             "d. ! queue ! videoconvert ! fakesink name=video sync=true "
             "d. ! queue ! audioconvert ! fakesink name=audio sync=true")


class Got(NamedTuple):
    """The data of a sink; times in ms."""
    buffers: int
    first: int  # running time
    latest: int
    last_late: int


def frames_at(line):
    """Runs the line to its end. Returns the data of each sink by its name."""
    needs_element(*(word for word in line.split() if re.fullmatch(r"[a-z]\w+", word)))
    command = f"{os.environ['FLV_SINKMETER']} 20 '{line}'"
    done = run(command)
    # In 1 of 480 runs mp4mux in splitmuxsink crashes: gst_qt_mux_can_renegotiate() reads caps in
    # the upstream thread while the muxing thread replaces them.
    if "splitmuxsink" in line and not 0 <= done.status <= 128:
        print(f"again: exit status {done.status}")
        done = run(command)
    check(done.status == 0, f"exit status {done.status}: {done.stdout}{done.stderr}")
    return {name: Got(*map(int, values))
            for name, *values in (text.split() for text in done.stdout.splitlines())}
