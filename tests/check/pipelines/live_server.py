# SPDX-License-Identifier: LGPL-2.1-or-later
"""A web server in a separate process, which a test can kill or freeze: live_server.py PORT FILE.

/live.flv is FILE as a live stream: each client joins at the next keyframe, and gets the tags in real
time. /vod.flv is FILE as a file. /page is HTML, and all other paths are 404."""

import http.server
import pathlib
import sys
import time

from flvfile import tags_of

PORT, FILE = int(sys.argv[1]), pathlib.Path(sys.argv[2])
DATA = FILE.read_bytes()
TAGS = tags_of(DATA)
BEGIN = time.monotonic()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/live.flv":
            self.begin("video/x-flv")
            self.stream()
        elif self.path == "/vod.flv":
            self.send_response(200)
            self.send_header("Content-Type", "video/x-flv")
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            self.wfile.write(DATA)
        elif self.path == "/page":
            self.begin("text/html")
            self.wfile.write(b"<!DOCTYPE html><html><body>It works</body></html>")
        else:
            self.send_error(404)

    def begin(self, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def stream(self):
        """The header is everything before the first picture."""
        first = next(number for number, tag in enumerate(TAGS) if tag.picture)
        now = (time.monotonic() - BEGIN) * 1000
        key = next(number for number, tag in enumerate(TAGS) if tag.key and tag.timestamp >= now)
        self.wfile.write(DATA[:TAGS[first].begin])
        try:
            for number in range(key, len(TAGS)):
                due = BEGIN + TAGS[number].timestamp / 1000
                time.sleep(max(due - time.monotonic(), 0))
                self.wfile.write(DATA[TAGS[number].begin:TAGS[number].end])
        except (BrokenPipeError, ConnectionResetError):
            pass


http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
