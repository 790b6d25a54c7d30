# SPDX-License-Identifier: LGPL-2.1-or-later
"""nginx with its RTMP module, as a recipe configures it."""

import pathlib

from flvfile import clip
from pipeline import needs_element, recipe, run
from web_server import nginx


def rtmp_server(port, recorded=None):
    """Runs in the foreground in the current folder; records into the folder `recorded`."""
    needs_element("rtmp2sink")
    configuration = recipe("rtmp-nginx", _1935=port)
    if recorded:
        folder = pathlib.Path(recorded).absolute()
        folder.mkdir()
        folder.chmod(0o777)  # nginx, if started by root, runs as another user
        configuration = configuration.replace("/var/tmp", str(folder))
    else:
        configuration = configuration.replace("record all", "record off")
    return nginx(configuration, port)


def on_air(seconds, length, path="movie.flv"):
    """A clip with the timestamps of a publisher that has been on air for `seconds`."""
    clip(length, "clip.flv")
    run(f"ffmpeg -v error -y -i clip.flv -c copy -output_ts_offset {seconds} {path}").ok()
    return pathlib.Path(path).read_bytes()
