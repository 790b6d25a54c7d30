#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The recipes of docs/httpserversink.md."""

import contextlib
import functools
import pathlib
import re
import time

from flvfile import clip, pictures, tags_of, whole_part
from http_client import certificate, get, in_parallel, media, statistics, stream_of
from pipeline import (Skip, add_case, background, case, check, check_decodes, finish, free_port,
                      has_element, main, needs, needs_element, recipe, run, wait_for_port,
                      wait_until)
from rtmp_server import on_air, rtmp_server
from web_server import nginx
from websocket_client import CLOSE, PING, PONG, WebSocket


def needs_one_of(*elements):
    if not any(has_element(element) for element in elements):
        raise Skip(f"none of {', '.join(elements)}")


@contextlib.contextmanager
def serve(command, port, *paths):
    """Runs the command of a recipe. Waits until every path is available."""
    needs_element("httpserversink")
    with background(command) as server:
        wait_for_port(port)
        for path in paths:
            wait_until(lambda path=path: get(port, path).status == 200, f"no stream at {path}")
        yield server


def container(path):
    """The clip in another container, directly from its encoder."""
    needs("ffmpeg", "ffprobe")
    stream = clip(4)
    run(f"ffmpeg -v error -i movie.flv -c copy {path}").ok()
    return pictures(stream)


def packets(path):
    """The time and flags of each video packet."""
    text = run(f"ffprobe -v error -select_streams v -show_entries packet=pts_time,flags "
               f"-of csv=p=0 {path}").ok().stdout
    rows = [line.split(",") for line in text.splitlines() if line]
    return [(float(row[0]), row[1]) for row in rows]


def check_played(stream, path, least):
    pathlib.Path(path).write_bytes(stream)
    check_decodes(path)
    shown = packets(path)
    check(len(shown) >= least, f"{len(shown)} pictures in {path}, not {least}")
    check("K" in shown[0][1], f"{path} does not begin with a key frame")


@case
def http_several_recipe():
    for name in ("one.flv", "two.flv"):
        clip(4, name)
    port = free_port()
    with serve(recipe("http-several", _8080=port), port, "/one.flv", "/two.flv") as server:
        check(get(port, "/two/stats").status == 200, "no statistics")
        streams = in_parallel(*[stream_of(port, f"/{name}.flv").read_all
                                for name in ("one", "two")])
        finish(server).ok()
    for number, stream in enumerate(streams):
        pathlib.Path(f"{number}.flv").write_bytes(stream)
        check_decodes(f"{number}.flv", pictures(stream))


@case
def http_loop_recipe():
    needs("curl", "ffmpeg")
    clip(2)
    port = free_port()
    with serve(recipe("http-loop", _8080=port), port):
        time.sleep(3)
        run(f"curl -sN -m 4 http://localhost:{port}/live.flv > page.flv")
    stream = whole_part(pathlib.Path("page.flv").read_bytes())
    pathlib.Path("page.flv").write_bytes(stream)
    check_decodes("page.flv", pictures(stream))
    check(pictures(stream) > 100, f"{pictures(stream)} pictures, with a burst, in 4 s")


def matroska(settings):
    """Independent of the installed decoders: the stream has the contents that the recipe states."""
    needs_element("matroskamux", "qtdemux", "h264parse", "aacparse")
    count = container("movie.mp4")
    port = free_port()
    with serve(settings + recipe("http-matroska", _8080=port), port) as server:
        client = stream_of(port, "/live.mkv")
        late = run(recipe("http-matroska-probe", _8080=port)).ok().stdout
        stream = client.read_all()
        finish(server).ok()
    check(late.split() == ["h264", "aac"], f"ffprobe sees {late}")
    check_played(stream, "live.mkv", count - 50)


add_case("http-matroska-recipe", functools.partial(matroska, ""))
add_case("http-matroska-recipe-without-libav", functools.partial(
    matroska, "export GST_PLUGIN_FEATURE_RANK=avdec_h264:NONE; "))
