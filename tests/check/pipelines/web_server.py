# SPDX-License-Identifier: LGPL-2.1-or-later
"""nginx with the configuration of a recipe, run as the current user."""

import contextlib
import pathlib
import re

from pipeline import Skip, background, needs, wait_for_port

# nginx's default paths are writable only for root.
IN_THIS_FOLDER = {
    "http": "access_log access.log; " + " ".join(
        f"{name}_temp_path {name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
    "rtmp": "access_log access.log;",
}


@contextlib.contextmanager
def nginx(configuration, *ports):
    """Runs in the foreground in the current folder; listens on the ports."""
    needs("nginx")
    module = re.search(r"load_module (\S+);", configuration)
    if module and not pathlib.Path(module[1]).exists():
        raise Skip(f"no {module[1]}")
    for block, lines in IN_THIS_FOLDER.items():
        configuration = re.sub(rf"\b{block} {{", rf"\g<0> {lines}", configuration)
    pathlib.Path.cwd().chmod(0o755)  # nginx, if started by root, runs as another user
    pathlib.Path("nginx.conf").write_text(configuration, encoding="utf-8")
    with background('exec nginx -p "$PWD" -c "$PWD/nginx.conf" -e error.log '
                    '-g "daemon off; pid nginx.pid;"') as server:
        for port in ports:
            wait_for_port(port)
        yield server
