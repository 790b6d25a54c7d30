#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The list of the tests' needs, tests/check/needs: it is correct, and scripts/test installs it."""

import glob
import os
import pathlib
import shutil
import subprocess

import needlist
from pipeline import ROOT, Skip, case, check, main

HERE = pathlib.Path(__file__).parent
SEARCH_PATH = os.environ["PATH"]  # saved before the list restricts this test, too
DPKG = shutil.which("dpkg-query")
BASH = shutil.which("bash")


def names_of(path):
    """The package database may have a file under any of the names that lead to it."""
    names = {path, os.path.realpath(path)}
    return names | {name.removeprefix("/usr") for name in names}


def owners(names):
    """The Debian packages with a file of these names."""
    told = subprocess.run([DPKG, "-S", *names], capture_output=True, text=True, check=False)
    found = {}
    for line in told.stdout.splitlines():
        packages, _, name = line.rpartition(": ")
        found.setdefault(name, set()).update(each.split(":")[0] for each in packages.split(", "))
    return found


@case
def every_line_is_complete():
    for need in needlist.read():
        check(need.kind in needlist.KINDS, f"{need.name}: {need.kind} is none of {needlist.KINDS}")
        check(need.tests, f"no test is named for {need.name}")


@case
def every_test_exists():
    for need in needlist.read():
        for test in need.tests:
            check(list(HERE.glob(f"{test}.py")), f"{need.name}: no test {test}")


@case
def every_package_is_installed_by_the_scripts():
    done = subprocess.run([BASH, "-c", '. scripts/lib.sh; echo "${test_packages[@]}"; command -v npm'],
                          cwd=ROOT, env={"PATH": SEARCH_PATH}, capture_output=True, text=True,
                          check=False)
    check(done.returncode in (0, 1) and done.stdout, done.stderr)
    installed, *npm = done.stdout.splitlines()
    for need in needlist.read():
        # A Node.js from elsewhere, with its own npm, is kept.
        check(need.package in installed.split() or need.package == "nodejs" and npm,
              f"scripts/lib.sh does not install {need.package}, which has {need.name}")


@case
def every_name_is_in_its_package():
    if not DPKG:
        raise Skip("no dpkg-query")
    paths = {need: need.path(SEARCH_PATH) for need in needlist.read()}
    owner = owners(sorted(set().union(*(names_of(path) for path in paths.values() if path))))
    wrong = []
    for need, path in paths.items():
        found = set().union(*(owner.get(name, set()) for name in names_of(path))) if path else set()
        # Missing programs and programs from elsewhere are the subject of another test.
        if found and need.package not in found:
            wrong.append(f"{need.name} is in {', '.join(sorted(found))}, not in {need.package}")
    check(not wrong, "; ".join(wrong))


@case
def gstreamer_finds_nothing_else():
    folder = pathlib.Path(os.environ["GST_PLUGIN_SYSTEM_PATH"])
    names = [pathlib.Path(name).name for name in glob.glob(f"{folder}/*")]
    check(names == ["libgstcoreelements.so"], f"found {names}")


@case
def path_leads_to_nothing_else():
    for program in ("nginx", "node", "apt-get"):
        check(not shutil.which(program), f"{program} is found")
    check(shutil.which("cat"), "cat is not found")


main()
