# SPDX-License-Identifier: LGPL-2.1-or-later
"""Common code of the tests of flvserve."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading

from flvfile import tags_of
from pipeline import SAMPLE, TIMEOUT, check, free_port, needs, run, wait_until

FLVSERVE = os.environ["FLV_SERVE"]


def movie(path="movie.flv"):
    shutil.copyfile(SAMPLE, path)
    return SAMPLE.read_bytes()


def converted(name, options="-c copy", rounds=1):
    """The sample in another container, `rounds` times."""
    needs("ffmpeg")
    run(f"ffmpeg -v error -y -stream_loop {rounds - 1} -i {SAMPLE} {options} {name}").ok()
    return name


def serve_once(arguments):
    """Runs a command line that ends."""
    return run(f"{FLVSERVE} {arguments}")


class Server:
    """A running flvserve. Its messages are collected."""

    def __init__(self, process, port):
        self.process = process
        self.port = port
        self.lines = []
        self._thread = threading.Thread(target=self._collect)
        self._thread.start()

    def _collect(self):
        for line in self.process.stderr:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))

    @property
    def text(self):
        return "\n".join(self.lines)

    def wait_for(self, text, count=1):
        wait_until(lambda: self.text.count(text) >= count, f"no “{text}” in:\n{self.text}")

    def wait_for_pattern(self, pattern):
        wait_until(lambda: re.search(pattern, self.text), f"no “{pattern}” in:\n{self.text}")

    def send(self, number):
        self.process.send_signal(number)

    def reload(self):
        """Waits until the configuration is loaded, or refused."""
        ends = re.compile("the configuration is loaded|stays in force")
        before = len(ends.findall(self.text))
        self.send(signal.SIGHUP)
        wait_until(lambda: len(ends.findall(self.text)) > before, f"no reload:\n{self.text}")
        return self.lines[-1]

    def wait(self, timeout=TIMEOUT):
        """Returns the exit status."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s:\n{self.text}") from None

    def end(self, number=signal.SIGTERM, timeout=20):
        self.send(number)
        status = self.wait(timeout)
        check(status == 0, f"exit status {status}\n{self.text}")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join()
        self.process.stderr.close()


@contextlib.contextmanager
def started(arguments, port, program=FLVSERVE, stdin=subprocess.DEVNULL, **options):
    """Waits until the server has printed its addresses."""
    process = subprocess.Popen([program, *arguments], stdin=stdin, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, **options)
    server = Server(process, port)
    try:
        wait_until(lambda: "flvserve: serving " in server.text or process.poll() is not None,
                   f"no address:\n{server.text}")
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def serving(*arguments, **options):
    """flvserve with a command line."""
    port = free_port()
    with started([f"--listen=127.0.0.1:{port}", *arguments], port, **options) as server:
        yield server


def write_config(text, port, name="flvserve.conf", server=""):
    pathlib.Path(name).write_text(f"[server]\nlisten=127.0.0.1:{port}\n{server}\n{text}",
                                  encoding="utf-8")


@contextlib.contextmanager
def configured(text, server="", **options):
    """flvserve with a configuration. `server`: further keys of [server]."""
    port = free_port()
    write_config(text, port, server=server)
    with started(["--config=flvserve.conf"], port, **options) as running:
        yield running


def span(stream):
    """The duration of the media in ms."""
    times = [tag.timestamp for tag in tags_of(stream) if tag.media]
    return times[-1] - times[0]
