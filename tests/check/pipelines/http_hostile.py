#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Broken and hostile clients of httpserversink: other clients are not affected, and all resources
are released."""

import contextlib
import functools
import os
import resource
import socket
import ssl
import struct
import time

from http_client import (LOOP, Response, Watcher, certificate, check_gapless, connect, descriptors,
                         get, memory, request, serve, statistics, stream_of)
from pipeline import Skip, add_case, case, check, free_port, main, wait_until
from websocket_client import BINARY, PING, WebSocket, frame

RESETS = 10_000


@contextlib.contextmanager
def under_attack(settings="", tls=None):
    """A stream and a client that watches it. At the end, the client has missed nothing, the process
    has no additional descriptor, and a new client is served."""
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv stats-path=/stats {settings}",
               port) as server:
        watcher = Watcher(port, tls)
        before = descriptors(server)
        try:
            yield port, server
            wait_until(lambda: descriptors(server) <= before,
                       f"{descriptors(server)} descriptors, {before} before")
            time.sleep(0.5)
        finally:
            stream = watcher.end()
        check(server.poll() is None, "it has ended")
        check_gapless(stream)
        stream_of(port, tls=tls).read(1000)


def reset(connection):
    """Closes the connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def is_closed(connection, seconds):
    """Whether the peer closes within `seconds`."""
    connection.settimeout(seconds)
    try:
        while connection.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    finally:
        connection.close()
    return True


# Requests


@case
def slow_requests():
    """A byte now and then, or no byte."""
    with under_attack("request-timeout=1000") as (port, _):
        slow = [connect(port) for _ in range(100)]
        silent = [connect(port) for _ in range(100)]
        start = time.monotonic()
        text = request("GET", "/live.flv", ["User-Agent: slow"])
        for at in range(30):
            for connection in slow:
                with contextlib.suppress(OSError):
                    connection.send(text[at:at + 1])
            time.sleep(0.05)
            if at == 5:
                stream_of(port).read(1000)
        took = time.monotonic() - start
        check(all(is_closed(each, 3) for each in [*slow, *silent]), "they may stay")
        check(took < 4, f"the machine took {took:.3f} s for what takes 1.5")


@case
def endless_requests():
    with under_attack() as (port, _):
        for line in (b"X-Field: value\r\n", b"x" * 1000, b"\r\n \r\n", b"\0"):
            connection = connect(port)
            with contextlib.suppress(OSError):
                connection.sendall(b"GET /live.flv HTTP/1.1\r\n")
                for _ in range(20_000):
                    connection.send(line)
            check(is_closed(connection, 3), f"it waits for more of {line!r}")


