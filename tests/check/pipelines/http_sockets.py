#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""httpserversink over WebSocket: RFC 6455, tested with a separate short client."""

import functools
import os
import pathlib
import time

from flvfile import pictures, tags_of
from http_client import (LOOP, Fed, Sample, ask, certificate, get, in_parallel, media, serve,
                         statistics, stream_of)
from pipeline import (Skip, add_case, case, check, check_decodes, check_same, free_port, main, needs,
                      run, wait_until)
from websocket_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WebSocket, frame

UPGRADE = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
SITE = "https://example.org"


def served(source, fields=()):
    """Returns a client and its first message."""
    client = WebSocket(source.port, fields=fields)
    check(client.response.status == 101, f"status {client.response.status}")
    kind, message = client.receive()
    check(kind == BINARY, f"a frame of kind {kind}")
    return client, message


@case
def same_bytes_as_http():
    sample = Sample()
    with Fed("max-lag=0") as source:
        source.write(sample.until(2))
        source.settle()
        plain = stream_of(source.port)
        client, first = served(source)
        source.write(sample.behind(2))
        source.end()
        stream, (reason, rest) = in_parallel(plain.read_all, lambda: client.receive_until(CLOSE))
    messages = [first, *rest]
    check_same(b"".join(messages), stream, "the messages together")
    check(int.from_bytes(reason[:2], "big") == 1000, f"closed with {reason}")
    ends = {13, *(tag.end for tag in tags_of(stream))}
    at = 0
    for message in messages:
        at += len(message)
        check(at in ends, f"a message ends at {at}, within a tag")
    check(media(stream) == media(sample.head + sample.behind(1)), "not all of it")
    pathlib.Path("messages.flv").write_bytes(stream)
    check_decodes("messages.flv", pictures(stream))


@case
def messages_come_as_the_stream_does():
    """Messages are not delayed until they are large."""
    sample = Sample()
    tags = tags_of(sample.bytes)
    with Fed() as source:
        source.write(sample.until(1))
        source.settle()
        client, begin = served(source)
        while len(media(begin)) < len(media(sample.until(1))):
            begin += client.receive()[1]
        first = next(at for at, tag in enumerate(tags) if tag.begin >= len(sample.until(1)))
        for tag in tags[first:first + 20]:
            source.write(sample.bytes[tag.begin:tag.end])
            kind, message = client.receive()
            check(kind == BINARY and len(message) == tag.end - tag.begin,
                  f"{len(message)} bytes for a tag of {tag.end - tag.begin}")
            time.sleep(0.06)
        client.close()


@case
def ping_is_answered():
    sample = Sample()
    with Fed() as source:
        source.write(sample.until(1))
        source.settle()
        client, _ = served(source)
        for payload in (b"", b"a word", bytes(range(125))):
            client.send(PING, payload)
            check(client.receive_until(PONG)[0] == payload, "another payload")
        client.send(PONG, b"unasked")
        # Within a message, whose content is ignored, byte by byte.
        for byte in (frame(TEXT, b"one", final=False) + frame(PING, b"between") +
                     frame(CONTINUATION, b"two") + frame(BINARY, os.urandom(60_000)) +
                     frame(PING, b"behind")):
            client.connection.send(bytes([byte]))
        check(client.receive_until(PONG)[0] == b"between", "another payload")
        check(client.receive_until(PONG)[0] == b"behind", "another payload")
        source.write(sample.groups[1])
        check(client.receive()[0] == BINARY, "it doesn't go on")
        client.close()


@case
def close_is_answered():
    with Fed() as source:
        source.write(Sample().until(1))
        source.settle()
        for payload in (b"", (1000).to_bytes(2, "big"), (1001).to_bytes(2, "big") + b"away"):
            client, _ = served(source)
            client.send(CLOSE, payload)
            code = client.close_code()
            check(code in (None, 1000, int.from_bytes(payload[:2], "big")), f"close code {code}")
        wait_until(lambda: statistics(source.port)["clients-now"] == 0, "they are still there")


