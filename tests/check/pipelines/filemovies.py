# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of several producers for the tests of files on demand, and requests for them."""

import http.client
import pathlib

from flvfile import tags_of
from pipeline import SAMPLE, TIMEOUT, check, needs, run


def by_ffmpeg(source, path):
    needs("ffmpeg")
    run(f"ffmpeg -v error -y -i {source} -c copy -flvflags add_keyframe_index {path}").ok()


def by_flvmeta(source, path):
    needs("flvmeta")
    run(f"flvmeta --update {source} {path}").ok()


def by_yamdi(source, path):
    needs("yamdi")
    run(f"yamdi -i {source} -o {path}").ok()


def without_index(source, path):
    needs("ffmpeg")
    run(f"ffmpeg -v error -y -i {source} -c copy {path}").ok()


def without_metadata(source, path):
    needs("ffmpeg")
    run(f"ffmpeg -v error -y -i {source} -c copy -flvflags no_metadata {path}").ok()


PRODUCERS = {"ffmpeg": by_ffmpeg, "flvmeta": by_flvmeta, "yamdi": by_yamdi,
             "no-index": without_index, "no-metadata": without_metadata}


def make(producer, folder="videos", source=SAMPLE):
    """The file movie.flv in a new folder."""
    pathlib.Path(folder).mkdir(exist_ok=True)
    PRODUCERS[producer](source, f"{folder}/movie.flv")
    return pathlib.Path(f"{folder}/movie.flv").read_bytes()


def get(port, path, status=200, method="GET", **fields):
    """The body of a response, and its fields."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value
                                                  for name, value in fields.items()})
        response = connection.getresponse()
        body = response.read()
        check(response.status == status, f"{method} {path}: {response.status} {body[:200]}")
        return body, dict(response.getheaders())
    finally:
        connection.close()


def keys_of(stream):
    return [tag for tag in tags_of(stream) if tag.key]
