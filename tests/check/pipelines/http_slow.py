#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slow clients of httpserversink, and the statistics of clients."""

import json
import pathlib
import re
import threading
import time

from flvfile import tags_of, whole_part
from http_client import (LOOP, Fed, Sample, Watcher, certificate, check_gapless, get, in_parallel,
                         memory, serve, statistics, stream_of)
from pipeline import ROOT, case, check, free_port, main, needs, run, wait_until
from websocket_client import WebSocket

CLIENT_FIELDS = {"id", "address", "user-agent", "transport", "since", "duration", "bytes", "rate",
                 "lag", "lag-minimum", "lag-average", "lag-maximum", "skips", "start-point"}


@case
def slow_client_skips():
    """The client does not read for a while, and then continues at a keyframe. Its timeline has no
    gap longer than the missed media, and the memory stays constant."""
    port = free_port()
    with serve(f"{LOOP} speed=10 ! httpserversink port={port} path=/live.flv stats-path=/stats "
               "max-lag=5000 max-lag-bytes=4000000", port) as server:
        watcher = Watcher(port)
        slow = stream_of(port, buffer=4096, fields=["User-Agent: slow"])

        def told():
            return next(each for each in statistics(port)["clients"]
                        if each["user-agent"] == "slow")

        slow.read(100_000)
        before = memory(server)
        wait_until(lambda: told()["lag-maximum"] > 4000, "it does not fall behind", timeout=30)
        time.sleep(3)
        check(told()["lag"] > 15_000, f"a lag of {told()['lag']} ms, of more than 20 000")
        check(memory(server) - before < 16 << 20, f"{memory(server) - before} bytes more")
        check(statistics(port)["history-bytes"] < 5_000_000, str(statistics(port)))
        wait_until(lambda: slow.more() and told()["skips"] > 0, "no skip is counted")
        behind = len(slow.body)
        while len(slow.body) < behind + 4_000_000:
            check(slow.more(), "it is closed")
        stream = whole_part(bytes(slow.body))
        slow.close()
        wait_until(lambda: len(statistics(port)["clients"]) == 1, "it is still there")
        total = statistics(port)
        seen = watcher.end()
    check(total["skips"] > 0 and total["clients"][0]["skips"] == 0, str(total))
    check_gapless(seen)
    tags = [tag for tag in tags_of(stream) if tag.media]
    order = {tag.data: at for at, tag in
             enumerate(one for one in tags_of(Sample().bytes) if one.picture)}
    shown = [tag for tag in tags if tag.picture]
    jumps = 0
    for one, other in zip(shown, shown[1:]):
        if order[other.data] != (order[one.data] + 1) % len(order):
            jumps += 1
            check(other.key, "it goes on at another picture than a key frame")
        check(0 <= other.timestamp - one.timestamp < 500,
              f"{one.timestamp} ms and then {other.timestamp}")
    check(jumps > 0, "there is no skip")
    pathlib.Path("slow.flv").write_bytes(stream)
    # After a skip, pictures are closer together than the frame rate implies.
    needs("ffmpeg")
    done = run("cat slow.flv | ffmpeg -v warning -xerror -i pipe: -enc_time_base:v 1:1000 -f null -")
    check(done.ok().stderr == "", f"ffmpeg on slow.flv: {done.stderr}")


@case
def stalled_client_is_closed():
    sample = Sample()
    with Fed("client-timeout=1000 max-lag=0") as source:
        source.write(sample.until(1))
        source.settle()
        stalled, reading = stream_of(source.port, buffer=4096), stream_of(source.port)
        drain = threading.Thread(target=reading.read_all)
        drain.start()
        for _ in range(8):
            source.write(sample.bytes)
        start = time.monotonic()
        wait_until(lambda: statistics(source.port)["clients-now"] == 1, "it may stay", timeout=8)
        check(time.monotonic() - start < 5, "it was closed late")
        check(drain.is_alive(), "the other was closed, too")
        source.end()
        drain.join()
    check(len(reading.body) > 7 * len(sample.bytes), f"the other has {len(reading.body)} bytes")
    stalled.close()


@case
def client_that_has_nothing_to_take_stays():
    """During a pause of the source, no client counts as slow."""
    sample = Sample()
    with Fed("client-timeout=500") as source:
        source.write(sample.until(1))
        source.settle()
        client = stream_of(source.port)
        client.read_pictures(50)
        check(client.is_quiet(1.5), "something came, or it was closed")
        source.write(sample.groups[1])
        client.read_pictures(100)


