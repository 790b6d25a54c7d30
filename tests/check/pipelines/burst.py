#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A burst passes sinks with their default properties, and the data after it arrives in real time.

The limits are wide: the test checks that it works, and the benchmarks measure how well.
"""

import json
import os
import socket

from flvfile import clip
from pipeline import (Skip, background, case, check, finish, free_port, main, needs_element, recipe,
                      run, wait_for_port)

BURST = 3000
PIPELINE = "gst-launch-1.0 -q filesrc location=movie.flv ! flvpace burst=3000"


def arrival(options=""):
    program = os.environ.get("FLV_ARRIVAL", "arrival")
    if not os.access(program, os.X_OK):
        raise Skip("arrival was not built")
    return f"'{program}' --json --quiet {options}"


def check_burst(done, stream):
    figures = json.loads(done.ok().stdout)
    check(figures["bytes"] == len(stream), f"{figures['bytes']} bytes of {len(stream)}")
    check(not any(figures["errors"].values()), f"errors: {figures['errors']}")
    check(figures["lead_ms"]["start"] > BURST - 500, f"no burst: {figures}")
    check(figures["lead_ms"]["minimum"] > BURST - 1000, f"the lead was lost: {figures}")
    # One second of the media remains to be paced.
    check(figures["lead_ms"]["median"] < BURST + 500, f"not held back: {figures}")
    check(figures["wall_seconds"] > 0.5, f"all at once: {figures}")


@case
def burst_through_fdsink():
    stream = clip(4)
    check_burst(run(f"{PIPELINE} ! fdsink | {arrival()}"), stream)


@case
def burst_through_a_synced_fdsink():
    stream = clip(4)
    check_burst(run(f"{PIPELINE} ! fdsink sync=true | {arrival()}"), stream)


@case
def burst_through_tcpserversink():
    stream = clip(4)
    port = free_port()
    server = recipe("tcp-serve-burst", _5000=port).replace("burst=2000 ", f"burst={BURST} ")
    with background(server):
        check_burst(run(arrival(f"--tcp 127.0.0.1:{port}")), stream)


@case
def burst_through_udpsink():
    needs_element("udpsink")
    stream = clip(4)
    port = free_port(socket.SOCK_DGRAM)
    with background(arrival(f"--udp {port} --idle-timeout 2")) as receiver:
        wait_for_port(port, "udp")
        run(f"{PIPELINE} mtu=1316 ! udpsink host=127.0.0.1 port={port}").ok()
        check_burst(finish(receiver), stream)


@case
def real_time_without_a_burst():
    clip(2)
    done = run(f"gst-launch-1.0 -q filesrc location=movie.flv ! flvpace ! fdsink | {arrival()}")
    figures = json.loads(done.ok().stdout)
    check(figures["wall_seconds"] > figures["media_seconds"] - 0.2, f"too fast: {figures}")


main()
