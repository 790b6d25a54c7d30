#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ctrl-C and SIGTERM end flvstream."""

import json
import os
import pathlib
import signal
import subprocess
import time

from commandline import FLVSTREAM, movie, read
from flvfile import tags_of
from pipeline import background, case, check, finish, free_port, main, wait_until


@case
def interrupted_it_ends_with_a_whole_tag():
    movie()
    for which in (signal.SIGINT, signal.SIGTERM):
        path = pathlib.Path("copy.flv")
        path.unlink(missing_ok=True)
        with background(f"exec {FLVSTREAM} --json movie.flv copy.flv") as sender:
            wait_until(lambda: path.exists() and path.stat().st_size > 30000, "nothing")
            sender.send_signal(which)
            done = finish(sender).ok()
        check(json.loads(done.stdout)["result"] == "stopped", done.stdout)
        check(tags_of(read())[-1].end == len(read()), "it ends inside a tag")


def hold_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


@case
def interrupted_at_once_it_ends_well():
    """The signal is pending before the program starts."""
    movie()
    for which in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen([FLVSTREAM, "--json", "movie.flv", "copy.flv"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, preexec_fn=hold_signals) as sender:
            sender.send_signal(which)
            told, said = sender.communicate(timeout=10)
        check(sender.returncode == 0 and not said, f"exit status {sender.returncode}: {said}")
        check(json.loads(told)["result"] == "stopped", told)


@case
def interrupted_while_it_waits_it_ends():
    """The program waits for a writer or reader of a FIFO, or for a client."""
    movie()
    os.mkfifo("fifo")
    for arguments in ("movie.flv fifo", "fifo copy.flv", f"-l -h 127.0.0.1:{free_port()} movie.flv"):
        with background(f"exec {FLVSTREAM} {arguments}") as sender:
            time.sleep(1)
            begin = time.monotonic()
            sender.send_signal(signal.SIGINT)
            finish(sender, timeout=5).ok()
            seconds = time.monotonic() - begin
            check(seconds < 2.5, f"{arguments}: it took {seconds:.1f} s")


main()
