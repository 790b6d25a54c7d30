#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvserve as a service: readiness, status, watchdog, socket activation, and the units."""

import contextlib
import fcntl
import os
import pathlib
import re
import socket
import subprocess
import time

from http_client import stream_of
from pipeline import ROOT, case, check, free_port, main, needs, run
from serverprocess import FLVSERVE, configured, movie, started, write_config

MOUNT = "[mount /live.flv]\nuris=movie.flv\nloop=true\n"
BUILT = pathlib.Path(FLVSERVE).parent


class Manager:
    """The socket to which a service sends its notifications."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("notify")
        self.socket.settimeout(20)
        self.environment = {**os.environ, "NOTIFY_SOCKET": os.path.abspath("notify")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def receive(self):
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def wait_for(self, name):
        while name not in (told := self.receive()):
            pass
        return told


@case
def a_service_is_ready_reloads_and_stops():
    movie()
    with Manager() as manager, configured(MOUNT, env=manager.environment) as server:
        ready = manager.receive()
        check(ready["READY"] == "1", f"{ready}")
        check(ready["STATUS"] == "Serving 1 mount and 0 folders to 0 clients", f"{ready}")
        client = stream_of(server.port)
        check(client.read_pictures(1), "nothing")
        check(manager.wait_for("STATUS")["STATUS"].endswith("to 1 client"), "no status")
        write_config(MOUNT + "[files /v]\nroot=.\n", server.port)
        before = time.monotonic_ns() // 1000
        server.reload()
        told = manager.wait_for("RELOADING")
        check(before <= int(told["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000, f"{told}")
        check("1 folder" in manager.wait_for("READY")["STATUS"], "no status")
        client.close()
        server.end()
        manager.wait_for("STOPPING")


@case
def it_is_ready_only_when_it_listens():
    movie()
    with Manager() as manager:
        with configured(MOUNT, env=manager.environment) as server:
            manager.wait_for("READY")
            socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
            server.end()
        manager.wait_for("STOPPING")
        write_config(MOUNT + "nothing=1\n", free_port())
        done = subprocess.run([FLVSERVE, "--config=flvserve.conf"], env=manager.environment,
                              capture_output=True, check=False)
        check(done.returncode == 1, f"exit status {done.returncode}")
        manager.socket.settimeout(0.1)
        with contextlib.suppress(TimeoutError):
            check(False, f"it says {manager.receive()}")


@case
def the_watchdog():
    movie()
    with Manager() as manager:
        manager.environment["WATCHDOG_USEC"] = "200000"
        with configured(MOUNT, env=manager.environment) as server:
            begin = time.monotonic()
            for _ in range(10):
                manager.wait_for("WATCHDOG")
            seconds = time.monotonic() - begin
            check(0.5 < seconds < 5, f"10 times in {seconds:.1f} s")
            server.end()


@contextlib.contextmanager
def activated(config, *sockets):
    """Runs flvserve with listening sockets, which are the descriptors from 3 on."""
    pathlib.Path("flvserve.conf").write_text(config, encoding="utf-8")
    moves = " ".join(f"{3 + at}<&{one.fileno()}" for at, one in enumerate(sockets))
    command = (f"LISTEN_PID=$$ LISTEN_FDS={len(sockets)} exec {FLVSERVE} --config=flvserve.conf "
               f"{moves}")
    port = sockets[0].getsockname()[1]
    with started(["-c", command], port, program="bash",
                 pass_fds=[one.fileno() for one in sockets]) as server:
        yield server


def high(one):
    """The same socket with a descriptor that is not in the way."""
    number = fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 100)
    one.close()
    return socket.socket(fileno=number)


@case
def sockets_of_the_manager():
    """A connection that was made before the start is served."""
    movie()
    with high(socket.create_server(("127.0.0.1", 0))) as one, \
            high(socket.create_server(("127.0.0.1", 0))) as other:
        ports = [each.getsockname()[1] for each in (one, other)]
        early = socket.create_connection(("127.0.0.1", ports[0]), timeout=20)
        early.sendall(b"GET /live.flv HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with activated(MOUNT, one, other) as server:
            check(early.recv(15) == b"HTTP/1.1 200 OK", "no answer")
            early.close()
            for port in ports:
                check(f"serving http://127.0.0.1:{port}/live.flv" in server.text, server.text)
                check(stream_of(port).read_pictures(3), "nothing")
            check("8080" not in server.text.replace(str(ports[0]), ""), server.text)
            server.end()


@case
def sockets_beside_an_address():
    movie()
    own = free_port()
    with high(socket.create_server(("127.0.0.1", 0))) as one:
        with activated(f"[server]\nlisten=127.0.0.1:{own}\n{MOUNT}", one) as server:
            for port in (own, server.port):
                check(stream_of(port).read_pictures(3), f"nothing at {port}")
            server.end()


@case
def levels_in_the_journal():
    """Only if the messages really go there."""
    movie()
    done = run(f"JOURNAL_STREAM=1:2 {FLVSERVE} nothing.flv")
    check(done.stderr.startswith("flvserve: cannot read nothing.flv"), done.stderr)
    run('exec 2>messages; JOURNAL_STREAM=$(stat -Lc %d:%i messages) '
               f"{FLVSERVE} nothing.flv || true")
    check(pathlib.Path("messages").read_text(encoding="utf-8").startswith("<3>flvserve: cannot"),
          "no level")


@case
def the_units():
    unit = (BUILT / "flvserve.service").read_text(encoding="utf-8")
    port = (ROOT / "tools/flvserve/systemd/flvserve.socket").read_text(encoding="utf-8")
    check("Type=notify" in unit and "WatchdogSec=" in unit, unit)
    check("ListenStream=" in port, port)
    needs("systemd-analyze")
    unit = re.sub(r"^(ExecStart(?:Pre)?=)\S+", rf"\g<1>{FLVSERVE}", unit, flags=re.MULTILINE)
    pathlib.Path("flvserve.service").write_text(re.sub("^Documentation.*\n", "", unit, flags=re.M),
                                                encoding="utf-8")
    pathlib.Path("flvserve.socket").write_text(re.sub("^Documentation.*\n", "", port, flags=re.M),
                                               encoding="utf-8")
    done = run("systemd-analyze verify ./flvserve.service ./flvserve.socket 2>&1")
    complaints = [line for line in done.stdout.splitlines() if "flvserve" in line]
    check(not complaints, "\n".join(complaints))
    told = run("systemd-analyze security --offline=true --no-pager ./flvserve.service")
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", told.stdout)
    check(not exposure or float(exposure[1]) < 3, told.stdout)


@case
def the_example_is_valid():
    text = (ROOT / "tools/flvserve/systemd/flvserve.conf").read_text(encoding="utf-8")
    os.mkdir("srv")
    movie("srv/movie.flv")
    everything = re.sub(r"^#(?=[\[a-z])", "", text, flags=re.MULTILINE)
    for version in (text, everything):
        pathlib.Path("a.conf").write_text(
            version.replace("/srv", "srv").replace("/var/log/flvserve/", ""), encoding="utf-8")
        run(f"{FLVSERVE} --config=a.conf --check-config").ok()


main()
