#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""httpserversink for HTTP clients: the response to each request."""

import functools
import os
import pathlib
import signal
import ssl
import time

from flvfile import pictures
from http_client import (LOOP, Fed, Response, Sample, ask, certificate, connect, get, request, serve,
                         stream_of)
from pipeline import (add_case, background, case, check, finish, free_port, main, needs,
                      needs_element, run,
                      wait_until)
from websocket_client import WebSocket

VIDEO = "videotestsrc is-live=true ! video/x-raw,width=160,height=120,framerate=25/1"
AUDIO = "audiotestsrc is-live=true"
TYPES = {
    "video/x-flv": ["flvpace", LOOP],
    "video/x-matroska": ["vp8enc", f"{VIDEO} ! vp8enc deadline=1 ! matroskamux streamable=true"],
    "video/webm": ["vp8enc", f"{VIDEO} ! vp8enc deadline=1 ! webmmux streamable=true"],
    "video/mp2t": ["h264parse", f"{LOOP} sync=false ! flvdemux name=in "
                                "in.video ! h264parse config-interval=-1 ! mpegtsmux"],
    "application/ogg": ["vorbisenc", f"{AUDIO} ! audioconvert ! vorbisenc ! oggmux"],
    "multipart/x-mixed-replace;boundary=frame": [
        "jpegenc", f"{VIDEO} ! jpegenc ! multipartmux boundary=frame"],
    "audio/mpeg": ["lamemp3enc", f"{AUDIO} ! lamemp3enc"],
}


def content_type(expected, element, source):
    needs_element(element)
    port = free_port()
    with serve(f"{source} ! httpserversink port={port} path=/live", port):
        for method in ("GET", "HEAD"):
            response = get(port, "/live") if method == "GET" else head_of(port, "/live")
            check(response.status == 200, f"{method}: {response.status}")
            got = response.headers["content-type"]
            check(got == expected, f"{method}: {got}")
            response.close()


for kind, (codec, pipeline) in TYPES.items():
    add_case("content-type-" + kind.split(";")[0].replace("/", "-"),
             functools.partial(content_type, kind, codec, pipeline))


@case
def fragmented_mp4():
    """A client that connects before the start plays the stream; a later client gets an error with
    the reason."""
    needs_element("flvdemux", "h264parse", "mp4mux")
    needs("ffmpeg", "ffprobe")
    with Fed(source="fdsrc ! flvpace sync=false ! flvdemux name=in in.video ! queue ! "
                    "h264parse ! mp4mux fragment-duration=500 streamable=true") as source:
        connection = connect(source.port)
        connection.sendall(request("GET", "/live.flv"))
        source.wait_for_clients(1)
        source.write(Sample().bytes)
        early = Response(connection)
        early.read(50_000)
        for method in ("GET", "HEAD"):
            late = ask(source.port, method, "/live.flv")
            check(late.status == 406, f"{method}: {late.status}")
            text = late.read_all().decode()
            check("mpegtsmux" in text or method == "HEAD", text)
        check(WebSocket(source.port).response.status == 406, "a WebSocket gets it")
        source.end()
        pathlib.Path("early.mp4").write_bytes(early.read_all())
        done = finish(source.process)
    check(done.warnings == 1 and "cannot be served" in done.stdout + done.stderr, done.stdout)
    count = run("ffprobe -v error -count_packets -select_streams v -show_entries "
                "stream=nb_read_packets -of csv=p=0 early.mp4").ok().stdout
    check(int(count) > 100, f"{count} pictures")


def head_of(port, path="/live.flv"):
    """Waits until there is a stream."""
    stream_of(port, path).close()
    return ask(port, "HEAD", path)


@case
def fields_of_a_stream():
    sample = Sample()
    with Fed() as source:
        source.write(sample.until(2))
        got = stream_of(source.port)
        head = ask(source.port, "HEAD", "/live.flv")
        for response in (got, head):
            fields = response.headers
            check(response.status == 200, f"status {response.status}")
            check(fields["cache-control"] == "no-cache, no-store", str(fields))
            check(fields["access-control-allow-origin"] == "*", str(fields))
            check("content-length" not in fields, "it says how long an endless stream is")
            check("transfer-encoding" not in fields, str(fields))
        check(head.read_all() == b"", "HEAD is answered with a body")
        source.end()
        check(got.read_all()[:3] == b"FLV", "it's no FLV")


