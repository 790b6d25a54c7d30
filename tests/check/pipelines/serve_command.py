#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvserve: one file, URL, folder or standard input, from the command line."""

import contextlib
import http.server
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

from commandline import StatusHandler, web_server
from flvfile import clip, is_clean, pictures, tags_of, whole_part
from http_client import ask, certificate, get, media, stream_of
from pipeline import (SAMPLE, case, check, check_decodes, free_port, main, needs, run, wait_until)
from serverprocess import (FLVSERVE, configured, converted, movie, serve_once, serving, span)
from websocket_client import WebSocket


def check_played(server, path="/movie.flv", count=30, file="copy.flv"):
    """A client that connects now gets a stream that decodes."""
    client = stream_of(server.port, path)
    stream = client.read_pictures(count)
    client.close()
    pathlib.Path(file).write_bytes(stream)
    check_decodes(file, pictures(stream))
    return stream


# The command line


@case
def version_and_help():
    check(re.fullmatch(r"flvserve \d+\.\d+\.\d+\n", serve_once("--version").ok().stdout), "version")
    told = serve_once("--help").ok().stdout
    for option in ("--config", "--listen", "--loop", "--check-config", "--print-config", "--version"):
        check(option in told, f"no {option} in:\n{told}")


@case
def errors_of_the_command_line():
    movie()
    os.mkdir("folder")
    for arguments, status, text in (
            ("", 2, "FILE, URL, -, DIRECTORY or --config=FILE is missing; see flvserve --help"),
            ("movie.flv other.flv", 2, "but there is also other.flv; several need --config"),
            ("--config=a.conf movie.flv", 2, "--config excludes movie.flv"),
            ("--config=a.conf --loop", 2, "--config excludes --loop"),
            ("--listen=x movie.flv", 2, "--listen=x is not [HOST:]PORT"),
            ("--check-config --print-config movie.flv", 2, "exclude each other"),
            ("--nothing movie.flv", 2, "--nothing"),
            ("''", 2, "the name of the file is empty"),
            ("missing.flv", 1, "cannot read missing.flv: No such file or directory"),
            ("nosuch://a/b", 1, "GStreamer has no source for nosuch URIs"),
            ("--loop -", 1, "--loop needs a file"),
            ("--loop folder", 1, "--loop is for one file, and folder is a folder"),
            ("--config=missing.conf", 1, "cannot read missing.conf: No such file or directory")):
        done = serve_once(arguments)
        check(done.status == status and text in done.stderr,
              f"{arguments}: exit status {done.status}: {done.stderr}")
        check(done.stderr.startswith("flvserve: ") and done.stderr.count("\n") == 1, done.stderr)


@case
def a_port_in_use():
    movie()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = serve_once(f"--listen=127.0.0.1:{port} movie.flv")
    check(done.status == 1, f"exit status {done.status}")
    check(f"cannot listen on 127.0.0.1:{port}: " in done.stderr, done.stderr)


@case
def sources_that_are_not_media():
    pathlib.Path("page.flv").write_text("<html><body>" + 600 * "x", encoding="utf-8")
    pathlib.Path("empty.flv").touch()
    pathlib.Path("noise.flv").write_bytes(bytes(range(256)) * 8)
    for name, text in (("page.flv", "the source is HTML"), ("empty.flv", "cannot serve empty.flv: "),
                       ("noise.flv", "cannot serve noise.flv: ")):
        done = serve_once(f"--listen={free_port()} {name}")
        check(done.status == 1 and text in done.stderr, f"{done.status}: {done.stderr}")


@case
def the_configuration_of_a_command_line():
    movie()
    port = free_port()
    told = serve_once(f"--print-config --loop --listen=127.0.0.1:{port} movie.flv").ok().stdout
    check(told == f"[server]\nlisten=127.0.0.1:{port}\n\n"
                  f"[mount /movie.flv]\nuris={pathlib.Path('movie.flv').resolve()}\nloop=true\n", told)
    pathlib.Path("a.conf").write_text(told, encoding="utf-8")
    serve_once("--check-config --config=a.conf").ok()
    check(serve_once("--print-config --config=a.conf").ok().stdout == told, "it changes")
    other = serve_once("--print-config --config=a.conf --listen=:80 --listen=[::1]:81").ok().stdout
    check("listen=:80;[::1]:81\n" in other, other)


