#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""flvserve loads its configuration again on SIGHUP: only the differences change."""

import os
import pathlib
import signal

from http_client import Watcher, ask, check_gapless, get, stream_of
from pipeline import case, check, free_port, main, wait_until
from serverprocess import configured, movie, serving, span, write_config
from flvfile import tags_of, whole_part

KEPT = "[mount /live.flv]\nuris=movie.flv\nloop=true\nburst=2000\n"
SHORT = os.environ.get("FLV_TEST_SHORT") == "1"


def answers(server, path, status):
    wait_until(lambda: ask(server.port, "HEAD", path).status == status, f"{path}: not {status}")


@case
def unchanged_mounts_keep_their_clients():
    """The watcher gets every picture, whatever changes around it."""
    movie()
    movie("other.flv")
    os.mkdir("folder")
    movie("folder/file.flv")
    other = "[mount /b.flv]\nuris=movie.flv\nloop=true\n"
    with configured(KEPT + other) as server:
        watcher = Watcher(server.port)
        folder = "[files /v]\nroot=folder\n"
        none = "0 folders added, 0 changed, 0 removed, 0 unchanged"
        for text, summary in (
                (KEPT + other, f"0 mounts added, 0 changed, 0 removed, 2 unchanged; {none}"),
                (KEPT, f"0 mounts added, 0 changed, 1 removed, 1 unchanged; {none}"),
                (KEPT + other, f"1 mount added, 0 changed, 0 removed, 1 unchanged; {none}"),
                (KEPT + other.replace("movie", "other"),
                 f"0 mounts added, 1 changed, 0 removed, 1 unchanged; {none}"),
                ("# nothing new\n" + KEPT + folder,
                 "0 mounts added, 0 changed, 1 removed, 1 unchanged; "
                 "1 folder added, 0 changed, 0 removed, 0 unchanged"),
                (KEPT + folder + "[files /w]\nroot=folder\n",
                 "0 mounts added, 0 changed, 0 removed, 1 unchanged; "
                 "1 folder added, 0 changed, 0 removed, 1 unchanged"),
                (KEPT + folder + "burst=2000\n",
                 "0 mounts added, 0 changed, 0 removed, 1 unchanged; "
                 "0 folders added, 1 changed, 1 removed, 0 unchanged")):
            write_config(text, server.port)
            said = server.reload()
            check(said.endswith(f"the configuration is loaded: {summary}"), said)
            answers(server, "/b.flv", 200 if "/b.flv" in text else 404)
        answers(server, "/v/file.flv", 200)
        write_config(KEPT, server.port)
        server.reload()
        answers(server, "/v/file.flv", 404)
        check_gapless(watcher.end())
        server.end()


@case
def clients_of_a_changed_mount_are_closed():
    movie()
    movie("other.flv")
    with configured("[mount /live.flv]\nuris=movie.flv\nloop=true\n[mount /b.mkv]\nfrom=/live.flv\n"
                    ) as server:
        client = stream_of(server.port)
        client.read_pictures(10)
        write_config("[mount /live.flv]\nuris=other.flv\nloop=true\n[mount /b.mkv]\n"
                     "from=/live.flv\n", server.port)
        check("1 changed, 0 removed, 1 unchanged" in server.reload(), server.text)
        stream = client.read_all()
        check(whole_part(stream) == stream, "it ends inside a tag")
        answers(server, "/live.flv", 200)
        check(stream_of(server.port).read_pictures(10), "nothing")
        server.end()


@case
def settings_of_clients_change_at_once():
    """Without a restart of the stream."""
    movie()
    with configured(KEPT) as server:
        watcher = Watcher(server.port)
        write_config(KEPT.replace("2000", "4000") + "max-clients=2\n", server.port)
        check("0 mounts added, 1 changed, 0 removed, 0 unchanged;" in server.reload(), server.text)

        # A client that has left counts until the server notices it.
        def joined():
            answers(server, "/live.flv", 200)
            client = stream_of(server.port)
            client.read_for(0.3)
            client.close()
            return span(whole_part(bytes(client.body)))

        wait_until(lambda: joined() > 3800, "no longer burst")
        answers(server, "/live.flv", 200)
        one = stream_of(server.port)
        check(get(server.port, "/live.flv").status == 503, "a third client")
        one.close()
        check_gapless(watcher.end())
        # The stream waits until its lead is as small as the new burst.
        write_config(KEPT.replace("burst=2000\n", ""), server.port)
        server.reload()
        wait_until(lambda: joined() < 2900, "still a burst")
        server.end()


