#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The addresses of httpserversink: ports, paths, hosts, and TLS."""

import pathlib
import socket

from flvfile import pictures
from http_client import (LOOP, Fed, Response, Sample, ask, certificate, connect, get, in_parallel,
                         request, serve, stream_of)
from pipeline import (background, case, check, check_decodes, check_same, finish, free_port, main,
                      needs, needs_element, run, wait_until)
from websocket_client import CLOSE, WebSocket


@case
def several_on_one_port():
    """Each element has its own path and its own statistics."""
    port = free_port()
    paths = [f"/live-{number}.flv" for number in range(4)]
    sinks = " ".join(f"{LOOP} ! httpserversink port={port} path={path} stats-path=/stats{path}"
                     for path in paths)
    with serve(sinks, port):
        for path in paths:  # one after another
            wait_until(lambda path=path: get(port, path).status == 200, f"no {path}")
        streams = in_parallel(*[lambda path=path: stream_of(port, path).read_pictures(30)
                                for path in paths])
        for path, stream in zip(paths, streams):
            check(stream[:3] == b"FLV", path)
            check(get(port, f"/stats{path}").status == 200, path)
        check(get(port, "/stats").status == 404, "another's path")


@case
def streams_do_not_mix():
    """Two streams on one port; a client can distinguish them."""
    needs_element("vp8enc", "webmmux")
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port} path=/a "
               "videotestsrc is-live=true ! vp8enc deadline=1 ! webmmux streamable=true ! "
               f"httpserversink port={port} path=/b", port):
        for path in ("/a", "/b"):
            wait_until(lambda path=path: get(port, path).status == 200, f"no {path}")
        one, other = in_parallel(lambda: stream_of(port, "/a").read(1000),
                                 lambda: stream_of(port, "/b").read(1000))
        check(one[:3] == b"FLV" and other[:4] == b"\x1a\x45\xdf\xa3", "the wrong stream")


def check_no_start(pipeline, *words):
    needs_element("httpserversink")
    done = run(f"gst-launch-1.0 {pipeline}")
    check(done.status != 0, "it starts")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    check(errors and all(word in errors[0] for word in words),
          f"not {words} in {done.stderr}")


@case
def two_on_the_same_path():
    port = free_port()
    check_no_start(f"{LOOP} ! httpserversink port={port} path=/twice.flv "
                   f"{LOOP} ! httpserversink port={port} path=/twice.flv", "/twice.flv", str(port))
    check_no_start(f"{LOOP} ! httpserversink port={port} path=/s stats-path=/s", "/s")
    check_no_start(f"{LOOP} ! httpserversink port={port} path=live.flv", "live.flv")


@case
def port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        check_no_start(f"{LOOP} ! httpserversink port={port} address=127.0.0.1", str(port))
        check_no_start(f"{LOOP} ! httpserversink port={port}", str(port))
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port}", port):
        check_no_start(f"{LOOP} ! httpserversink port={port}", str(port))
        stream_of(port, "/").close()


@case
def address_that_is_not_here():
    check_no_start(f"{LOOP} ! httpserversink port={free_port()} address=192.0.2.1", "192.0.2.1")
    check_no_start(f"{LOOP} ! httpserversink port={free_port()} address=no.such.invalid",
                   "no.such.invalid")


@case
def both_families():
    """localhost has two addresses if the system has both families, and so does ::."""
    if not socket.has_ipv6 or run("grep -q ' lo$' /proc/net/if_inet6").status != 0:
        families = ["127.0.0.1"]
    else:
        families = ["127.0.0.1", "::1"]
    for address in ("localhost", "::" if len(families) == 2 else "0.0.0.0"):
        port = free_port()
        with serve(f"{LOOP} ! httpserversink port={port} address={address}", port):
            for host in families:
                with socket.create_connection((host, port), timeout=10) as connection:
                    connection.sendall(request("GET", "/"))
                    check(Response(connection).status == 200, f"{host} of {address}")


# TLS


@case
def https():
    needs("curl")
    trusted = certificate()
    for files in ("tls-certificate=certificate.pem tls-key=key.pem", "tls-certificate=both.pem"):
        port = free_port()
        with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv {files}", port):
            done = run("curl -sS --cacert certificate.pem -m 2 -o secure.flv "
                       f"-w '%{{http_code}} %{{content_type}}' https://localhost:{port}/live.flv")
            check(done.stdout == "200 video/x-flv", f"{done.stdout}{done.stderr}")
            secure = stream_of(port, tls=trusted)
            start = secure.read_pictures(30)
            check(ask(port, "OPTIONS", "/live.flv", tls=trusted).status == 204, "no preflight")
            check(get(port, "/other", tls=trusted).status == 404, "no 404")
            pathlib.Path("start.flv").write_bytes(start)
            check_decodes("start.flv", pictures(start))
            # A client without TLS receives nothing, and does not affect others.
            plain = connect(port)
            plain.sendall(request("GET", "/live.flv"))
            plain.settimeout(10)
            try:
                check(not plain.recv(100).startswith(b"HTTP"), "an answer without TLS")
            except ConnectionResetError:
                pass
            secure.read(len(secure.body) + 50_000)


@case
def wss():
    trusted = certificate()
    sample = Sample()
    with Fed("tls-certificate=both.pem max-lag=0 join=burst burst=60000") as source:
        source.write(sample.until(1))
        clients = in_parallel(lambda: WebSocket(source.port, tls=trusted),
                              lambda: WebSocket(source.port, tls=trusted))
        source.write(sample.behind(1))
        source.end()
        (_, one), (_, other) = in_parallel(*[lambda it=it: it.receive_until(CLOSE) for it in clients])
        check_same(b"".join(one), b"".join(other), "the other client's")
        check(pictures(b"".join(one)) == pictures(sample.bytes), "pictures are missing")


@case
def tls_to_the_last_byte():
    """After the last picture the server closes the TLS session, so that players do not report a
    truncated stream."""
    needs("curl")
    certificate()
    sample = Sample()
    with Fed("tls-certificate=both.pem max-lag=0") as source:
        source.write(sample.until(1))
        with background(f"curl -sS --cacert certificate.pem https://localhost:{source.port}"
                        "/live.flv -o secure.flv") as curl:
            wait_until(lambda: pathlib.Path("secure.flv").exists(), "nothing comes")
            source.write(sample.behind(1))
            source.end()
            done = finish(curl)
            check(done.status == 0 and not done.stderr, f"curl: {done.status} {done.stderr}")
        check(finish(source.process).status == 0, "gst-launch fails")
    check_decodes("secure.flv", pictures(sample.bytes))


@case
def files_that_are_no_certificate():
    certificate()
    check_no_start(f"{LOOP} ! httpserversink port={free_port()} tls-certificate=none.pem",
                   "none.pem")
    check_no_start(f"{LOOP} ! httpserversink port={free_port()} tls-certificate=certificate.pem")
    port = free_port()
    check_no_start(f"{LOOP} ! httpserversink port={port} path=/a tls-certificate=both.pem "
                   f"{LOOP} ! httpserversink port={port} path=/b", str(port))


if __name__ == "__main__":
    main()
