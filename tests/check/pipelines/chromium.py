# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium, driven by browser/drive.mjs."""

import json
import os
import pathlib
import shutil
import subprocess

from pipeline import Skip, check, needs

NPM = pathlib.Path(os.environ["FLV_NPM"])  # installed by scripts/test: player/ and browser/
# Prevents all network lookups and downloads.
OPTIONS = ["--disable-quic", "--disable-background-networking", "--disable-component-update"]
SOUND = "--autoplay-policy=no-user-gesture-required"


class Browser:
    """Chromium with one page at a time."""

    def __init__(self, *options):
        needs("chromium", "node")
        if not (NPM / "browser/node_modules/playwright-core").exists():
            raise Skip("no playwright-core: scripts/test installs it")
        driver = pathlib.Path(__file__).parent / "browser/drive.mjs"
        self._node = subprocess.Popen(
            ["node", driver, NPM / "browser", shutil.which("chromium"), *OPTIONS, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", text=True)

    def ask(self, **command):
        self._node.stdin.write(json.dumps(command) + "\n")
        self._node.stdin.flush()
        line = self._node.stdout.readline()
        check(line, "the browser is gone")
        answer = json.loads(line)
        check("error" not in answer, answer.get("error"))
        return answer["value"]

    def run(self, expression):
        return self.ask(run=expression)

    def look(self):
        """What an error message says of the page."""
        return self.ask(errors=0)

    def until(self, expression, why, timeout=20):
        try:
            self.ask(until=expression, timeout=timeout * 1000)
        except AssertionError as error:
            raise AssertionError(f"{why}: {self.look()}, {error}") from None

    def close(self):
        self._node.stdin.close()
        self._node.wait()