@case
def http_1_0():
    sample = Sample()
    with Fed() as source:
        source.write(sample.until(1))
        connection = connect(source.port)
        connection.sendall(b"GET /live.flv HTTP/1.0\r\n\r\n")
        response = Response(connection)
        check(response.status == 200, f"status {response.status}")
        source.end()
        check(pictures(response.read_all()) == pictures(sample.until(1)), "pictures are missing")


@case
def query_and_escapes_in_the_path():
    port = free_port()
    with serve(f'{LOOP} ! httpserversink port={port} path="/live cam.flv"', port):
        stream_of(port, "/live%20cam.flv?token=1&x=%2F").close()


@case
def other_origins():
    sample = Sample()
    site = "https://example.org"
    with Fed(f"allow-origin={site}") as source:
        source.write(sample.until(1))
        with_origin = stream_of(source.port, fields=[f"Origin: {site}"])
        for response in (with_origin, ask(source.port, "HEAD", "/live.flv"),
                         ask(source.port, "OPTIONS", "/live.flv")):
            check(response.headers["access-control-allow-origin"] == site, str(response.headers))
            check(response.headers["vary"] == "Origin", str(response.headers))
            response.close()


@case
def no_other_origin():
    sample = Sample()
    with Fed("'allow-origin=\"\"'") as source:
        source.write(sample.until(1))
        for method in ("GET", "HEAD", "OPTIONS"):
            response = ask(source.port, method, "/live.flv", ["Origin: https://example.org"])
            check("access-control-allow-origin" not in response.headers,
                  f"{method}: {response.headers}")
            response.close()


@case
def errors_that_a_page_can_read():
    whole = request("GET", "/live.flv")
    errors = {404: request("GET", "/other"), 405: request("POST", "/live.flv"),
              400: b"GARBAGE\r\n\r\n", 431: b"x" * 9000, 408: whole[:-2], 503: whole}
    site = "https://example.org"
    for origin, expected, vary in (("*", "*", None), (site, site, "Origin"), ('""', None, None)):
        with Fed(f"request-timeout=500 wait-timeout=100 'allow-origin={origin}'") as source:
            for status, said in errors.items():
                connection = connect(source.port)
                connection.sendall(said)
                response = Response(connection)
                check(response.status == status, f"{response.status} for {said[:40]}")
                fields = response.headers
                check(fields.get("access-control-allow-origin") == expected, f"{status}: {fields}")
                check(fields.get("vary") == vary, f"{status}: {fields}")
                response.close()
        os.remove("stream")


@case
def preflight():
    with Fed() as source:
        response = ask(source.port, "OPTIONS", "/live.flv",
                       ["Origin: https://example.org", "Access-Control-Request-Method: GET",
                        "Access-Control-Request-Headers: range, x-player"])
        check(response.status == 204, f"status {response.status}")
        check(response.headers["access-control-allow-origin"] == "*", str(response.headers))
        for method in ("GET", "HEAD", "OPTIONS"):
            check(method in response.headers["access-control-allow-methods"], f"not {method}")
        check("x-player" in response.headers["access-control-allow-headers"],
              str(response.headers))
        check(response.read_all() == b"", "a body")


@case
def not_there():
    with Fed() as source:
        source.write(Sample().until(1))
        for path in ("/", "/live", "/live.flv/", "/live.flv/x", "/metrics"):
            for method in ("GET", "HEAD", "OPTIONS", "POST"):
                response = ask(source.port, method, path)
                check(response.status == 404, f"{response.status} for {method} {path}")
                response.close()
        stream_of(source.port).close()