@case
def an_invalid_configuration_changes_nothing():
    movie()
    with configured(KEPT) as server:
        watcher = Watcher(server.port)
        for text, complaint in (
                (KEPT + "brust=1\n", 'flvserve.conf:8: unknown key "brust" in [mount]'),
                ("[mount /b.flv]\nfrom=/c.flv\n", "flvserve.conf:5: from: there is no [mount /c.flv]"),
                ("", "flvserve.conf: there is neither a [mount /PATH] nor a [files /PATH]")):
            write_config(text, server.port)
            check(server.reload().endswith("the old configuration stays in force"), server.text)
            check(complaint in server.text, server.text)
        os.remove("flvserve.conf")
        check(server.reload().endswith("the old configuration stays in force"), server.text)
        check(ask(server.port, "HEAD", "/b.flv").status == 404, "/b.flv is there")
        check_gapless(watcher.end())
        server.end()


@case
def what_needs_a_restart():
    movie()
    with configured(KEPT) as server:
        watcher = Watcher(server.port)
        write_config(KEPT + "[mount /b.flv]\nuris=movie.flv\n", free_port())
        check(server.reload().endswith("listen cannot change while the server runs: restart it; the "
                                       "old configuration stays in force"), server.text)
        pathlib.Path("cert.pem").touch()
        write_config(KEPT, server.port, server="tls-certificate=cert.pem\n")
        check("tls-certificate and tls-key cannot change" in server.reload(), server.text)
        check(ask(server.port, "HEAD", "/b.flv").status == 404, "a part was applied")
        check_gapless(watcher.end())
        server.end()


@case
def settings_of_the_server():
    movie()
    with configured(KEPT) as server:
        write_config(KEPT, server.port, server="access-log=a.log\nmax-clients=1\n")
        server.reload()
        client = stream_of(server.port)
        client.read_pictures(1)
        check(get(server.port, "/live.flv").status == 503, "a second client")
        client.close()
        wait_until(lambda: os.path.exists("a.log") and os.path.getsize("a.log"), "no log")
        write_config(KEPT, server.port, server="access-log=/nonexistent/a.log\n")
        check("stays in force" in server.reload(), server.text)
        server.end()


@case
def a_mount_that_returns_while_it_stops():
    """The removed mount still has a client that reads slowly when it is added again."""
    movie()
    with configured(KEPT + "[mount /b.flv]\nuris=movie.flv\nloop=true\n") as server:
        client = stream_of(server.port, "/b.flv", buffer=4096)
        client.read_pictures(1)
        for text in (KEPT, KEPT + "[mount /b.flv]\nuris=movie.flv\nloop=true\n"):
            write_config(text, server.port)
            server.reload()
        answers(server, "/b.flv", 200)
        check(stream_of(server.port, "/b.flv").read_pictures(5), "nothing")
        client.close()
        server.end()


@case
def many_clients_stay():
    movie()
    count = 20 if SHORT else 300
    with configured(KEPT) as server:
        clients = [stream_of(server.port) for _ in range(count)]
        for client in clients:
            client.read_pictures(1)
        for number in range(5):
            write_config(KEPT + f"[mount /{number}.flv]\nuris=movie.flv\nloop=true\n", server.port)
            server.reload()
        sizes = [len(client.body) for client in clients]
        for client, size in zip(clients, sizes):
            client.read(size + 50000)
            tags_of(bytes(client.body))
            client.close()
        server.end()


@case
def without_a_configuration_file():
    """SIGHUP has nothing to load."""
    movie()
    with serving("--loop", "movie.flv") as server:
        server.send(signal.SIGHUP)
        check(stream_of(server.port, "/movie.flv").read_pictures(10), "nothing")
        server.end()


main()
