# SPDX-License-Identifier: LGPL-2.1-or-later
"""Common code of the tests of httpserversink: servers, and clients that expose all received bytes.

The clients are plain sockets, so that a test can violate the protocol.
"""

import contextlib
import json
import os
import pathlib
import socket
import ssl
import threading
import time

from flvfile import tags_of, whole_part
from pipeline import (SAMPLE, TIMEOUT, background, check, free_port, needs, needs_element, run,
                      wait_for_port, wait_until)

GAP = 1.0  # s; the sample has data every 40 ms
LOOP = f"multifilesrc location={SAMPLE} loop=true ! flvpace"


# Servers


@contextlib.contextmanager
def serve(pipeline, port, limits=""):
    """A gst-launch-1.0 process that listens. `limits`: a shell command to run before it."""
    needs_element("httpserversink")
    with background(f"{limits} exec gst-launch-1.0 {pipeline}") as server:
        wait_for_port(port)
        yield server


class Fed:
    """A server for data that the test writes at any time."""

    def __init__(self, settings="", source="fdsrc"):
        self.port = free_port()
        self.settings = f"port={self.port} path=/live.flv stats-path=/stats {settings}"
        self.source = source

    def __enter__(self):
        needs_element("httpserversink")
        os.mkfifo("stream")
        self._stack = contextlib.ExitStack()
        self.process = self._stack.enter_context(background(
            f"exec gst-launch-1.0 {self.source} ! httpserversink {self.settings} < stream"))
        self._pipe = open("stream", "wb", buffering=0)
        self._stack.callback(self.end)
        wait_for_port(self.port)
        return self

    def __exit__(self, *_):
        self._stack.close()

    def write(self, data):
        while data:
            data = data[self._pipe.write(data):]

    def settle(self):
        """Waits until the element has received all written data."""
        last = -1
        while (taken := statistics(self.port)["bytes-in"]) == 0 or taken != last:
            last = taken
            time.sleep(0.3)  # statistics are cached for 250 ms

    def wait_for_clients(self, count):
        """Waits until `count` clients are in the stream. A handshake ends before that."""
        wait_until(lambda: statistics(self.port)["clients-now"] == count, f"not {count} clients")

    def end(self):
        self._pipe.close()


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def memory(process):
    """Resident memory, in bytes."""
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as numbers:
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def statistics(port, path="/stats"):
    return json.loads(get(port, path).read_all())


def certificate():
    """A certificate of this host and its key, both in one file."""
    needs("openssl")
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
        "-keyout key.pem -out certificate.pem 2>&1").ok()
    pathlib.Path("both.pem").write_bytes(pathlib.Path("certificate.pem").read_bytes() +
                                         pathlib.Path("key.pem").read_bytes())
    return ssl.create_default_context(cafile="certificate.pem")


# The parts of the sample


class Sample:
    """The bundled file: its head, and its groups of pictures."""

    def __init__(self):
        self.bytes = SAMPLE.read_bytes()
        tags = tags_of(self.bytes)
        keys = [tag.begin for tag in tags if tag.key]
        self.head = self.bytes[:keys[0]]
        ends = [*keys[1:], len(self.bytes)]
        self.groups = [self.bytes[begin:end] for begin, end in zip(keys, ends)]

    def until(self, groups):
        return self.head + b"".join(self.groups[:groups])

    def behind(self, groups):
        return b"".join(self.groups[groups:])


def media(stream):
    """The media data, without the timestamps."""
    return [(tag.kind, tag.data) for tag in tags_of(stream) if tag.media]


# HTTP


def connect(port, tls=None, buffer=None):
    raw = socket.socket()
    if buffer:  # bytes; the system uses slightly more
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    raw.settimeout(TIMEOUT)
    raw.connect(("127.0.0.1", port))
    return tls.wrap_socket(raw, server_hostname="localhost") if tls else raw


