# SPDX-License-Identifier: LGPL-2.1-or-later
"""nginx with a recipe's configuration, as whoever runs the tests."""

import contextlib
import pathlib
import re

from pipeline import Skip, background, needs, wait_for_port

# Where nginx would write for itself, only root may.
IN_THIS_FOLDER = {
    "http": "access_log access.log; " + " ".join(
        f"{name}_temp_path {name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
    "rtmp": "access_log access.log;",
}


@contextlib.contextmanager
def nginx(configuration, *ports):
    """In the foreground of the current folder; it listens on the ports."""
    needs("nginx")
    module = re.search(r"load_module (\S+);", configuration)
    if module and not pathlib.Path(module[1]).exists():
        raise Skip(f"no {module[1]}")
    for block, lines in IN_THIS_FOLDER.items():
        configuration = re.sub(rf"\b{block} {{", rf"\g<0> {lines}", configuration)
    pathlib.Path.cwd().chmod(0o755)  # root's nginx works as another user
    pathlib.Path("nginx.conf").write_text(configuration, encoding="utf-8")
    with background('exec nginx -p "$PWD" -c "$PWD/nginx.conf" -e error.log '
                    '-g "daemon off; pid nginx.pid;"') as server:
        for port in ports:
            wait_for_port(port)
        yield server