@case
def connections_that_are_reset():
    """Before, within and after the request."""
    whole = request("GET", "/live.flv")
    upgrade = request("GET", "/live.flv", ["Upgrade: websocket", "Connection: Upgrade",
                                           "Sec-WebSocket-Version: 13",
                                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
    with under_attack() as (port, _):
        for number in range(RESETS):
            connection = connect(port)
            # Most of them at once, because the stream takes time.
            said = {1: whole[:10], 2: whole, 3: upgrade}.get(number % 20, b"")
            if said:
                connection.sendall(said)
            reset(connection)


@case
def bodies_and_pipelined_requests():
    with under_attack() as (port, _):
        text = request("GET", "/live.flv", ["Content-Length: 100000000"])
        for more in (b"x" * 1000, b"x" * 1_000_000, request("GET", "/live.flv") * 10):
            connection = connect(port)
            with contextlib.suppress(OSError):
                connection.sendall(text + more)
            reset(connection)
        connection = connect(port)
        with contextlib.suppress(OSError):
            connection.sendall(request("POST", "/live.flv", ["Content-Length: 100000000"]))
            for _ in range(100):
                connection.send(bytes(10_000))
        reset(connection)


@case
def half_closed_connections():
    """The client closes its sending side, but still reads."""
    with under_attack() as (port, _):
        connection = connect(port)
        connection.sendall(request("GET", "/live.flv"))
        connection.shutdown(socket.SHUT_WR)
        response = Response(connection)
        check(response.status == 200, f"status {response.status}")
        stream = response.read_pictures(60)
        response.close()
        check_gapless(stream, "who half closed")
        unfinished = connect(port)
        unfinished.sendall(request("GET", "/live.flv")[:-2])
        unfinished.shutdown(socket.SHUT_WR)
        check(is_closed(unfinished, 3), "a request that can't end is waited for")


# Descriptors

SILENT = 5000


def first_byte(port):
    """The time until a new client receives its first byte."""
    start = time.monotonic()
    client = stream_of(port)
    client.read(1)
    client.close()
    return time.monotonic() - start


def crowd(said):
    """Many connections that send only `said`, while a file is reopened again and again and few
    descriptors are left."""
    needed = SILENT + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Skip(f"{hard} descriptors, not {needed}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    port = free_port()
    limits = "ulimit -S -n 1024;"
    # Several rounds of the file, each of which opens it.
    with serve(f"{LOOP} speed=10 ! httpserversink port={port} path=/live.flv max-lag=60000 "
               "request-timeout=60000", port, limits) as server:
        watcher = Watcher(port)
        held = []
        took = []
        for number in range(SILENT):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", port))
            held.append(connection)
            if said:
                with contextlib.suppress(OSError):
                    connection.send(said)
            if number % 500 == 499:
                took.append(first_byte(port))
        time.sleep(2)
        took.append(first_byte(port))
        count = descriptors(server)
        check(count <= 1024 - 32 + 2, f"{count} descriptors of 1024")
        check(server.poll() is None, "it has ended")
        stream = watcher.end()
        for connection in held:
            connection.close()
    check_gapless(stream)
    check(max(took) < 1, f"a first byte after {max(took):.3f} s")


add_case("many-silent-connections", functools.partial(crowd, b""))
add_case("many-unfinished-requests",
         functools.partial(crowd, b"GET /live.flv HTTP/1.1\r\nHost: a\r\n"))
add_case("many-unfinished-bodies",
         functools.partial(crowd, request("POST", "/live.flv", ["Content-Length: 1000"])))


@case
def no_descriptor_left_for_more_clients():
    """The maximum number of clients; waiting connections are accepted when others leave."""
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv", port,
               "ulimit -S -n 100;") as server:
        served = []
        for _ in range(100):
            connection = connect(port)
            connection.sendall(request("GET", "/live.flv"))
            served.append(connection)
        time.sleep(1.5)
        count = descriptors(server)
        check(count <= 100 - 32 + 1, f"{count} descriptors of 100")
        check(Response(served[0]).status == 200, "the first is not served")
        for connection in served[:80]:
            reset(connection)
        check(Response(served[-1]).status == 200, "the last is not served")
        check(server.poll() is None, "it has ended")
        for connection in served[80:]:
            reset(connection)


@case
def statistics_under_load():
    """Many concurrent requests for statistics with many clients and long client descriptions. New
    clients do not wait for them."""
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv stats-path=/stats "
               "metrics-path=/metrics", port):
        wait_until(lambda: get(port).status == 200, "no stream")
        agent = ["User-Agent: " + "\x01\"" * 3500]
        clients = [get(port, fields=agent) for _ in range(300)]
        wait_until(lambda: statistics(port)["clients-now"] >= 300, "they are not there")
        asking = []
        for number in range(200):
            connection = connect(port)
            connection.sendall(request("GET", ("/stats", "/metrics")[number % 10 == 0]))
            asking.append(connection)
        took = first_byte(port)
        for connection in asking:
            response = Response(connection)
            check(response.status == 200, f"status {response.status}")
            response.read_all()
        shown = statistics(port)["clients"][0]["user-agent"]
        check(len(shown) == 256, f"a user agent of {len(shown)} characters")
        for client in clients:
            client.close()
    check(took < 1, f"a first byte after {took:.3f} s")


# WebSockets


@case
def garbage_behind_the_upgrade():
    with under_attack() as (port, _):
        for number in range(200):
            client = WebSocket(port)
            with contextlib.suppress(OSError):
                client.connection.sendall(os.urandom(1 + number * 7))
            if number % 2:
                reset(client.connection)
            else:
                client.connection.shutdown(socket.SHUT_WR)
                check(is_closed(client.connection, 5), "garbage keeps a client")


@case
def oversized_frames():
    with under_attack() as (port, _):
        for size in (70_000, 1 << 24, 1 << 40, (1 << 64) - 1):
            client = WebSocket(port)
            client.connection.sendall(frame(BINARY, bytes(1000), size=size))
            check(client.close_code() == 1009, f"another close code for {size}")


@case
def pings_whose_answers_nobody_reads():
    with under_attack("client-timeout=2000") as (port, server):
        before = memory(server)
        client = WebSocket(port)
        client.connection.settimeout(0.5)
        with contextlib.suppress(OSError):
            for _ in range(200_000):
                client.connection.send(frame(PING, bytes(125)))
        check(memory(server) - before < 16 << 20, f"{memory(server) - before} bytes of answers")
        client.close()


@case
def broken_tls():
    trusted = certificate()
    with under_attack("tls-certificate=both.pem request-timeout=1000", trusted) as (port, _):
        connections = []
        for number in range(100):
            connection = connect(port)
            connection.sendall([b"", os.urandom(200), b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3",
                                request("GET", "/live.flv")][number % 4])
            if number % 8 < 4:
                reset(connection)
            else:
                connections.append(connection)
        check(all(is_closed(each, 3) for each in connections), "they may stay")
        for _ in range(100):
            reset(connect(port, trusted))


def client_hello():
    outgoing = ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing,
                                                    server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


@case
def tls_handshakes_that_stand_still():
    """Any number of TLS handshakes that stall at any point do not delay other clients."""
    trusted = certificate()
    hello = client_hello()
    with under_attack("tls-certificate=both.pem request-timeout=20000", trusted) as (port, _):
        for said in (b"", hello[:5], hello[:-1], hello):
            held = [connect(port) for _ in range(100)]
            for connection in held:
                connection.sendall(said)
            start = time.monotonic()
            stream_of(port, tls=trusted).close()
            took = time.monotonic() - start
            check(took < 2, f"{took:.3f} s after {len(said)} bytes of others")
            for connection in held:
                connection.close()


if __name__ == "__main__":
    main()
