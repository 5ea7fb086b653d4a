"""The processes: a server on the plugin's stubs, with the yardstick in it or with nothing at all."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

RECORD_VARIABLE = "INTUNE_VPP_BENCH_RECORD"
"""Names the file with the record that the yardstick answers."""

SCHEMA_VARIABLE = "INTUNE_VPP_BENCH_SCHEMA"

_THREADS = 32


def empty() -> int:
    """Serve no call: what any server on these stubs needs to start."""
    return _serve(provider_pb2_grpc.ResourceProviderServicer())


def yardstick() -> int:
    """Serve the calls of a token's life, and do nothing."""
    from yardstick.servicer import Yardstick  # noqa: PLC0415 - the empty server has no use for it

    return _serve(Yardstick(Path(os.environ[RECORD_VARIABLE]), Path(os.environ[SCHEMA_VARIABLE])))


def _serve(servicer: provider_pb2_grpc.ResourceProviderServicer) -> int:
    server = grpc.server(ThreadPoolExecutor(_THREADS))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # No Event: a signal that comes while its lock is held would wait for it for ever.
    ended: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.put(None))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended.get()
    server.stop(1).wait()
    return 0
