#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The completions of flvstream and flvserve, in the shells themselves."""

import os
import pathlib
import re

from commandline import FLVSTREAM
from pipeline import ROOT, case, check, main, needs, run

SCRIPTS = ROOT / "tools/completions"
COMMANDS = {"flvstream": FLVSTREAM, "flvserve": os.environ["FLV_SERVE"]}
# Line, and completions that are offered among others.
CASES = (
    ("flvserve --pr", {"--print-config"}),
    ("flvserve --l", {"--listen", "--loop"}),
    ("flvserve mov", {"movie.flv"}),
    ("flvserve --config=fl", {"flvserve.conf"}),
    ("flvstream --snap=", {"next", "previous", "exact"}),
    ("flvstream --index=s", {"scan"}),
    ("flvstream --no", {"--no-pace"}),
    ("flvstream mov", {"movie.flv"}),
)


def options(command):
    """The long options that --help names."""
    told = run(f"{COMMANDS[command]} --help").ok().stdout.split("Application Options:")[1]
    return set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", told, re.MULTILINE)) | {"--help"}


def files():
    for name in ("movie.flv", "flvserve.conf"):
        pathlib.Path(name).touch()


def plain(words):
    """Without the value before, as in --snap=next, and the sign after an option."""
    return {word.rstrip("=").split("=")[-1] for word in words}


BASH = """
. {script}
COMP_LINE='{line}'
COMP_POINT=${{#COMP_LINE}}
# As readline splits the line: = is a word.
mapfile -t COMP_WORDS < <(sed 's/=/\\n=\\n/g; s/ /\\n/g' <<<"$COMP_LINE")
[[ $COMP_LINE != *= ]] || unset 'COMP_WORDS[-1]'
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
compopt() {{ :; }}
_{command}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

# A terminal of its own: completions are only made there. zsh offers nothing while more input waits.
ZSH = """
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D'
zpty -w shell 'zstyle ":completion:*" list-grouped no; zstyle ":completion:*" verbose no'
zpty -w shell 'LISTMAX=1000; setopt list_ambiguous no_auto_menu'
zpty -w shell 'comppostfuncs=(reported); reported() {{ compstate[insert]=; compstate[list]=; : > .over; }}'
zpty -w shell 'compadd() {{
  local -a offered
  builtin compadd -O offered "$@"
  (( $#offered )) && print -l -- "<${{^offered[@]}}>" >> offers
  builtin compadd "$@"
}}'
zpty -w shell 'echo read''y'
zpty -r shell answer '*ready*'
zpty -w -n shell $'{line}\\t'
repeat 1000; do
  [[ -e .over ]] && break
  sleep 0.01
done
zpty -w -n shell $'\\C-u'
zpty -w shell 'echo don''e'
zpty -r shell answer '*done*'
zpty -d shell
"""


def in_bash(line):
    command = line.split()[0]
    done = run(BASH.format(script=SCRIPTS / f"{command}.bash", line=line, command=command)).ok()
    check(not done.stderr, done.stderr)
    return plain(done.stdout.split())


def in_fish(line):
    needs("fish")
    script = SCRIPTS / f"{line.split()[0]}.fish"
    done = run(f"HOME=$PWD fish --no-config -c 'source {script}; complete -C \"{line}\"'").ok()
    return plain(row.split("\t")[0] for row in done.stdout.splitlines())


def in_zsh(line):
    needs("zsh")
    for name in ("offers", ".over"):
        pathlib.Path(name).unlink(missing_ok=True)
    pathlib.Path("complete.zsh").write_text(ZSH.format(folder=SCRIPTS, line=line), encoding="utf-8")
    run("TERM=dumb zsh -f complete.zsh < /dev/null").ok()
    offers = pathlib.Path("offers").read_text(encoding="utf-8") if os.path.exists("offers") else ""
    return plain(re.findall("<(.*?)>", offers))


def check_lines(complete):
    files()
    for line, expected in CASES:
        got = complete(line)
        check(expected <= got, f"{line}: {got} without {expected - got}")
    for command in COMMANDS:
        missing = options(command) - complete(f"{command} --")
        check(not missing, f"{command}: no {missing}")


@case
def bash():
    check_lines(in_bash)


@case
def zsh():
    check_lines(in_zsh)


@case
def fish():
    check_lines(in_fish)


main()
