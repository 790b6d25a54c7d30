# SPDX-License-Identifier: LGPL-2.1-or-later
"""Common code of the pipeline tests: cases, recipes, processes, ports.

A case is a function marked with @case. It runs in a separate empty directory and prints one line:
PASS: name, FAIL: name: why, or SKIP: name: why.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import needlist

ROOT = pathlib.Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "tests/data/sample.flv"
MEDIA = pathlib.Path(os.environ.get("FLV_TEST_MEDIA", ROOT.parent / "shared/media"))
TIMEOUT = 60
PATIENCE = 5
TEST = pathlib.Path(sys.argv[0]).stem

_cases = []
_machine = None  # the environment with everything that is installed


class Skip(Exception):
    """A program or plugin that the case needs is missing."""


def case(function):
    add_case(function.__name__.replace("_", "-"), function)
    return function


def add_case(name, function):
    _cases.append((name, function))


def check(condition, why):
    if not condition:
        raise AssertionError(why)


def main():
    global _machine
    with needlist.nothing_else(TEST) as _machine:
        failed = _run_cases()
    sys.exit(1 if failed else 0)


def _run_cases():
    for element in ("flvpace", "flvseek"):
        if not has_element(element):
            print(f"FAIL: plugin: no element {element} in GST_PLUGIN_PATH")
            return 1
    failed = 0
    for name, function in _cases:
        with tempfile.TemporaryDirectory(prefix="flv-") as directory:
            os.chdir(directory)
            try:
                function()
                print(f"PASS: {name}")
            except Skip as why:
                print(f"SKIP: {name}: {why}")
            except Exception as why:  # after any exception, the next case must run
                failed += 1
                traceback.print_exc()
                print(f"FAIL: {name}: {why or type(why).__name__}")
            os.chdir("/")
        sys.stdout.flush()
    return failed


# Recipes

_RECIPE = re.compile(r"^<!-- recipe: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


RECIPE_PAGES = [ROOT / "docs/recipes.md", ROOT / "docs/httpserversink.md",
                ROOT / "docs/failoversrc.md"]


def recipes():
    texts = [page.read_text(encoding="utf-8") for page in RECIPE_PAGES]
    return dict(found for text in texts for found in _RECIPE.findall(text))


def recipe(name, **replace):
    """The text of a block in RECIPE_PAGES. Every `replace` key in it is replaced with its value. A
    leading underscore of a key is dropped, so that a key can be a port."""
    text = recipes()[name]
    for old, new in replace.items():
        old = old.lstrip("_")
        check(old in text, f"recipe {name} has no {old}")
        text = text.replace(old, str(new))
    return text


# Processes


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            _check_missing(program, shutil.which(program, path=_machine["PATH"]))
            raise Skip(f"no {program}")


def needs_element(*elements):
    for element in elements:
        if not has_element(element):
            _check_missing(element, has_element(element, env=_machine))
            raise Skip(f"no {element}")


def _check_missing(name, installed):
    check(not installed, f"tests/check/needs does not give {name} to the test {TEST}")


def has_element(element, **options):
    # Without --exists, which requires a version of at least 1.0.
    return run(f"gst-inspect-1.0 {element}", **options).status == 0


def _start(command, **options):
    return subprocess.Popen(["bash", "-o", "pipefail", "-c", command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True, **options)


def _kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Done:
    def __init__(self, command, process, stdout, stderr):
        self.command = command
        self.status = process.returncode
        self.stdout = stdout.decode(errors="replace")
        self.stderr = stderr.decode(errors="replace")

    @property
    def warnings(self):
        """The messages of gst-launch-1.0 about warnings, which it writes to its standard output."""
        return self.stdout.count("WARNING: from element")

    def ok(self):
        check(self.status == 0, f"exit status {self.status} of {self.command}\n{self.stderr}")
        return self


def finish(process, timeout=TIMEOUT):
    """Waits for a process of background()."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            left = max(deadline - time.monotonic(), 0.1)
            output = process.communicate(timeout=min(left, PATIENCE))
            return Done(process.args[-1], process, *output)
        except subprocess.TimeoutExpired as late:
            # GStreamer 1.22's own gst-launch-1.0 sometimes hangs after an error during preroll.
            if b"ERROR: from element" in (late.stderr or b""):
                _kill(process)
                return Done(process.args[-1], process, late.stdout or b"", late.stderr)
            if time.monotonic() >= deadline:
                _kill(process)
                raise AssertionError(
                    f"still running after {timeout} s: {process.args[-1]}") from None


def run(command, timeout=TIMEOUT, **options):
    return finish(_start(command, **options), timeout)


@contextlib.contextmanager
def background(command):
    process = _start(command)
    try:
        yield process
    finally:
        _kill(process)
        process.stdout.close()
        process.stderr.close()


# Sockets


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, why, timeout=20):
    deadline = time.monotonic() + timeout
    while not condition():
        check(time.monotonic() < deadline, why)
        time.sleep(0.02)


_LISTENING = {"tcp": "0A", "udp": "07"}


def wait_for_port(port, protocol="tcp"):
    """Waits until the port has a listener. A connect would find out, too, but would count as a
    client."""

    def listening():
        for table in (f"/proc/net/{protocol}", f"/proc/net/{protocol}6"):
            with open(table, encoding="ascii") as rows:
                for row in rows:
                    fields = row.split()
                    if fields[1].endswith(f":{port:04X}") and fields[3] == _LISTENING[protocol]:
                        return True
        return False

    wait_until(listening, f"no server listens on {protocol} port {port}")


def connect(port):
    wait_for_port(port)
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)


def read_all(connection):
    """Reads until the peer closes."""
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(1 << 16):
            received += chunk
    return bytes(received)


# Comparisons


def check_same(got, expected, what="the output"):
    if got == expected:
        return
    shorter = min(len(got), len(expected))
    at = next((i for i in range(shorter) if got[i] != expected[i]), shorter)
    raise AssertionError(f"{what}: {len(got)} bytes, {len(expected)} expected, different at {at}")


def check_decodes(path, frames=None):
    """Checks that every picture decodes, from the first on, without a warning of ffmpeg. ffmpeg
    reads a pipe: in a file it would compare the index with the data of a client that joined late.
    Without an explicit time base, its null encoder may give two pictures the same timestamp of a
    guessed frame rate."""
    needs("ffmpeg", "ffprobe")
    done = run(f"cat {path} | ffmpeg -v warning -xerror -i pipe: "
               "-enc_time_base:v 1:1000 -f null -").ok()
    check(not done.stderr, f"ffmpeg on {path}: {done.stderr}")
    if frames is not None:
        count = run(f"ffprobe -v error -count_frames -select_streams v "
                    f"-show_entries stream=nb_read_frames -of csv=p=0 {path}").ok()
        decoded = int(count.stdout)
        check(decoded == frames, f"{decoded} pictures decoded of {frames} in {path}")