class Response:
    """The status line and the header fields of a response. The body can be read as it arrives."""

    def __init__(self, connection):
        self.connection = connection
        self.body = bytearray()  # the part that was read
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = self._receive()
            check(chunk, f"the connection ends after {head!r}")
            head += chunk
        head, rest = head.split(b"\r\n\r\n", 1)
        status, *fields = head.decode("latin-1").split("\r\n")
        version, code, *_ = status.split(" ", 2)
        check(version in ("HTTP/1.1", "HTTP/1.0"), f"the status line is {status}")
        self.status = int(code)
        self.headers = {}
        for field in fields:
            name, value = field.split(":", 1)
            self.headers[name.lower()] = value.strip()
        # Only a proxy sends chunks.
        self._chunks = bytearray() if "transfer-encoding" in self.headers else None
        self._ended = False
        self._take(rest)

    def _receive(self):
        try:
            return self.connection.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def _take(self, received):
        if self._chunks is None:
            self.body += received
            return
        self._chunks += received
        while (begin := self._chunks.find(b"\r\n") + 2) > 1:
            size = int(self._chunks[:begin], 16)
            self._ended = size == 0
            if len(self._chunks) < begin + size + 2:
                break
            self.body += self._chunks[begin:begin + size]
            del self._chunks[:begin + size + 2]

    def more(self):
        """Reads more of the body. Returns whether there was any."""
        received = self._receive() if not self._ended else b""
        self._take(received)
        return bool(received)

    def read_until(self, condition, what="what was waited for"):
        while not condition(bytes(self.body)):
            check(self.more(), f"the stream ends before {what}, after {len(self.body)} bytes")
        return bytes(self.body)

    def read(self, size):
        return self.read_until(lambda body: len(body) >= size, f"{size} bytes")

    def read_pictures(self, count):
        """Reads FLV with `count` pictures, up to a whole tag."""
        stream = self.read_until(lambda body: len(body) > 13 and
                                 sum(tag.picture for tag in tags_of(body)) >= count,
                                 f"{count} pictures")
        return whole_part(stream)

    def read_all(self):
        with contextlib.closing(self.connection):
            while self.more():
                pass
        return bytes(self.body)

    def read_for(self, seconds):
        """Reads for `seconds`. Returns the data, and the longest time without data."""
        until = time.monotonic() + seconds
        last, longest = time.monotonic(), 0
        while (now := time.monotonic()) < until:
            self.connection.settimeout(until - now)
            try:
                if not self.more():
                    break
            except TimeoutError:
                pass
            now = time.monotonic()
            longest = max(longest, now - last)
            last = now
        self.connection.settimeout(TIMEOUT)
        return longest

    def is_quiet(self, seconds):
        """Whether no data arrives for `seconds`, and the stream is not closed."""
        self.connection.settimeout(seconds)
        try:
            self.more()
        except TimeoutError:
            return True
        finally:
            self.connection.settimeout(TIMEOUT)
        return False

    def close(self):
        self.connection.close()


def request(method, path, fields=(), version="HTTP/1.1"):
    lines = [f"{method} {path} {version}", "Host: localhost", *fields]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def ask(port, method, path, fields=(), tls=None, buffer=None):
    connection = connect(port, tls, buffer)
    connection.sendall(request(method, path, fields))
    return Response(connection)


def get(port, path="/live.flv", fields=(), tls=None, buffer=None):
    return ask(port, "GET", path, fields, tls, buffer)


def stream_of(port, path="/live.flv", **options):
    """Returns the response for a client that is served."""
    response = get(port, path, **options)
    check(response.status == 200, f"{response.status} for {path}")
    return response


class Watcher:
    """A client that plays the stream: its data, and the longest time without data."""

    def __init__(self, port, tls=None):
        self.response = stream_of(port, tls=tls)
        self.longest = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        last = time.monotonic()
        while not self._over.is_set() and self.response.more():
            now = time.monotonic()
            self.longest = max(self.longest, now - last)
            last = now

    def end(self):
        self._over.set()
        self._thread.join()
        self.response.close()
        stream = whole_part(bytes(self.response.body))
        check(self.longest < GAP, f"{self.longest:.3f} s without anything")
        return stream


def check_gapless(stream, what="the watcher"):
    """The pictures are consecutive, as in the sample in a loop."""
    order = {}
    for at, tag in enumerate(one for one in tags_of(Sample().bytes) if one.picture):
        order[tag.data] = at
    shown = [order[tag.data] for tag in tags_of(stream) if tag.picture]
    check(shown, f"{what} has no picture")
    for one, other in zip(shown, shown[1:]):
        check(other == (one + 1) % len(order), f"{what}: picture {other} after {one}")


def in_parallel(*functions):
    """Returns the results in the order of the functions. Raises the first exception again."""
    results, errors = [None] * len(functions), []

    def keep(at):
        try:
            results[at] = functions[at]()
        except Exception as error:  # raised again in the caller
            errors.append(error)

    threads = [threading.Thread(target=keep, args=(at,)) for at in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
