# SPDX-License-Identifier: LGPL-2.1-or-later
"""Common code of the benchmarks: paths, timed runs, tables and verdicts."""
import argparse
import json
import os
import resource
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLUGINS = ('flvpace', 'flvseek', 'httpserver')
SKIPPED = 77  # meson's exit status for a skipped test
BUSY = 0.5  # maximum load before the first run
DESCRIPTORS = 100  # in addition to those of a server's clients
LISTENING = '0A'  # state in /proc/net/tcp


class Contender(NamedTuple):
    """A program in a benchmark. `command` is a list of arguments."""
    name: str
    command: list
    elements: tuple = ()


class Bench:
    """A benchmark's options and tools."""

    def __init__(self, description, runs, add_options=None):
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument('--build', type=Path,
                            default=os.environ.get('FLV_BUILD', ROOT / 'build'),
                            help='build directory (default: $FLV_BUILD, or build)')
        parser.add_argument('--media', type=Path, help='directory of the test files'
                            ' (default: tests/bench/media in the build directory)')
        parser.add_argument('--runs', type=int, default=runs,
                            help='runs of each contender, in turns (default: %(default)s)')
        parser.add_argument('--json', type=Path, metavar='FILE',
                            help='write all figures as JSON to FILE')
        if add_options:
            add_options(parser)
        self.options = parser.parse_args()
        self.build = Path(self.options.build).resolve()
        self.tools = self.build / 'tests' / 'bench'
        self.arrival = str(self.tools / 'arrival')
        self.media_dir = self.options.media or self.tools / 'media'
        self.env = dict(os.environ)
        plugins = [*(str(self.build / 'gst' / name) for name in PLUGINS),
                   self.env.get('GST_PLUGIN_PATH', '')]
        self.env['GST_PLUGIN_PATH'] = ':'.join(filter(None, plugins))
        self.figures = {}
        self.failed = False
        if not self.has_element('flvpace'):
            print(f'SKIP: no flvpace in {self.build}; is it built?')
            sys.exit(SKIPPED)
        load = os.getloadavg()[0]
        if load > BUSY:
            print(f'NOTE: others keep this machine busy (load {load:.1f}): '
                  'what passes or fails by a little says nothing')

    def media(self, name):
        """The path of a file of make-media, which makes it if it does not exist."""
        made = subprocess.run([HERE / 'make-media', '--dir', self.media_dir, name],
                              check=False, stdout=subprocess.PIPE, text=True)
        if made.returncode != 0:
            print(f'SKIP: make-media could not make "{name}"')
            sys.exit(SKIPPED)
        return made.stdout.strip()

    def has_element(self, name):
        return shutil.which('gst-inspect-1.0') is not None and subprocess.run(
            ['gst-inspect-1.0', name], env=self.env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=False).returncode == 0

    def present(self, contenders):
        """The installed contenders. Prints the missing ones."""
        there = []
        for one in contenders:
            missing = [e for e in one.elements if not self.has_element(e)]
            if shutil.which(one.command[0]) is None:
                missing.append(one.command[0])
            if missing:
                print(f'SKIP: {one.name}: no {", ".join(missing)} here')
            else:
                there.append(one)
        return there

    def verdict(self, good, text, why):
        """Prints whether a limit is met; if it is not, `why` names what the figure depends on."""
        print(f'  {"pass" if good else "FAIL"}  {text}')
        if not good:
            print(f'        why: {why}')
        self.failed |= not good

    def finish(self):
        if self.options.json:
            self.options.json.write_text(json.dumps(self.figures, indent=2) + '\n')
        sys.exit(1 if self.failed else 0)


def gst(pipeline):
    return ['gst-launch-1.0', '-q', *shlex.split(pipeline)]


class Process:
    """A child process whose error messages are kept until they are needed."""

    def __init__(self, command, env, **streams):
        self.complaints = tempfile.TemporaryFile()
        self.child = subprocess.Popen(command, env=env, stderr=self.complaints, **streams)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.complaints.close()

    def said(self):
        self.complaints.seek(0)
        return self.complaints.read().decode(errors='replace').strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def listens(port):
    """Whether the port has a listener, without a connection to it."""
    for name in ('tcp', 'tcp6'):
        with open(f'/proc/net/{name}', encoding='ascii') as file:
            for line in file:
                fields = line.split()
                if fields[1].endswith(f':{port:04X}') and fields[3] == LISTENING:
                    return True
    return False


def wait_for_listener(server, port):
    """Waits until a Process listens."""
    for _ in range(500):
        if server.child.poll() is not None:
            break
        if listens(port):
            return
        time.sleep(0.02)
    raise SystemExit(f'no server listens: {server.said()}')


def allow_descriptors(clients):
    """For this process and its children."""
    count = clients + DESCRIPTORS
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        print(f'SKIP: {count} descriptors are wanted, and {hard} allowed')
        sys.exit(SKIPPED)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_of(pid):
    """The CPU seconds of a process so far."""
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        user, system = file.read().rpartition(')')[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf('SC_CLK_TCK')


def megabytes_of(pid):
    """The peak resident megabytes of a process so far."""
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmHWM')) / 1000


def timed(command, env):
    """Wall seconds, CPU seconds and peak resident megabytes of a command, which must succeed."""
    begin = time.monotonic()
    with Process(command, env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.child.pid, 0)
        seconds = time.monotonic() - begin
        process.child.returncode = os.waitstatus_to_exitcode(status)
        if process.child.returncode != 0:
            raise SystemExit(f'{shlex.join(map(str, command))}: {process.said()}')
    return {'seconds': seconds, 'cpu': usage.ru_utime + usage.ru_stime,
            'megabytes': usage.ru_maxrss / 1000}


def piped(bench, command, duration):
    """The figures of the arrival tool for the first seconds of a command's output."""
    with Process(command, bench.env, stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE) as process:
        measured = subprocess.run(
            [bench.arrival, '--json', '--quiet', f'--duration={duration}'],
            stdin=process.child.stdout, stdout=subprocess.PIPE, text=True, check=False)
        process.child.stdout.close()
        if measured.returncode != 0:
            raise SystemExit(f'{shlex.join(map(str, command))}: {process.said()}')
    return json.loads(measured.stdout)


def in_turns(runs, contenders, run):
    """Calls run(contender) for each contender, `runs` times; returns a list of results for each
    name."""
    results = {one.name: [] for one in contenders}
    for number in range(runs):
        for one in contenders:
            progress(f'{number + 1}/{runs} {one.name}')
            results[one.name].append(run(one))
    progress('')
    return results


def progress(text):
    if sys.stderr.isatty():
        print(f'\r\033[K{text}', end='', file=sys.stderr, flush=True)


def medians(results, keys):
    """For each name, the median of each figure over the runs that have it; None if none has."""
    table = {}
    for name, runs in results.items():
        table[name] = {}
        for key in keys:
            values = [run[key] for run in runs if run.get(key) is not None]
            table[name][key] = statistics.median(values) if values else None
    return table


def print_table(head, rows):
    """`rows` are text; the first column is left-aligned."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print('  ' + '  '.join(cells).rstrip())


def number(value, digits=2):
    return '-' if value is None else f'{value:.{digits}f}'


def ratio(own, peer):
    return '-' if own is None or not peer or peer < 0 else f'{own / peer:.2f}'