add_case("http-matroska-recipe-without-decoders", functools.partial(
    matroska, "export GST_PLUGIN_FEATURE_RANK=avdec_h264:NONE,openh264dec:NONE,avdec_aac:NONE; "))


@case
def http_webm_recipe():
    needs_element("uridecodebin", "qtdemux", "h264parse", "aacparse", "vp8enc", "vorbisenc", "webmmux")
    needs_one_of("avdec_h264", "openh264dec")
    needs_one_of("avdec_aac", "faad", "fdkaacdec")
    count = container("movie.mp4")
    port = free_port()
    with serve(recipe("http-webm", _8080=port, **{"/var/tmp": pathlib.Path.cwd()}),
               port) as server:
        client = stream_of(port, "/live.webm")
        check(client.headers["content-type"] == "video/webm", str(client.headers))
        stream = client.read_all()
        finish(server).ok()
    check_played(stream, "live.webm", count - 75)


@case
def http_ts_recipe():
    """Joins in the second round of the file, and leaves in the third."""
    needs_element("flvdemux", "h264parse", "aacparse", "mpegtsmux")
    clip(2)
    port = free_port()
    with serve(recipe("http-ts", _8081=port), port):
        time.sleep(2.5)
        client = stream_of(port, "/source.ts")
        check(client.headers["content-type"] == "video/mp2t", str(client.headers))
        client.read_for(3)
        client.close()
    stream = bytes(client.body)
    check(len(stream) > 100_000, f"{len(stream)} bytes")
    check_played(whole_units(stream), "live.ts", 50)


def whole_units(stream):
    """MPEG-TS up to the start of the last picture, and the audio up to there."""
    cut = {}
    for at in range(0, len(stream) - 187, 188):
        pid = (stream[at + 1] & 0x1F) << 8 | stream[at + 2]
        if stream[at + 1] & 0x40:
            cut[pid] = at
    return b"".join(stream[at:at + 188] for at in range(0, len(stream) - 187, 188)
                    if at < cut.get((stream[at + 1] & 0x1F) << 8 | stream[at + 2], 0))


@case
def http_relay_recipe():
    """The source is away during the stream for more than a moment, and comes back."""
    needs("curl")
    needs_element("tsparse", "flvdemux", "h264parse", "aacparse", "mpegtsmux")
    clip(2)
    source, port = free_port(), free_port()
    with background(recipe("http-relay", _8081=source, _8080=port)):
        wait_for_port(port)
        with serve(recipe("http-ts", _8081=source), source):
            wait_until(lambda: get(port, "/live.ts").status == 200, "no stream")
            client = stream_of(port, "/live.ts")
            client.read_for(2.5)
        first = len(client.body)
        client.read_for(1)
        check(client.is_quiet(0.5), "something comes from nowhere")
        with serve(recipe("http-ts", _8081=source), source):
            client.read_until(lambda body: len(body) > first + 50_000, "the source is back")
            late = stream_of(port, "/live.ts")
            in_parallel(lambda: client.read_for(2.5), lambda: late.read_for(2.5))
        client.close()
        late.close()
    check_played(whole_units(bytes(late.body)), "late.ts", 50)
    pathlib.Path("live.ts").write_bytes(whole_units(bytes(client.body)))
    shown = packets("live.ts")
    keys = sum("K" in flags for _, flags in shown)
    check(len(shown) > 100 and keys >= 3, f"{len(shown)} pictures, {keys} key frames")
    done = run("cat live.ts | ffmpeg -v error -i pipe: -f null -").ok()
    # One picture may be truncated at the end of the first source.
    check(len(done.stderr.splitlines()) <= 6, f"ffmpeg: {done.stderr}")


