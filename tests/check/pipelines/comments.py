#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the elements' doc comments, in hotdoc's format, with GStreamer's introspection: every
symbol that an application can use has one, and the numbers are correct. Checks the plugins'
descriptions, too."""

import functools
import json
import os
import pathlib
import re

from introspection import needs_introspection, python
from pipeline import ROOT, add_case, check, main, needs_element, run

ELEMENTS = {"flvpace": "flvpace", "flvseek": "flvseek", "httpserversink": "flvhttp",
            "failoversrc": "failover"}
# Folders in gst/ whose name differs from the plugin's name.
FOLDERS = {"flvhttp": "httpserver"}
BUILD = pathlib.Path(os.environ["FLV_BUILD"])

# Prints the element's own symbols, named as in hotdoc. For a property, it also prints the last
# sentence of its comment; {} is the unit.
SYMBOLS = """
import json

def number(value):
    return f"{value:g}" if isinstance(value, float) else str(value)

def sentence(spec):
    if not spec.flags & GObject.ParamFlags.WRITABLE:
        return "Read only."
    kind = spec.value_type.fundamental.name
    if kind in ("guint", "guint64", "gdouble"):
        limits = f"From {number(spec.minimum)} to {number(spec.maximum)}"
        return f"{limits}{{}}. Default: {number(spec.default_value)}."
    if kind == "gboolean":
        return f"Default: {str(spec.default_value).upper()}."
    if kind == "GEnum":
        return f"Default: {spec.default_value.value_nick}."
    if kind == "GFlags":
        return f"Default: {'+'.join(spec.default_value.value_nicks)}."
    if kind == "gchararray":
        text = spec.default_value
        return "Default: NULL." if text is None else f'Default: "{text}".'
    raise TypeError(f"{spec.name}: {kind}")

element = Gst.ElementFactory.make(sys.argv[1])
own = element.__gtype__
symbols = {f"SECTION:element-{sys.argv[1]}": None}
for spec in element.list_properties():
    if spec.owner_type == own:
        symbols[f"{own.name}:{spec.name}"] = sentence(spec)
        kind = spec.value_type
        if kind.fundamental.name in ("GEnum", "GFlags"):
            assert Gst.type_is_plugin_api(kind)[0], f"{kind.name} is not marked as plugin API"
            symbols[kind.name] = None
for name in GObject.signal_list_names(own):
    symbols[f"{own.name}::{name}"] = None
for template in element.get_pad_template_list():
    symbols[f"{own.name}!{template.name_template}"] = None
print(json.dumps(symbols))
"""


def comments_of(plugin):
    """The comment of each symbol, without the asterisks."""
    found = {}
    for path in sorted((ROOT / "gst" / FOLDERS.get(plugin, plugin)).glob("*.cpp")):
        for body in re.findall(r"^ */\*\*\n(.*?)\*/", path.read_text(encoding="utf-8"),
                               re.MULTILINE | re.DOTALL):
            symbol, *lines = [re.sub(r"^ *\* ?", "", line) for line in body.splitlines()]
            symbol = symbol if symbol.startswith("SECTION:") else symbol.removesuffix(":")
            check(symbol not in found, f"two comments on {symbol}")
            found[symbol] = "\n".join(lines).strip()
    return found


def unit_of(blurb):
    """The unit in a property's description."""
    found = re.search(r"\((ms|bytes)\b", blurb)
    return found[1] if found else ""


def everything_has_a_comment(element):
    needs_introspection()
    needs_element(element)
    symbols = json.loads(python(SYMBOLS, element).stdout)
    comments = comments_of(ELEMENTS[element])
    check(symbols.keys() == comments.keys(),
          f"in one only: {sorted(symbols.keys() ^ comments.keys())}")
    check(len(symbols) > 12, f"only {sorted(symbols)}")
    inspected = run(f"gst-inspect-1.0 {element}").ok().stdout
    for symbol, sentence in symbols.items():
        text = comments[symbol]
        check(len(text.split("\n\n")[0]) > 10, f"{symbol}: nothing but {text}")
        if sentence:
            name = symbol.split(":")[1]
            blurb = re.search(rf"^  {name} +: (.*)$", inspected, re.MULTILINE)[1]
            last = text.split("\n\n")[-1]
            pattern = re.escape(sentence).replace(r"\{\}", r"( [a-z]+)?")
            check(re.fullmatch(pattern, last),
                  f"{symbol} ends with “{last}”, not “{sentence.replace('{}', '')}”")
            unit = unit_of(blurb)
            check(not unit or "Default" not in last or f" {unit}." in last,
                  f"{symbol} ends with “{last}”, which lacks {unit}")


def signal_comments_name_their_arguments(element):
    needs_element(element)
    for symbol, text in comments_of(ELEMENTS[element]).items():
        if "::" in symbol:
            check(re.search(r"^@(sink|source): ", text, re.MULTILINE), f"{symbol} has no @sink")


def plugin_says_what_it_is(element):
    """Name, version, licence, package and origin are those of the build; doc-uri is an installed
    page."""
    needs_element(element)
    told = run(f"gst-inspect-1.0 {element}").ok().stdout

    def field(name):
        found = re.search(rf"^  {name} +(.*)$", told, re.MULTILINE)
        check(found, f"gst-inspect-1.0 {element} tells no {name}:\n{told}")
        return found[1].strip()

    options = {option["name"]: option["value"] for option in json.loads(
        (BUILD / "meson-info/intro-buildoptions.json").read_text(encoding="utf-8"))}
    project = json.loads((BUILD / "meson-info/intro-projectinfo.json").read_text(encoding="utf-8"))
    plugin, = re.findall(r"^Plugin Details:\n  Name +(.*)$", told, re.MULTILINE)
    check(plugin == ELEMENTS[element], f"the plugin is {plugin}")
    for name, expected in (("Version", project["version"]), ("License", "LGPL"),
                           ("Source module", project["descriptive_name"]),
                           ("Binary package", options["package-name"]),
                           ("Origin URL", options["package-origin"])):
        check(field(name) == expected, f"{name}: {field(name)}, not {expected}")
    folder = pathlib.PurePosixPath(options["prefix"], options["datadir"], "doc",
                                   project["descriptive_name"], "docs")
    check(field("Doc-uri") == f"file://{folder}/{element}.md", field("Doc-uri"))
    check((ROOT / f"docs/{element}.md").exists(), f"no page of {element}")


for _name in ELEMENTS:
    add_case(f"{_name}-comments", functools.partial(everything_has_a_comment, _name))
    add_case(f"{_name}-signals", functools.partial(signal_comments_name_their_arguments, _name))
    add_case(f"{_name}-plugin", functools.partial(plugin_says_what_it_is, _name))

main()