@case
def methods_that_are_not_allowed():
    with Fed() as source:
        source.write(Sample().until(1))
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"):
            body = ["Content-Length: 5"] if method in ("POST", "PUT") else []
            connection = connect(source.port)
            connection.sendall(request(method, "/live.flv", body) + b"a=b&c"[:5 * len(body)])
            response = Response(connection)
            check(response.status == 405, f"{response.status} for {method}")
            check(response.headers["allow"] == "GET, HEAD, OPTIONS", str(response.headers))
            response.close()
        stream_of(source.port).close()


@case
def malformed_requests():
    with Fed() as source:
        source.write(Sample().until(1))
        for garbage in (b"GARBAGE\r\n\r\n", b"\x16\x03\x01\x02\r\n\r\n", b"GET\r\n\r\n",
                        b"GET /live.flv\0 HTTP/1.1\r\nHost: a\r\n\r\n",
                        b"GET /live.flv HTTP/9\r\nHost: a\r\n\r\n",
                        b"GET /live.flv HTTP/1.1\r\n\r\n",
                        b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n"):
            connection = connect(source.port)
            connection.sendall(garbage)
            response = Response(connection)
            check(response.status == 400, f"{response.status} for {garbage}")
            response.read_all()
        stream_of(source.port).close()


@case
def request_heads_that_are_too_large():
    with Fed() as source:
        source.write(Sample().until(1))
        cookie = "Cookie: "
        small = request("GET", "/live.flv", [cookie])
        fits = cookie + "x" * (8192 - len(small))
        response = get(source.port, fields=[fits])
        check(response.status == 200, f"{response.status} for 8 KiB")
        response.close()
        for fields in ([fits + "x"], [f"X-{number}: y" for number in range(3000)]):
            connection = connect(source.port)
            connection.sendall(request("GET", "/live.flv", fields))
            response = Response(connection)
            check(response.status == 431, f"{response.status} for more than 8 KiB")
            response.read_all()
        connection = connect(source.port)
        connection.sendall(b"GET /" + b"x" * 9000)
        check(Response(connection).status == 431, "an endless path")


@case
def request_that_is_not_finished():
    with Fed("request-timeout=500") as source:
        for part in (b"", b"GET /live.flv HTTP/1.1\r\nHost: localhost\r\n"):
            connection = connect(source.port)
            connection.sendall(part)
            start = time.monotonic()
            response = Response(connection)
            check(response.status == 408, f"status {response.status}")
            check(0.4 < time.monotonic() - start < 3, "at another time")
            check(response.read_all() == b"", "a body")


def check_unavailable(response, why):
    check(response.status == 503, f"{response.status} {why}")
    check(int(response.headers["retry-after"]) > 0, str(response.headers))
    response.close()


@case
def before_the_stream():
    sample = Sample()
    with Fed("wait-timeout=600") as source:
        start = time.monotonic()
        response = get(source.port)
        waited = time.monotonic() - start
        check_unavailable(response, "before the stream")
        check(0.5 < waited < 3, f"after {waited:.3f} s, not 0.6")
        check_unavailable(ask(source.port, "HEAD", "/live.flv"), "before the stream")
        socket_too = WebSocket(source.port)
        check(socket_too.response.status in (101, 503), f"{socket_too.response.status}")
        if socket_too.response.status == 101:
            code = socket_too.close_code()
            check(code == 1013, f"close code {code}, not 1013")
        connection = connect(source.port)
        connection.sendall(request("GET", "/live.flv"))
        source.write(sample.until(2))
        response = Response(connection)
        check(response.status == 200, f"{response.status} for one who has waited")
        check(response.read_pictures(20), "no pictures")


@case
def first_request_of_all():
    """A player that retries finds a stream as soon as it finds a server."""
    needs_element("httpserversink")
    for _ in range(5):
        port = free_port()
        with background(f"exec gst-launch-1.0 {LOOP} ! httpserversink port={port}"):
            deadline = time.monotonic() + 20
            while True:
                try:
                    connection = connect(port)
                    break
                except ConnectionRefusedError:
                    check(time.monotonic() < deadline, "no server listens")
            connection.sendall(request("GET", "/"))
            response = Response(connection)
            check(response.status == 200, f"status {response.status}")
            response.close()


@case
def a_file_header_and_nothing_else():
    """A header that announces kinds without data does not start a stream."""
    with Fed("wait-timeout=300") as source:
        source.write(Sample().bytes[:13])
        response = get(source.port)
        check(response.status in (200, 503), f"status {response.status}")
        response.close()
        check(source.process.poll() is None, "it has ended")


@case
def behind_the_end():
    """One of two streams has ended; the other continues."""
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv "
               "filesrc location=/dev/null ! "
               f"httpserversink port={port} path=/over.flv async=false", port):
        wait_until(lambda: get(port, "/over.flv").status == 503, "no 503")
        check_unavailable(get(port, "/over.flv"), "after the end")
        stream_of(port).read(100_000)


