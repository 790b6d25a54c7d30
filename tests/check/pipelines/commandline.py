# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of flvstream share."""

import contextlib
import http.server
import os
import pathlib
import shutil
import threading

from flvfile import tags_of
from pipeline import SAMPLE, run

FLVSTREAM = os.environ["FLV_STREAM"]


def stream(arguments):
    return run(f"{FLVSTREAM} {arguments}")


def movie():
    shutil.copyfile(SAMPLE, "movie.flv")
    return SAMPLE.read_bytes()


def read(path="copy.flv"):
    return pathlib.Path(path).read_bytes()


def key_after(offset):
    return next(tag for tag in tags_of(SAMPLE.read_bytes()) if tag.key and tag.begin >= offset)


class StatusHandler(http.server.BaseHTTPRequestHandler):
    """Answers /404/name with 404, and /name with movie.flv."""

    def do_GET(self):
        status = int(self.path.split("/")[1]) if self.path.count("/") > 1 else 200
        body = read("movie.flv") if status == 200 else b""
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/404/moved.flv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def web_server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), StatusHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
