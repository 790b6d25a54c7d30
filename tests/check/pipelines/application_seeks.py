#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of seeks in docs/applications.md: each seek is accepted or refused as the table says.
"""

import contextlib
import functools
import http.server
import pathlib
import re

from commandline import web_server
from flvfile import clip
from introspection import needs_introspection, python
from pipeline import ROOT, add_case, check, main, needs_element

# Prints for each seek whether the pipeline accepts it. A pipeline that prerolls is paused, so that
# it does not end before the seek; a seek without a flush would wait in PAUSED.
SEEKS = """
FLAGS = {"flush": Gst.SeekFlags.FLUSH, "none": Gst.SeekFlags.NONE,
         "segment": Gst.SeekFlags.FLUSH | Gst.SeekFlags.SEGMENT}
PLACES = {"TIME": (Gst.Format.TIME, 2 * Gst.SECOND), "BYTES": (Gst.Format.BYTES, 100000)}
for wish in sys.argv[2:]:
    form, flags, rate = wish.split(",")
    pipe = subprocess.Popen(["cat", "movie.flv"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    pipeline = Gst.parse_launch(sys.argv[1].replace("fdsrc", f"fdsrc fd={pipe.stdout.fileno()}"))
    if pipeline.set_state(Gst.State.PAUSED) == Gst.StateChangeReturn.NO_PREROLL:
        pipeline.set_state(Gst.State.PLAYING)
    assert pipeline.get_state(10 * Gst.SECOND)[0] == Gst.StateChangeReturn.SUCCESS
    if flags == "none":
        pipeline.set_state(Gst.State.PLAYING)
    form, place = PLACES[form]
    backwards = float(rate) < 0
    done = pipeline.seek(float(rate), form, FLAGS[flags],
                         Gst.SeekType.SET, 0 if backwards else place,
                         Gst.SeekType.SET if backwards else Gst.SeekType.NONE, place)
    print("yes" if done else "no")
    pipeline.set_state(Gst.State.NULL)
    pipe.stdout.close()
    pipe.wait()
"""
# Cells of the table: whether such seeks are accepted.
CELLS = {"yes": True, "no": False}
RATES = {"above 0": True, "1": False}


class Ranges(http.server.BaseHTTPRequestHandler):
    """Serves movie.flv with range support."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = pathlib.Path("movie.flv").read_bytes()
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(asked[1]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body) - begin))
        if asked:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        with contextlib.suppress(OSError):  # the client may close early
            self.wfile.write(body[begin:])

    def handle(self):
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_):
        pass


def seeks_of(row):
    """The seeks of a row, each with whether it is accepted."""
    in_time, in_bytes, not_flushing, segment, rate = row
    for form, cell in (("TIME", in_time), ("BYTES", in_bytes)):
        accepted = CELLS[cell]
        yield f"{form},flush,1", accepted
        yield f"{form},none,1", accepted and CELLS[not_flushing]
        yield f"{form},segment,1", accepted and CELLS[segment]
        yield f"{form},flush,2", accepted and RATES[rate]
        yield f"{form},flush,-1", False


def accepts(line, row):
    needs_introspection()
    needs_element(line.split()[0])
    clip(8)
    wishes = dict(seeks_of(row))
    with web_server(Ranges) as web:
        pipeline = line.replace("filesrc", "filesrc location=movie.flv")
        pipeline = pipeline.replace("souphttpsrc", f"souphttpsrc location={web}/movie.flv")
        pipeline = pipeline.replace("flvseek", "flvseek index=auto")
        told = python(SEEKS, f"{pipeline} ! fakesink", *wishes).stdout.split()
    check(len(told) == len(wishes), f"{line}: {told}")
    wrong = [f"{wish}: {answer}" for (wish, accepted), answer in zip(wishes.items(), told)
             if (answer == "yes") != accepted]
    check(not wrong, f"{line}: the page says otherwise of {'; '.join(wrong)}")


def table():
    """The rows of the table: a pipeline and its cells."""
    page = (ROOT / "docs/applications.md").read_text(encoding="utf-8")
    section = page.split("\n## Seeking\n", 1)[1].split("\n## ", 1)[0]
    for line, rest in re.findall(r"^\| `(.*?)`[^|]*\|(.*)\|$", section, re.MULTILINE):
        yield line, [cell.strip() for cell in rest.split("|")]


for _line, _row in table():
    add_case(re.sub(r"\W+", "-", _line), functools.partial(accepts, _line, _row))

main()
