# SPDX-License-Identifier: LGPL-2.1-or-later
"""Python programs that use GStreamer through PyGObject."""

import importlib.util
import pathlib
import shlex
import sys

from pipeline import Skip, run

# The interpreter of Debian's packages, which need not be the first in PATH.
PYTHON = shlex.quote(sys.executable)
HEAD = """
import os, subprocess, sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import GObject, Gst
Gst.init(None)
"""


def needs_introspection():
    if not importlib.util.find_spec("gi"):
        raise Skip("no python3-gi")
    if run(f"{PYTHON} -c {shlex.quote(HEAD)}").status != 0:
        raise Skip("no gir1.2-gstreamer-1.0")


def python(script, *arguments):
    """Runs the script in a separate process, with GStreamer imported."""
    pathlib.Path("script.py").write_text(HEAD + script, encoding="utf-8")
    return run(shlex.join([sys.executable, "script.py", *arguments])).ok()