@case
def errors_of_a_configuration():
    movie()
    pathlib.Path("a.conf").write_text("[mount /a.flv]\nuris=movie.flv\nbrust=1\n[what]\n",
                                      encoding="utf-8")
    for option in ("--check-config", "--print-config", ""):
        done = serve_once(f"{option} --config=a.conf")
        first, second = done.stderr.splitlines()
        check(done.status == 1 and not done.stdout, f"exit status {done.status}: {done.stdout}")
        check(first.startswith('flvserve: a.conf:3: unknown key "brust" in [mount]; '), first)
        check(second.startswith("flvserve: a.conf:4: unknown section [what]; "), second)


# A file


@case
def a_file_is_sent_in_real_time():
    expected = clip(4)
    begin = time.monotonic()
    with serving("movie.flv") as server:
        check(f"serving http://127.0.0.1:{server.port}/movie.flv" in server.lines[0], server.text)
        first = stream_of(server.port, "/movie.flv")
        second = stream_of(server.port, "/movie.flv")
        check(get(server.port, "/other.flv").status == 404, "something at another path")
        streams = [first.read_all(), second.read_all()]
        seconds = time.monotonic() - begin
        check(server.wait() == 0, server.text)
        check("[mount /movie.flv]: the source has ended" in server.text, server.text)
    for stream in streams:
        check(media(stream) == media(expected), "not all of it")
    check(3.8 < seconds < 8, f"it took {seconds:.1f} s")


@case
def a_file_is_repeated():
    clip(2)
    with serving("--loop", "movie.flv") as server:
        client = stream_of(server.port, "/movie.flv")
        stream = client.read_pictures(50 * 3 + 10)
        check_played(server)
        server.end()
    check(is_clean(stream), "the timestamps jump")
    shown = [tag.data for tag in tags_of(stream) if tag.picture]
    check(shown[:10] == shown[50:60] == shown[150:160], "not the same pictures again")
    pathlib.Path("loop.flv").write_bytes(stream)
    check_decodes("loop.flv", pictures(stream))


@case
def a_client_begins_at_a_key_frame_with_the_burst():
    movie()
    for burst, least, most in (("", 0, 2900), ("burst=3000", 2800, 5500)):
        with configured(f"[mount /a.flv]\nuris=movie.flv\nloop=true\n{burst}\n") as server:
            first = stream_of(server.port, "/a.flv")
            first.read_pictures(120)
            late = stream_of(server.port, "/a.flv")
            late.read_for(0.4)
            stream = whole_part(bytes(late.body))
            tags = [tag for tag in tags_of(stream) if tag.media]
            check(tags[0].timestamp == 0 and any(tag.key for tag in tags[:3]), "no start")
            check(least <= span(stream) <= most, f"{burst}: {span(stream)} ms at once")
            late.close()
            first.close()


@case
def names_are_escaped():
    movie("a b#1.flv")
    with serving("a b#1.flv") as server:
        check(server.lines[0].endswith("/a%20b%231.flv"), server.text)
        check_played(server, "/a%20b%231.flv")


# Other sources


