"""Ends a provider process whose engine was killed, which sends no signal.

The parent process id does not show it: between the engine and this process there may be a shell that keeps running (the
SDK's `pulumi-resource-pulumi-python` does not `exec`) or a language host (`PulumiPlugin.yaml`). A connection to the
engine shows it at once and on every platform: the operating system closes it when the engine ends.
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
    """End this process as soon as nothing listens at `address` (`host:port`) any more, after a call of `tidy`.

    Running requests are abandoned: no engine would record their results, and the next run finds what they did. Does
    nothing if nothing listens at first.
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
        # Not sys.exit, because Python would wait for the threads of calls, and they would keep sending requests.
        os._exit(1)


def _wait_until_gone(where: tuple[str, int], connection: socket.socket) -> None:
    """Return when a new connection is refused. An engine may close an idle one (gRPC does so after two minutes)."""
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
            # Not about the engine: too many open files, or a network that is not ready.
            continue