@case
def many_stalled_clients():
    port = free_port()
    with serve(f"{LOOP} speed=5 ! httpserversink port={port} path=/live.flv stats-path=/stats "
               "max-lag-bytes=3000000", port) as server:
        watcher = Watcher(port)
        before = memory(server)
        stalled = in_parallel(*[lambda: stream_of(port, buffer=4096)] * 50)
        time.sleep(4)
        grown = memory(server) - before
        for each in stalled:
            each.close()
        wait_until(lambda: statistics(port)["clients-now"] == 1, "they are still there")
        check_gapless(watcher.end())
    check(grown < 16 << 20, f"{grown} bytes for 50 clients that don't read")


# Statistics


def documented(title):
    """The fields of a table of the docs page."""
    page = (ROOT / "docs/httpserversink.md").read_text(encoding="utf-8")
    text = page.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return set(re.findall(r"`([\w-]+)`", " ".join(rows)))


@case
def statistics_as_json():
    trusted = certificate()
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv stats-path=/live/stats "
               "tls-certificate=both.pem", port):
        name = 'a "player"\\ \tof\x7f ümlauts\xff'
        plain = stream_of(port, tls=trusted, fields=["User-Agent: " + name])
        other = WebSocket(port, tls=trusted)
        plain.read(100_000)
        response = get(port, "/live/stats", tls=trusted)
        check(response.headers["content-type"].startswith("application/json"),
              response.headers["content-type"])
        check(response.headers["access-control-allow-origin"] == "*", "a page can't read it")
        response.close()
        whole = get(port, "/live/stats", tls=trusted)
        text = bytes(whole.read_all())
        told = json.loads(text)
        other.close()
        wait_until(lambda: json.loads(get(port, "/live/stats", tls=trusted).read_all())
                   ["clients-now"] == 1, "it is still there")
        plain.close()
    check({**told, "clients": 0}.keys() == documented("Statistics") - CLIENT_FIELDS | {"skips"},
          f"other fields than documented: {sorted(told)}")
    check(CLIENT_FIELDS <= documented("Statistics"), "the page lacks fields of a client")
    check(told["clients-now"] == 2 and told["clients-served"] == 2, text.decode())
    check(told["bytes-out"] == sum(each["bytes"] for each in told["clients"]), text.decode())
    check(told["bytes-in"] > 50_000 and told["history-duration"] > 0, text.decode())
    one, two = told["clients"]
    check(set(one) == CLIENT_FIELDS, f"fields of a client: {sorted(one)}")
    check((one["transport"], two["transport"]) == ("https", "wss"), text.decode())
    check(one["user-agent"].startswith('a "player"\\'), one["user-agent"])
    check(one["address"].startswith("127.0.0.1:"), one["address"])
    check(abs(one["since"] / 1e6 - time.time()) < 30, f"since {one['since']}")
    check(one["bytes"] >= 100_000 and one["duration"] > 0, str(one))
    check(abs(one["rate"] * one["duration"] / one["bytes"] - 8) < 0.1, str(one))
    check(0 <= one["lag-minimum"] <= one["lag-average"] <= one["lag-maximum"], str(one))


@case
def metrics_for_prometheus():
    port = free_port()
    with serve(f"{LOOP} ! httpserversink port={port} path=/live.flv metrics-path=/metrics", port):
        client = stream_of(port)
        client.read(50_000)
        response = get(port, "/metrics")
        check(response.headers["content-type"].startswith("text/plain; version=0.0.4"),
              response.headers["content-type"])
        text = response.read_all().decode()
        client.close()
    check(text.endswith("\n"), "the last line is cut")
    helped, types, values = set(), {}, {}
    for line in text.splitlines():
        if comment := re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)", line):
            kind, name, rest = comment.groups()
            helped.add(name) if kind == "HELP" else types.update({name: rest})
            continue
        sample = re.fullmatch(r'([a-zA-Z_:][\w:]*)\{path="/live\.flv"\} (\S+)', line)
        check(sample, f"no sample: {line}")
        check(sample[1] not in values, f"{sample[1]} twice")
        values[sample[1]] = float(sample[2])
    check(helped == types.keys() == values.keys(), text)
    for name, kind in types.items():
        check(kind == ("counter" if name.endswith("_total") else "gauge"), f"{name} is a {kind}")
    check(values["httpserversink_clients"] == 1, text)
    check(values["httpserversink_out_bytes_total"] >= 50_000, text)
    check(values.keys() == documented("Metrics"), f"other metrics than documented: {text}")


if __name__ == "__main__":
    main()
