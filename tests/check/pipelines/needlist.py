# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/check/needs: the programs and plugins that each test may use, and their packages."""

import contextlib
import fnmatch
import os
import pathlib
import shutil
import tempfile
from typing import NamedTuple

LIST = pathlib.Path(__file__).resolve().parents[1] / "needs"
KINDS = ("program", "plugin", "file", "typelib")


class Need(NamedTuple):
    kind: str
    name: str
    package: str
    tests: tuple

    def is_for(self, test):
        return any(fnmatch.fnmatchcase(test, pattern) for pattern in self.tests)

    def path(self, search_path=None):
        """The path on this machine; None if it is missing."""
        if self.kind == "program":
            return shutil.which(self.name, path=search_path)
        path = self.name
        if self.kind == "plugin":
            path = f"{os.environ['FLV_GST_PLUGINS']}/libgst{self.name}.so"
        elif self.kind == "typelib":
            folder = pathlib.Path(os.environ["FLV_GST_PLUGINS"]).parent / "girepository-1.0"
            path = f"{folder}/{self.name}.typelib"
        return path if os.path.exists(path) else None


def read():
    needs = []
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, names, package, *tests = line.split()
            needs += [Need(kind, name, package, tuple(tests)) for name in names.split(",")]
    return needs


def of_test(test):
    return [need for need in read() if need.is_for(test)]


@contextlib.contextmanager
def nothing_else(test):
    """Within this context, PATH has only the programs that the list allows for the test. GStreamer
    finds only the plugins that it allows for the test, and those in GST_PLUGIN_PATH."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="flv-needs-") as name:
        folder = pathlib.Path(name)
        for kind in ("program", "plugin"):
            (folder / kind).mkdir()
        for need in of_test(test):
            path = need.path()
            if path and need.kind in ("program", "plugin"):
                (folder / need.kind / os.path.basename(path)).symlink_to(path)
        os.environ["PATH"] = str(folder / "program")
        os.environ["GST_PLUGIN_SYSTEM_PATH"] = str(folder / "plugin")
        os.environ.pop("GST_PLUGIN_SYSTEM_PATH_1_0", None)
        os.environ["GST_REGISTRY"] = str(folder / "registry.bin")
        try:
            yield before
        finally:
            os.environ.clear()
            os.environ.update(before)
