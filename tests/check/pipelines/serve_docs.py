#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/flvserve.md: its tables are those of the program, its configuration starts as it stands, and
each of its recipes works."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess

from commandline import FLVSTREAM, web_server
from flvfile import pictures
from http_client import get, stream_of
from pipeline import (ROOT, SAMPLE, Skip, background, case, check, check_decodes, free_port,
                      main, needs, recipe, run, wait_for_port, wait_until)
from serverprocess import FLVSERVE, converted, movie, serve_once, started

PAGE = ROOT / "docs/flvserve.md"
NPM = pathlib.Path(os.environ["FLV_NPM"])


def table(title):
    """The rows of the table below a title: key, values, default."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n### [{title}]\n", 1)[1]
    text = re.split("^##", text, maxsplit=1, flags=re.MULTILINE)[0]
    rows = re.findall(r"^\| `([a-z-]+)` \|(.*)\|$", text, re.MULTILINE)
    return {key: [cell.strip() for cell in rest.split("|")][:2] for key, rest in rows}


def known_keys(section):
    """The keys that the program names when it does not know one."""
    pathlib.Path("a.conf").write_text(f"[{section}]\nnothing=1\n", encoding="utf-8")
    told = serve_once("--check-config --config=a.conf").stderr
    return set(re.search(r"the keys are (.*)$", told, re.MULTILINE)[1].split(", "))


def faults(section, key, value, rest):
    pathlib.Path("a.conf").write_text(f"[mount /x.flv]\nuris=x.flv\n[{section}]\n{key}={value}\n{rest}",
                                      encoding="utf-8")
    told = serve_once("--check-config --config=a.conf").stderr
    return [line for line in told.splitlines() if f": {key}: " in line]


# The tables


@case
def the_tables_have_all_keys():
    check(set(table("server")) == known_keys("server"), "[server]")
    check(set(table("files /PATH")) == known_keys("files /v"), "[files]")
    text = PAGE.read_text(encoding="utf-8")
    properties = re.search(r"The other keys are properties of (.*?)\. `burst` does", text, re.DOTALL)
    others = set(re.findall(r"`([a-z-]+)`", properties[1]))
    check(set(table("mount /PATH")) | others == known_keys("mount /a.flv"), "[mount]")
    sink = (ROOT / "docs/httpserversink.md").read_text(encoding="utf-8")
    for key in others:
        check(f"| `{key}` |" in sink, f"httpserversink.md has no {key}")


@case
def the_tables_have_the_values():
    """Each documented value is valid, and the next one is not."""
    for section, title, rest in (("server", "server", ""), ("files /v", "files /PATH", "root=.\n"),
                                 ("mount /a.flv", "mount /PATH", "uris=a.flv\n")):
        for key, (values, default) in table(title).items():
            more = rest if key not in rest else ""
            if key == "access-log-format":
                more += "access-log=a.log\n"
            if default and default != "required":
                check(not faults(section, key, default, more), f"{key}={default}")
            if limits := re.fullmatch(r"(\d+)–(\d+)", values):
                for value, valid in ((limits[1], True), (limits[2], True), (int(limits[2]) + 1, False)):
                    check(bool(faults(section, key, value, more)) != valid, f"{key}={value}")
            elif ", " in values:
                for value in values.split(", "):
                    check(not faults(section, key, value, more), f"{key}={value}")
                check(faults(section, key, "something", more), f"{key}=something")


@case
def the_options_of_the_pages():
    """The page, the man page and --help have the same options."""
    told = set(re.findall(r"--[a-z-]+", serve_once("--help").ok().stdout.split("Examples:")[0]))
    text = PAGE.read_text(encoding="utf-8").split("\n## Configuration")[0]
    rows = "".join(re.findall(r"^\| (`-.*?) \|", text, re.MULTILINE))
    manual = (ROOT / "tools/flvserve/flvserve.1").read_text(encoding="utf-8").replace("\\-", "-")
    manual = manual.split(".SH OPTIONS")[1].split(".SH CONFIGURATION")[0]
    check(set(re.findall(r"--[a-z-]+", rows)) == told, f"the page: {rows}; --help: {told}")
    for option in told:
        check(option in manual, f"the man page has no {option}")
    for key in known_keys("server"):
        page = (ROOT / "tools/flvserve/flvserve.1").read_text(encoding="utf-8").replace("\\-", "-")
        check(key in page, f"the man page has no {key}")


@case
def the_fields_of_the_log():
    movie()
    text = PAGE.read_text(encoding="utf-8").split("\n## Access log", 1)[1].split("\n## ", 1)[0]
    fields = text.split("| field of `json` |")[1]
    said = set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`.*?) \|", fields, re.M))))
    pathlib.Path("flvserve.conf").write_text(
        f"[server]\nlisten={(port := free_port())}\naccess-log=a.log\naccess-log-format=json\n"
        "[files /]\nroot=.\n", encoding="utf-8")
    with started(["--config=flvserve.conf"], port) as server:
        get(server.port, "/movie.flv").read_all()
        server.end()
    true = set(json.loads(pathlib.Path("a.log").read_text(encoding="utf-8")))
    check(said == true, f"in one only: {said ^ true}")


# The recipes


def command(line):
    return re.sub(r"\bflv(serve|stream)\b(?= )",
                  lambda found: FLVSERVE if found[1] == "serve" else FLVSTREAM, line)


@contextlib.contextmanager
def documented():
    """The server of the page's configuration, with another port."""
    movie()
    os.mkdir("videos")
    movie("videos/movie.flv")
    port = free_port()
    pathlib.Path("flvserve.conf").write_text(recipe("serve-config", _8080=port), encoding="utf-8")
    arguments = recipe("serve-start").split()
    check(arguments[0] == "flvserve", arguments[0])
    with started(arguments[1:], port) as server:
        yield server