VIOLATIONS = {
    "unmasked": (1002, frame(TEXT, b"hello", masked=False)),
    "unmasked-ping": (1002, frame(PING, masked=False)),
    "unknown-kind": (1002, frame(3, b"hello")),
    "unknown-control": (1002, frame(11, b"hello")),
    "reserved-bit": (1002, bytes([0xC2]) + frame(BINARY, b"hello")[1:]),
    "continuation-of-nothing": (1002, frame(CONTINUATION, b"hello")),
    "two-messages-at-once": (1002, frame(TEXT, b"hel", final=False) + frame(TEXT, b"lo")),
    "long-ping": (1002, frame(PING, bytes(126))),
    "ping-in-parts": (1002, frame(PING, b"hello", final=False)),
    "garbage": (1002, b"GET /live.flv HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "large-message": (1009, frame(BINARY, size=1 << 20)),
    "endless-message": (1009, frame(BINARY, size=(1 << 63) - 1)),
    "endless-in-parts": (1009, frame(BINARY, bytes(60_000), final=False) +
                         frame(CONTINUATION, bytes(60_000), final=False)),
}


def violation(code, data):
    """The client gets the reason for the close; another client continues."""
    sample = Sample()
    with Fed() as source:
        source.write(sample.until(1))
        source.settle()
        (client, _), (watcher, _) = served(source), served(source)
        client.connection.sendall(data)
        got = client.close_code()
        check(got == code, f"close code {got}, not {code}")
        source.write(sample.groups[1])
        check(watcher.receive()[0] == BINARY, "the other doesn't go on")
        watcher.close()


for name, expected in VIOLATIONS.items():
    add_case(f"closed-for-{name}", functools.partial(violation, *expected))


def handshake(port, fields, method="GET"):
    response = ask(port, method, "/live.flv", fields)
    response.close()
    return response.status


@case
def handshakes():
    with Fed() as source:
        source.write(Sample().until(1))
        source.settle()
        check(handshake(source.port, [*UPGRADE, KEY]) == 101, "not the RFC's own")
        check(handshake(source.port, ["Upgrade: WebSocket", "Connection: keep-alive, Upgrade",
                                      "Sec-WebSocket-Version: 13", KEY]) == 101, "not Firefox's")
        check(handshake(source.port, UPGRADE) == 400, "one without a key")
        check(handshake(source.port, ["Upgrade: websocket", KEY]) == 400, "one without the rest")
        for version in ("8", "14", "x"):
            old = ask(source.port, "GET", "/live.flv",
                      [*UPGRADE[:2], f"Sec-WebSocket-Version: {version}", KEY])
            check(old.status == 426, f"{old.status} for version {version}")
            check(old.headers["sec-websocket-version"] == "13", str(old.headers))
            check(old.read_all() == b"", "a body")
        check(handshake(source.port, [*UPGRADE, KEY], "POST") == 405, "one with POST")
        check(handshake(source.port, ["Upgrade: h2c", "Connection: Upgrade"]) == 200, "HTTP/2")
        check(get(source.port, "/other", [*UPGRADE, KEY]).status == 404, "another path")


@case
def extensions_are_declined():
    with Fed() as source:
        source.write(Sample().until(1))
        source.settle()
        client = WebSocket(source.port, fields=[
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"])
        check("sec-websocket-extensions" not in client.response.headers, "an extension")
        check(client.receive()[0] == BINARY, "no message")
        client.close()


def origins(setting, allowed, refused):
    with Fed(f"'allow-origin=\"{setting}\"'") as source:
        source.write(Sample().until(1))
        source.settle()
        for origin in allowed:
            fields = [origin.replace("PORT", str(source.port))] if origin else []
            check(handshake(source.port, [*UPGRADE, KEY, *fields]) == 101, f"not from {fields}")
        for origin in refused:
            status = handshake(source.port, [*UPGRADE, KEY, origin])
            check(status == 403, f"{status} from {origin}")
        wait_until(lambda: statistics(source.port)["clients-now"] == 0, "some are still there")


def client_of(name, tls):
    """Other clients, without a proxy. Those of Node check the handshake strictly."""
    needs("node")
    modules = pathlib.Path(os.environ["FLV_NPM"]) / "browser"
    if name != "node" and not (modules / "node_modules" / name).exists():
        raise Skip(f"no {name}: scripts/test installs it")
    port = free_port()
    settings = ""
    if tls:
        certificate()
        settings = "tls-certificate=both.pem"
    with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv {settings}", port):
        driver = pathlib.Path(__file__).parent / "browser/socket.mjs"
        flags = "--experimental-websocket" if name == "node" else ""
        done = run(f"NODE_EXTRA_CA_CERTS=certificate.pem node --no-warnings {flags} {driver} "
                   f"{modules} {name} {'wss' if tls else 'ws'}://localhost:{port}/live.flv")
        if "bad option" in done.stderr or done.stdout.strip() == "none":
            raise Skip("node has no WebSocket of its own")
        check(done.stdout.strip() == "FLV 1000 true", f"{name}: {done.stdout}{done.stderr}")


for client in ("node", "undici", "ws"):
    add_case(f"{client}-connects", functools.partial(client_of, client, False))
    add_case(f"{client}-connects-with-tls", functools.partial(client_of, client, True))


add_case("any-origin", functools.partial(
    origins, "*", [None, f"Origin: {SITE}", "Origin: null"], []))
add_case("one-origin", functools.partial(
    origins, SITE, [None, f"Origin: {SITE}"],
    ["Origin: https://example.com", "Origin: http://example.org", f"Origin: {SITE}.evil.com",
     "Origin: null"]))
add_case("own-origin", functools.partial(
    origins, "", [None, "Origin: http://localhost"], [f"Origin: {SITE}", "Origin: null"]))


if __name__ == "__main__":
    main()
