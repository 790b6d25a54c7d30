# SPDX-License-Identifier: LGPL-2.1-or-later
"""Common code of the tests of flvstream."""

import contextlib
import http.server
import os
import pathlib
import shutil
import threading

from flvfile import tags_of
from pipeline import SAMPLE, Skip, needs, run

FLVSTREAM = os.environ["FLV_STREAM"]


def stream(arguments):
    return run(f"{FLVSTREAM} {arguments}")


def without_privileges():
    """flvstream as a user that is subject to file permissions."""
    if os.geteuid() != 0:
        return FLVSTREAM
    needs("setpriv")
    command = f"setpriv --reuid=65534 --clear-groups {FLVSTREAM}"
    if run(f"{command} --version").status != 0:
        raise Skip("others may not run flvstream")
    return command


def in_path(command):
    """Runs the command with flvstream in PATH."""
    return f"PATH={pathlib.Path(FLVSTREAM).parent}:$PATH; {command}"


def movie():
    shutil.copyfile(SAMPLE, "movie.flv")
    return SAMPLE.read_bytes()


def read(path="copy.flv"):
    return pathlib.Path(path).read_bytes()


def key_after(offset):
    return next(tag for tag in tags_of(SAMPLE.read_bytes()) if tag.key and tag.begin >= offset)


class StatusHandler(http.server.BaseHTTPRequestHandler):
    """Answers /404/name with status 404, and /name with that file, or movie.flv if it does not
    exist. Does not support ranges."""

    def do_GET(self):
        status = int(self.path.split("/")[1]) if self.path.count("/") > 1 else 200
        name = self.path.split("/")[-1]
        body = read(name if os.path.isfile(name) else "movie.flv") if status == 200 else b""
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/404/moved.flv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client may close early
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def web_server(handler=StatusHandler):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
