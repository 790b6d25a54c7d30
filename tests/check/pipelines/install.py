#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of `meson install`: an application finds them through pkg-config, and works."""

import os
import pathlib
import re

from pipeline import ROOT, SAMPLE, Skip, case, check, main, needs, run

BUILD = os.environ["FLV_BUILD"]


def installed():
    """Installs into the current directory; returns the folder of the plugins."""
    needs("meson", "pkg-config")
    root = pathlib.Path("root").absolute()
    if not root.exists():
        run(f"DESTDIR={root} meson install -C {BUILD} --no-rebuild --quiet").ok()
    description = next(root.glob("**/gst-flv-streaming-1.0.pc"))
    plugins = run(f"PKG_CONFIG_PATH={description.parent} pkg-config --variable=pluginsdir "
                  "gst-flv-streaming-1.0").ok().stdout.strip()
    return root, f"{root}{plugins}"


def environment(plugins):
    return f"GST_PLUGIN_PATH={plugins} GST_REGISTRY=$PWD/registry"


@case
def inspect_finds_them():
    _, plugins = installed()
    for element in ("flvpace", "flvseek"):
        told = run(f"{environment(plugins)} gst-inspect-1.0 {element}").ok().stdout
        check(f"{plugins}/libgst{element}.so" in told, told)


@case
def the_command_and_its_page():
    root, plugins = installed()
    command = next(root.glob("**/bin/flvstream"))
    run(f"{environment(plugins)} {command} --speed=50 {SAMPLE} copy.flv").ok()
    check(pathlib.Path("copy.flv").read_bytes() == SAMPLE.read_bytes(), "another file")
    check(list(root.glob("**/man1/flvstream.1*")), "no man page")


@case
def the_server_and_its_files():
    root, plugins = installed()
    command = next(root.glob("**/bin/flvserve"), None)
    if not command:
        raise Skip("flvserve is not built")
    told = run(f"{environment(plugins)} {command} --print-config {SAMPLE}").ok().stdout
    pathlib.Path("flvserve.conf").write_text(told, encoding="utf-8")
    run(f"{environment(plugins)} {command} --config=flvserve.conf --check-config").ok()
    unit = next(root.glob("**/systemd/system/flvserve.service")).read_text(encoding="utf-8")
    check(f"ExecStart={str(command).removeprefix(str(root))} --config=" in unit, unit)
    for pattern in ("man1/flvserve.1*", "systemd/system/flvserve.socket", "examples/flvserve.conf",
                    "bash-completion/completions/flvserve", "zsh/site-functions/_flvserve",
                    "fish/vendor_completions.d/flvserve.fish",
                    "bash-completion/completions/flvstream", "zsh/site-functions/_flvstream",
                    "fish/vendor_completions.d/flvstream.fish"):
        check(list(root.glob(f"**/{pattern}")), f"no {pattern}")


@case
def the_pages():
    """The elements' doc-uri is correct, and all links between installed pages are valid."""
    root, plugins = installed()
    for element in ("flvpace", "flvseek"):
        told = run(f"{environment(plugins)} gst-inspect-1.0 {element}").ok().stdout
        uri = re.search(r"^  Doc-uri +file://(\S+)$", told, re.MULTILINE)[1]
        check(pathlib.Path(f"{root}{uri}").is_file(), f"{element}: no {uri} is installed")
    pages = list(pathlib.Path(f"{root}{uri}").parents[1].glob("**/*.md"))
    check(len(pages) > 8, f"only {pages}")
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            check((page.parent / link).exists(), f"{page.name} links to {link}")


@case
def an_application_embeds_them():
    _, plugins = installed()
    needs("g++")
    source = ROOT / "examples/play-from.cpp"
    run(f"g++ -std=c++20 -Wall -Wextra -Werror {source} -o play-from "
        "$(pkg-config --cflags --libs gstreamer-1.0)").ok()
    told = run(f"{environment(plugins)} ./play-from {SAMPLE} 5000").ok().stdout
    check("starts at 0 ms\n" in told and "starts at 4000 ms\n" in told, told)
    ahead = [int(lead) for lead in re.findall(r"(-?\d+) ms ahead", told)]
    check(800 <= ahead[1] <= 1100 and 2800 <= ahead[2] <= 3100, told)


main()