@case
def max_clients():
    with Fed("max-clients=2") as source:
        source.write(Sample().until(1))
        first, second = stream_of(source.port), WebSocket(source.port)
        check(second.response.status == 101, f"status {second.response.status}")
        check_unavailable(get(source.port), "for one too many")
        check_unavailable(WebSocket(source.port).response, "for a WebSocket too many")
        first.close()
        wait_until(lambda: get(source.port).status == 200, "the place isn't given to another")


# Certificates


def serial(port):
    """The serial number of the certificate for a new connection."""
    text = run(f"openssl s_client -connect 127.0.0.1:{port} < /dev/null 2>/dev/null | "
               "openssl x509 -noout -serial").ok().stdout
    return text.strip().removeprefix("serial=")


def serial_of(path):
    return run(f"openssl x509 -in {path} -noout -serial").ok().stdout.strip().removeprefix("serial=")


def replace_by_rename(both, pem, key):
    for text, path in ((both, "both.pem"), (pem, "served.pem"), (key, "served.key")):
        pathlib.Path("new").write_bytes(text)
        os.rename("new", path)


def replace_in_place(both, pem, key):
    for text, path in ((both, "both.pem"), (pem, "served.pem"), (key, "served.key")):
        pathlib.Path(path).write_bytes(text)


def renewed_certificate(settings, replace):
    """New connections get the new certificate, and existing ones continue. An unreadable
    certificate is not used."""
    certificate()
    files = [pathlib.Path(each) for each in ("both.pem", "certificate.pem", "key.pem")]
    replace_in_place(*[each.read_bytes() for each in files])
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv {settings}", port) as server:
        trusted = ssl.create_default_context(cafile="certificate.pem")
        early = stream_of(port, tls=trusted)
        early.read(1000)
        for _ in range(2):
            before = serial(port)
            check(before == serial_of("served.pem"), "another certificate than the file's")
            certificate()
            replace(*[each.read_bytes() for each in files])
            check(serial(port) == serial_of("served.pem") != before, "not the new one")
        before = serial(port)
        for broken in (b"", b"garbage", None):
            for path in ("both.pem", "served.pem"):
                if broken is None:
                    os.remove(path)
                else:
                    pathlib.Path(path).write_bytes(broken)
            for _ in range(3):
                check(serial(port) == before, f"not the old one after {broken}")
        certificate()
        replace(*[each.read_bytes() for each in files])
        check(serial(port) == serial_of("served.pem") != before, "not the new one after a broken one")
        size = len(early.body)
        early.read(size + 10_000)
        early.close()
        server.send_signal(signal.SIGINT)
        done = finish(server)
    # One warning for each change.
    check(3 <= done.warnings <= 6, f"{done.warnings} warnings: {done.stdout}{done.stderr}")
    check("the previous one stays" in done.stdout + done.stderr, done.stdout + done.stderr)


for way in (replace_by_rename, replace_in_place):
    add_case("certificate-" + way.__name__.replace("_", "-"), functools.partial(
        renewed_certificate, "tls-certificate=both.pem", way))
add_case("certificate-and-key-" + replace_by_rename.__name__.replace("_", "-"), functools.partial(
    renewed_certificate, "tls-certificate=served.pem tls-key=served.key", replace_by_rename))


if __name__ == "__main__":
    main()
