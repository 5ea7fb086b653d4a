"""The end of a provider process whose engine is gone: an engine that is killed tells nobody.

A parent process id does not show it: between the engine and this process there may be a shell that lives on (the SDK's
`pulumi-resource-pulumi-python` does not `exec`) or a language host (`PulumiPlugin.yaml`). A connection to the engine
does, at once and on every platform: the operating system closes it when the engine ends.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS_BEFORE_RECONNECTING = 0.01


def exit_with_engine(address: str, tidy: Callable[[], None] = lambda: None) -> None:
    """End this process as soon as nobody listens at `address` (`host:port`) any more.

    `tidy` is called before. Requests that are under way are abandoned: nobody would record their results, and the next
    run finds what they did. Where nobody listens to begin with, nothing is watched.
    """
    host, _, port = address.rpartition(":")
    if port.isdecimal():
        where = (host.strip("[]"), int(port))
        threading.Thread(target=_watch, args=(where, tidy), name="engine-watch", daemon=True).start()


def _watch(where: tuple[str, int], tidy: Callable[[], None]) -> None:
    try:
        connection = socket.create_connection(where)
    except OSError:
        return
    _wait_until_gone(where, connection)
    try:
        tidy()
    finally:
        # Not sys.exit: Python would wait for the threads of calls, and these would go on sending.
        os._exit(1)


def _wait_until_gone(where: tuple[str, int], connection: socket.socket) -> None:
    """Return once a new connection is refused. An engine may close one that says nothing (gRPC: after two minutes)."""
    while True:
        with connection, suppress(OSError):
            while connection.recv(1024):
                pass
        time.sleep(_SECONDS_BEFORE_RECONNECTING)
        try:
            connection = socket.create_connection(where)
        except ConnectionRefusedError:
            return
        except OSError:
            # No word of the engine: too many open files, a network that is being set up.
            continue