@contextlib.contextmanager
def encoder(name="movie.flv", options="-stream_loop -1"):
    """ffmpeg as a live encoder: it paces its output."""
    needs("ffmpeg")
    with subprocess.Popen(["ffmpeg", "-v", "error", "-re", *options.split(), "-i", name, "-c", "copy",
                           "-f", "flv", "-"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@case
def standard_input():
    clip(4)
    with encoder(options="") as source, serving("-", stdin=source.stdout) as server:
        source.stdout.close()
        check(server.lines[0].endswith("/live.flv"), server.text)
        stream = stream_of(server.port).read_all()
        check(server.wait() == 0, server.text)
    check(pictures(stream) == 100, f"{pictures(stream)} pictures")


@case
def standard_input_that_is_a_file_is_paced():
    expected = clip(2)
    begin = time.monotonic()
    with open("movie.flv", "rb") as file, serving("-", stdin=file) as server:
        stream = stream_of(server.port).read_all()
        check(server.wait() == 0, server.text)
    check(media(stream) == media(expected), "not all of it")
    check(time.monotonic() - begin > 1.8, "it is not paced")


@case
def standard_input_without_data():
    done = run(f"{FLVSERVE} --listen={free_port()} - < /dev/null | cat; exit ${{PIPESTATUS[0]}}")
    check(done.status == 1 and "cannot serve -: " in done.stderr, f"{done.status} {done.stderr}")


class LiveHandler(http.server.BaseHTTPRequestHandler):
    """A stream without a length, in real time."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        with encoder() as source, contextlib.suppress(OSError):
            while data := source.stdout.read1():
                self.wfile.write(data)

    def log_message(self, *_):
        pass


@case
def a_stream_of_another_server():
    movie()
    with web_server(LiveHandler) as web, serving(f"{web}/live/cam.flv?key=1") as server:
        check(server.lines[0].endswith("/cam.flv"), server.text)
        check_played(server, "/cam.flv")
        server.end()


@case
def a_file_of_another_server_is_paced():
    expected = clip(2)
    begin = time.monotonic()
    with web_server() as web, serving(f"{web}/movie.flv") as server:
        stream = stream_of(server.port, "/movie.flv").read_all()
        check(server.wait() == 0, server.text)
    check(media(stream) == media(expected), "not all of it")
    check(time.monotonic() - begin > 1.8, "it is not paced")


@case
def errors_of_another_server():
    pathlib.Path("page").write_text("<html>" + 600 * "x", encoding="utf-8")
    with web_server() as web:
        for url, text in ((f"{web}/404/a.flv", "Not Found"), (f"{web}/page", "the source is HTML"),
                          (f"http://127.0.0.1:{free_port()}/a.flv", "")):
            done = serve_once(f"--listen={free_port()} {url}")
            check(done.status == 1 and done.stderr.splitlines()[-1].startswith(
                f"flvserve: cannot serve {url}: "), f"{done.status}: {done.stderr}")
            check(text in done.stderr, done.stderr)


@case
def a_folder():
    expected = movie()
    os.mkdir("sub")
    with serving(".") as server:
        check(server.lines[0].endswith(f"http://127.0.0.1:{server.port}/"), server.text)
        check(get(server.port, "/movie.flv").read_all() == expected, "other bytes")
        check(ask(server.port, "HEAD", "/sub").status == 404, "something for a folder")
        check(get(server.port, "/none.flv").status == 404, "something for no file")
        server.end()


@case
def a_fifo_with_one_writer_after_another():
    movie()
    os.mkfifo("fifo")
    with configured("[mount /a.flv]\nuris=fifo\n") as server:
        for count in (1, 2):
            with encoder() as source, open("fifo", "wb") as fifo:
                pump = threading.Thread(target=copy, args=(source.stdout, fifo))
                pump.start()
                late_client(server).close()
                check_played(server, "/a.flv")
                source.kill()
                pump.join()
            server.wait_for("[mount /a.flv]: the source has ended", count)
        server.end()


def copy(source, sink):
    with contextlib.suppress(OSError, ValueError):
        while data := source.read1():
            sink.write(data)
            sink.flush()


@case
def a_unix_socket():
    movie()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        listener.listen()
        with configured("[mount /a.flv]\nuris=socket\n") as server, encoder() as source:
            connection, _ = listener.accept()
            with connection, connection.makefile("wb") as sink:
                pump = threading.Thread(target=copy, args=(source.stdout, sink))
                pump.start()
                check_played(server, "/a.flv")
                source.kill()
                pump.join()
            server.end()


@case
def a_pipeline():
    movie()
    with configured("[mount /a.flv]\nlaunch=multifilesrc location=movie.flv loop=true ! flvpace\n",
                    cwd=os.getcwd()) as server:
        check_played(server, "/a.flv")
        server.end()


@case
def a_mount_of_another_mount():
    movie()
    with configured("[mount /b.flv]\nfrom=/a.flv\n[mount /c.flv]\nfrom=/b.flv\n"
                    "[mount /a.flv]\nuris=movie.flv\nloop=true\n") as server:
        one = stream_of(server.port, "/a.flv")
        two = stream_of(server.port, "/c.flv")
        first, second = one.read_pictures(80), two.read_pictures(80)
        common = {tag.data for tag in tags_of(first) if tag.picture}
        check(sum(tag.data in common for tag in tags_of(second) if tag.picture) > 60, "other pictures")
        check_played(server, "/b.flv")
        server.end()


# Failures of sources


@case
def a_source_that_comes_later():
    with configured("[mount /a.flv]\nuris=movie.flv\nwait-timeout=200\n") as server:
        server.wait_for("[mount /a.flv]: cannot open ")
        response = get(server.port, "/a.flv")
        check(response.status == 503 and "retry-after" in response.headers, f"{response.status}")
        movie("new.flv")
        os.rename("new.flv", "movie.flv")
        server.wait_for("[mount /a.flv]: the source is back")
        check_played(server, "/a.flv")
        check(server.text.count("cannot open") == 1, server.text)
        server.end()


@case
def a_mount_after_the_end_of_its_file():
    clip(1)
    with configured("[mount /a.flv]\nuris=movie.flv\n[mount /b.flv]\nuris=movie.flv\nloop=true\n"
                    ) as server:
        server.wait_for("[mount /a.flv]: the source has ended")
        response = get(server.port, "/a.flv")
        check(response.status == 503 and "retry-after" in response.headers, f"{response.status}")
        check_played(server, "/b.flv")
        server.end()


class Publisher(http.server.ThreadingHTTPServer):
    """Another server, whose streams can be cut."""

    def __init__(self, port):
        self.connections = []
        super().__init__(("127.0.0.1", port), LiveHandler)

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def cut(self):
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def publisher(port):
    server = Publisher(port)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.cut()


@case
def a_server_that_stops_and_returns():
    """Its clients are closed, and the source is opened again."""
    movie()
    port = free_port()
    with configured(f"[mount /a.flv]\nuris=http://127.0.0.1:{port}/a.flv\n") as server:
        for count in (1, 2):
            with publisher(port):
                client = stream_of(server.port, "/a.flv") if count == 1 else late_client(server)
                client.read_pictures(10)
            stream = client.read_all()
            check(whole_part(stream) == stream, "it ends inside a tag")
            server.wait_for("is opened again", count)
        server.end()


def late_client(server):
    wait_until(lambda: ask(server.port, "HEAD", "/a.flv").status == 200, "it does not come back")
    return stream_of(server.port, "/a.flv")


# Clients


@case
def websockets_and_limits():
    movie()
    with configured("[mount /a.flv]\nuris=movie.flv\nloop=true\n[files /v]\nroot=.\n",
                    "max-clients=2") as server:
        first = WebSocket(server.port, "/a.flv")
        second = stream_of(server.port, "/a.flv")
        second.read_pictures(1)
        third = get(server.port, "/a.flv")
        check(third.status == 503 and "retry-after" in third.headers, f"{third.status}")
        check(get(server.port, "/v/movie.flv").status == 503, "a download more")
        second.close()
        wait_until(lambda: get(server.port, "/v/movie.flv").status == 200, "no free place")
        first.close()
        server.end()


@case
def tls():
    movie()
    trust = certificate()
    with configured("[mount /a.flv]\nuris=movie.flv\nloop=true\n",
                    "tls-certificate=certificate.pem\ntls-key=key.pem\n") as server:
        check("serving https://127.0.0.1:" in server.text, server.text)
        check(stream_of(server.port, "/a.flv", tls=trust).read_pictures(5), "nothing")
        server.end()


@case
def several_addresses():
    movie()
    ports = [free_port(), free_port()]
    with serving(f"--listen=127.0.0.1:{ports[0]}", f"--listen=localhost:{ports[1]}", "--loop",
                 "movie.flv") as server:
        for port in (server.port, *ports):
            check(stream_of(port, "/movie.flv").read_pictures(5), "nothing")
        check(server.text.count("serving http") == 3, server.text)
        server.end()


# Signals


@case
def a_signal_drains():
    """A client gets what is left, up to a whole tag. New connections are refused."""
    movie()
    for number in (signal.SIGTERM, signal.SIGINT):
        with serving("--loop", "movie.flv") as server:
            client = stream_of(server.port, "/movie.flv")
            client.read_pictures(10)
            server.end(number, timeout=10)
            stream = client.read_all()
        check(whole_part(stream) == stream, "it ends inside a tag")


@case
def a_download_may_end_in_the_drain():
    pathlib.Path("big.bin").write_bytes(bytes(64 << 20))
    with configured("[files /]\nroot=.\n", "drain-timeout=20000") as server:
        client = get(server.port, "/big.bin")
        client.read(1 << 20)
        server.send(signal.SIGTERM)
        wait_until(lambda: refused(server.port), "it still accepts")
        check(server.process.poll() is None, "it ended before the download")
        check(len(client.read_all()) == 64 << 20, f"{len(client.body)} bytes")
        check(server.wait(10) == 0, server.text)


@case
def the_drain_ends_after_its_timeout_or_a_second_signal():
    pathlib.Path("big.bin").write_bytes(bytes(64 << 20))
    for timeout in (500, 60000):
        with configured("[files /]\nroot=.\n", f"drain-timeout={timeout}") as server:
            client = get(server.port, "/big.bin", buffer=4096)
            client.read(1000)
            server.send(signal.SIGTERM)
            wait_until(lambda: refused(server.port), "it still accepts")
            if timeout > 1000:
                server.send(signal.SIGTERM)
            check(server.wait(10) == 0, server.text)
            client.close()


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was in the queue of the listening socket
        return False
    return False


@case
def a_signal_while_the_source_is_silent():
    os.mkfifo("fifo")
    with configured("[mount /a.flv]\nuris=fifo\n") as server:
        server.end(timeout=5)
    with web_server(SilentHandler) as web, serving(f"{web}/a.flv") as server:
        server.end(timeout=15)


class SilentHandler(StatusHandler):
    """Accepts, and sends nothing."""

    def do_GET(self):
        time.sleep(30)


main()
