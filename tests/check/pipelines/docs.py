#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the docs with the program: properties, statistics, links, and the recipes that no other
test runs."""

import functools
import pathlib
import re

from pipeline import RECIPE_PAGES, ROOT, add_case, case, check, main, needs_element, recipes, run

ELEMENTS = ["flvpace", "flvseek", "httpserversink", "failoversrc"]
TYPES = {"Unsigned Integer64": "uint64", "Unsigned Integer": "uint", "Double": "double",
         "Boolean": "boolean", "Enum": "enum", "Flags": "flags", "Boxed": "GstStructure",
         "String": "string"}
INHERITED = {"name": "The name of the object", "parent": "The parent of the object"}
# For each base class, two elements that have all its properties, and few others.
OF_BASE_CLASSES = {"GstBaseSink": ["fakesink", "filesink"], "GstBaseSrc": ["fakesrc", "filesrc"]}


def page_of(element):
    return ROOT / f"docs/{element}.md"


def blurb_of(lines):
    return lines.split("\n", 1)[0]


def inspected(element):
    """The lines of gst-inspect-1.0 for each property."""
    text = run(f"gst-inspect-1.0 {element}").ok().stdout
    inherited = set(INHERITED.items())
    for base, elements in OF_BASE_CLASSES.items():
        if base in text and element not in elements:
            one, other = ({(name, blurb_of(lines)) for name, lines in inspected(each).items()}
                          for each in elements)
            inherited |= one & other
    text = text.split("Element Properties:\n", 1)[1].split("\nElement Signals:", 1)[0]
    parts = re.split(r"^  ([a-z-]+) +: ", text, flags=re.MULTILINE)
    return {name: lines for name, lines in zip(parts[1::2], parts[2::2])
            if (name, blurb_of(lines)) not in inherited}


def row_of(lines):
    """The expected row of the table: type, range, default, changes in."""
    kind = next(name for text, name in TYPES.items() if re.search(rf"^ +{text}", lines, re.M))
    limits = re.search(r"Range: +(\S+) - +(\S+)", lines)
    default = re.search(r'Default: +(?:\w+, )?"?([^\s"]+)', lines)
    if kind in ("enum", "flags"):
        values = ", ".join(re.findall(r"^ +\((?:0x)?\d+\): (\S+)", lines, re.M))
    else:
        values = "–".join(limits.groups()) if limits else ""
    changes = "read only"
    if "writable" in lines:
        changes = "READY" if "only in NULL or READY" in lines else "PLAYING"
    return [kind, values, default[1] if default and default[1] != "null" else "", changes]


def section(element, title):
    text = page_of(element).read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def property_table(element):
    needs_element(element)
    rows = re.findall(r"^\| `([a-z-]+)` \|(.*)\|$", section(element, "Properties"), re.MULTILINE)
    table = {name: [cell.strip() for cell in rest.split("|")][:4] for name, rest in rows}
    properties = {name: row_of(lines) for name, lines in inspected(element).items()}
    check(table.keys() == properties.keys(),
          f"in one only: {sorted(table.keys() ^ properties.keys())}")
    for name, row in properties.items():
        for said, true in zip(table[name], row):
            same = said.lower() == true.lower()
            check(same, f"{name}: the page says {table[name]}, the element {row}")


for name in ELEMENTS:
    add_case(f"{name}-property-table", functools.partial(property_table, name))


@case
def statistics_table():
    rows = re.findall(r"^\| (`.*?) \|", section("flvpace", "Statistics"), re.MULTILINE)
    said = re.findall(r"`([a-z-]+)`", " ".join(rows))
    true = re.findall(r"^ +([a-z-]+): -?\d+$", inspected("flvpace")["stats"], re.MULTILINE)
    check(sorted(said) == sorted(true), f"in one only: {sorted(set(said) ^ set(true))}")


@case
def every_recipe_is_run():
    tests = "".join(path.read_text(encoding="utf-8")
                    for path in pathlib.Path(__file__).parent.glob("*.py"))
    check(recipes(), "no recipe was found")
    for name in recipes():
        check(f'recipe("{name}"' in tests, f"no test runs {name}")


@case
def every_block_of_the_recipes_is_named():
    texts = [page.read_text(encoding="utf-8").split("\n## Recipes\n")[-1] for page in RECIPE_PAGES]
    blocks = len(re.findall(r"^```\w+$", "".join(texts), re.MULTILINE))
    check(len(recipes()) == blocks, f"{blocks} blocks, {len(recipes())} distinct names")


@case
def launch_lines():
    """Launch lines outside of the recipes, which no other test runs: their elements and properties
    exist."""
    for page in (ROOT / "README.md", *map(page_of, ELEMENTS)):
        text = page.read_text(encoding="utf-8").split("\n## Recipes\n")[0]
        lines = re.findall(r"^gst-launch-1.0 (.*)$", text, re.MULTILINE)
        check(lines, f"no launch line in {page.name}")
        for element in {part.strip() for line in lines for part in line.split("|")[0].split("!")}:
            name, *settings = re.sub("^-q ", "", element).split(">")[0].split()
            needs_element(name)
            known = run(f"gst-inspect-1.0 {name}").stdout
            for setting in settings:
                wanted = rf"^  {setting.split('=')[0]} +: "
                check(re.search(wanted, known, re.MULTILINE), f"{page.name}: {name} has no {setting}")


@case
def links():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    check(len(pages) > 3, f"only {len(pages)} pages")
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            check((page.parent / link).exists(), f"{page.name} links to {link}")


main()