def http_rtmp_recipe(seconds):
    """The publisher has been on air for `seconds`."""
    needs_element("rtmp2src")
    on_air(seconds, 6)
    rtmp, port = free_port(), free_port()
    with rtmp_server(rtmp), background(recipe("rtmp-send", _1935=rtmp)) as sender:
        time.sleep(0.5)
        with serve(recipe("http-rtmp", _1935=rtmp, _8080=port), port):
            client = stream_of(port)
            time.sleep(1)
            late = stream_of(port)
            late.read_for(1.5)
            late.close()
            stream = client.read_all()
        finish(sender).ok()
    for name, got in (("live.flv", stream), ("late.flv", whole_part(bytes(late.body)))):
        pathlib.Path(name).write_bytes(got)
        check_decodes(name, pictures(got))
        check(next(tag for tag in tags_of(got) if tag.media).timestamp == 0, "it's not from 0")
    check(pictures(stream) > 90, f"{pictures(stream)} pictures")


for _seconds in (0, 20, 3600):
    add_case(f"http-rtmp-recipe-{_seconds}", lambda seconds=_seconds: http_rtmp_recipe(seconds))


@contextlib.contextmanager
def started(command, port):
    with background(f"exec {command}") as process:
        wait_for_port(port)
        yield process


@case
def http_tls_recipe():
    needs("curl")
    trusted = certificate()
    clip(4)
    port = free_port()
    with serve(recipe("http-tls", _8443=port), port) as server:
        client = stream_of(port, tls=trusted)
        done = run(f"curl -sS --cacert certificate.pem https://localhost:{port}/live.flv > tls.flv")
        check(done.ok().stderr == "", done.stderr)
        stream = client.read_all()
        finish(server).ok()
    pathlib.Path("other.flv").write_bytes(stream)
    for path in ("tls.flv", "other.flv"):
        check_decodes(path, pictures(pathlib.Path(path).read_bytes()))


def through(proxy, port):
    """A proxy with TLS passes HTTP and WebSocket without delay, and up to the end."""
    trusted = certificate()
    stream = clip(6)
    back = free_port()
    command = recipe("http-loop", _8080=back, **{
        "multifilesrc location=movie.flv loop=true": "filesrc location=movie.flv",
        " burst=1000": " stats-path=/stats"})
    with serve(command, back) as server, proxy(back, port):
        wait_for_port(port)
        plain = stream_of(port, tls=trusted)
        page = WebSocket(port, tls=trusted)
        check(page.response.status == 101, f"status {page.response.status}")
        check(plain.headers["content-type"] == "video/x-flv", str(plain.headers))
        check(plain.headers["access-control-allow-origin"] == "*", str(plain.headers))
        own = [f"Origin: https://localhost:{port}"]
        check(WebSocket(port, tls=trusted, fields=own).response.status == 101, "its own page")
        page.send(PING, b"through the proxy")
        pong, begin = page.receive_until(PONG)
        check(pong == b"through the proxy", f"{pong}")
        plain.read_pictures(30)
        longest = plain.read_for(1)
        check(longest < 0.5, f"nothing for {longest:.3f} s")
        lag = [each["lag-maximum"] for each in statistics(back)["clients"]]
        check(max(lag) < 3000, f"lags of {lag} ms")
        whole, (_, rest) = in_parallel(plain.read_all, lambda: page.receive_until(CLOSE))
        finish(server).ok()
    for name, got in (("plain.flv", whole), ("page.flv", b"".join([*begin, *rest]))):
        pathlib.Path(name).write_bytes(got)
        check_decodes(name, pictures(got))
        check(media(got)[-50:] == media(stream)[-50:], f"{name}: not up to the end")


@case
def http_nginx_recipe():
    needs("nginx")
    port = free_port()
    through(lambda back, port: nginx(
        re.sub(r"\b(certificate|key)\.pem", rf"{pathlib.Path.cwd()}/\1.pem",
               recipe("http-nginx", _8443=port, _8080=back)), port), port)


@case
def http_haproxy_recipe():
    needs("haproxy")
    port = free_port()

    def haproxy(back, port):
        text = recipe("http-haproxy", _8443=port, _8080=back)
        pathlib.Path("haproxy.conf").write_text(text, encoding="utf-8")
        return started("haproxy -db -f haproxy.conf", port)

    through(haproxy, port)


if __name__ == "__main__":
    main()
