"""The process: the port on stdout, the server, and its end.

It ends when the engine asks (Cancel, then a signal), or when the engine is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from intune_vpp import __version__
from intune_vpp.engine.orphan import exit_with_engine
from intune_vpp.plugin.servicer import Servicer

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CALLS = 4096
"""Threads are made as they are needed: a call that waits for a sync keeps its own, however many `--parallel` allows."""

_MESSAGE_BYTES = 400 * 1024 * 1024
"""The engine's own limit (pulumi/pulumi, sdk/go/common/util/rpcutil)."""

_SECONDS_TO_FINISH = 3.5
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_GO = 0.5
_CALL = "call-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop. The last argument, if any, is the engine's address."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"--help", "-h", "--version"} & set(given):
        return _introduce("--version" in given)
    engine_address = given[-1] if given else ""
    servicer = Servicer(engine_address)
    exit_with_engine(engine_address, servicer.stop)
    calls = ThreadPoolExecutor(MOST_CALLS, thread_name_prefix=_CALL)
    server = grpc.server(
        calls,
        options=[("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.max_send_message_length", _MESSAGE_BYTES)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # A queue and no Event: a handler that runs while the main thread is inside Event.wait would wait for its lock.
    ended: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.put(None))
    # Nothing may be printed before this line: the engine reads the port from it.
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    _wait(ended)
    servicer.stop()
    server.stop(_SECONDS_TO_FINISH).wait()
    servicer.flush()
    _leave(calls)
    return 0


def _introduce(version_alone: bool) -> int:  # noqa: FBT001 - asked once
    """Print the version or the help text for a person, and return the exit code."""
    what = "A Pulumi plugin: pulumi starts it from PATH, or from the folder under `plugins:` in Pulumi.yaml."
    sys.stdout.write(f"{__version__}\n" if version_alone else f"intune-vpp {__version__}\n{what}\n")
    return 0


def _leave(calls: ThreadPoolExecutor) -> None:
    """End the process within the engine's timeout: Python would wait for each running call, such as a request to Graph.

    The next run finds what such a request has done (the listing before a Create).
    """
    threads = [thread for thread in threading.enumerate() if thread.name.startswith(_CALL)]
    calls.shutdown(wait=False)
    for thread in threads:
        thread.join(_SECONDS_TO_GO / len(threads))
    if any(thread.is_alive() for thread in threads):
        os._exit(0)


def _wait(ended: SimpleQueue[None]) -> None:
    """Wait for a signal. Wakes up regularly, because Python handles a signal late that arrives just before the wait."""
    while True:
        with suppress(Empty):
            return ended.get(timeout=_SECONDS_BETWEEN_LOOKS)