@case
def the_configuration_starts_as_it_stands():
    with documented() as server:
        for path in ("/live/movie.flv", "/live/movie.mkv", "/live/movie.ts"):
            check(f"serving http://localhost:{server.port}{path}" in server.text, server.text)
            stream_of(server.port, path).read(20000)
        check(get(server.port, "/vod/movie.flv").read_all() == SAMPLE.read_bytes(), "another file")
        wait_until(lambda: os.path.getsize("access.log") > 0, "no log")
        server.end()


@case
def serve_print_recipe():
    movie()
    line = recipe("serve-print")
    run(command(line)).ok()
    serve_once("--check-config --config=flvserve.conf").ok()


@case
def players_recipes():
    """ffmpeg and ffprobe in place of the players, which need a screen."""
    needs("ffmpeg", "ffprobe")
    with documented() as server:
        for text in (recipe("serve-ffplay", _8080=server.port), recipe("serve-vlc", _8080=server.port),
                     recipe("serve-mpv", _8080=server.port)):
            url = text.split()[-1]
            run(f"ffmpeg -v error -t 2 -i {url} -map 0 -c copy -y joined.mkv").ok()
            told = run("ffprobe -v error -show_entries stream=codec_name -of csv=p=0 joined.mkv").ok()
            check(set(told.stdout.split()) == {"h264", "aac"}, f"{url}: {told.stdout}")
        server.end()


@case
def serve_start_byte_recipe():
    needs("curl")
    with documented() as server:
        run(recipe("serve-start-byte", _8080=server.port)).ok()
        server.end()
    part = pathlib.Path("part.flv").read_bytes()
    check(len(part) < len(SAMPLE.read_bytes()), "the whole file")
    check_decodes("part.flv", pictures(part))


def check_served(port, path="/live.flv"):
    wait_for_port(port)
    client = stream_of(port, path)
    stream = client.read_pictures(30)
    client.close()
    pathlib.Path("copy.flv").write_bytes(stream)
    check_decodes("copy.flv", pictures(stream))


@case
def serve_encoder_recipe():
    needs("ffmpeg")
    converted("movie.mp4")
    port = free_port()
    with background(command(recipe("serve-encoder", _8080=port))):
        check_served(port)


@case
def serve_nc_recipe():
    needs("nc")
    movie()
    port, input_port = free_port(), free_port()
    with background(command(recipe("serve-nc", _8080=port, _5000=input_port))):
        wait_for_port(input_port)
        with background(command(recipe("serve-nc-send", _5000=input_port))):
            check_served(port)


# The pages


class Chromium:
    """A browser that opens one page."""

    def __enter__(self):
        needs("chromium", "node")
        for module in ("player/node_modules/mpegts.js", "browser/node_modules/playwright-core"):
            if not (NPM / module).exists():
                raise Skip(f"no {module.rsplit('/', 1)[1]}: scripts/test installs it")
        driver = pathlib.Path(__file__).parent / "browser/drive.mjs"
        self._node = subprocess.Popen(
            ["node", driver, NPM / "browser", shutil.which("chromium"),
             "--disable-background-networking", "--autoplay-policy=no-user-gesture-required"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", text=True)
        return self

    def __exit__(self, *_):
        self._node.stdin.close()
        self._node.wait()

    def ask(self, **question):
        self._node.stdin.write(json.dumps(question) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        check("error" not in answer, answer.get("error"))
        return answer["value"]


class Pages(http.server.SimpleHTTPRequestHandler):
    """The web server of the pages."""

    def log_message(self, *_):
        pass


def page_plays(name, also=None):
    with Chromium() as browser, documented() as server, web_server(Pages) as web:
        shutil.copyfile(NPM / "player/node_modules/mpegts.js/dist/mpegts.js", "mpegts.js")
        pathlib.Path("page.html").write_text(recipe(name, _8080=server.port), encoding="utf-8")
        browser.ask(open=f"{web}/page.html")
        shown = "document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames"
        browser.ask(until=f"{shown} > 25", timeout=20000)
        if also:
            also(browser)
        check(not browser.ask(errors=0), "errors in the page")
        server.end()


@case
def serve_mpegts_recipe():
    check(recipe("serve-mpegts"), "no page")
    page_plays("serve-mpegts")


@case
def serve_vod_recipe():
    def seek(browser):
        for second in (8, 1, 5):
            browser.ask(run=f"document.getElementById('video').currentTime = {second}")
            browser.ask(until=f"document.getElementById('video').currentTime > {second + 0.5} && "
                              "!document.getElementById('video').seeking", timeout=20000)

    check(recipe("serve-vod"), "no page")
    page_plays("serve-vod", seek)


main()
