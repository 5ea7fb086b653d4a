"""The processes: a gRPC server on the plugin's stubs that serves the yardstick, or nothing."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import grpc

from intune_vpp.engine.lean_imports import load_lean

load_lean()

from pulumi.runtime.proto import provider_pb2_grpc  # noqa: E402 - the plugin's start, so that the ratios hide nothing

RECORD_VARIABLE = "INTUNE_VPP_BENCH_RECORD"
"""The environment variable with the path of the record that the yardstick returns."""

SCHEMA_VARIABLE = "INTUNE_VPP_BENCH_SCHEMA"

_THREADS = 32


def empty() -> int:
    """Serve no call: the time to start is that of any server on these stubs."""
    return _serve(provider_pb2_grpc.ResourceProviderServicer())


def yardstick() -> int:
    """Serve the calls for a token without doing anything."""
    from yardstick.servicer import Yardstick  # noqa: PLC0415 - the empty server does not need it

    return _serve(Yardstick(Path(os.environ[RECORD_VARIABLE]), Path(os.environ[SCHEMA_VARIABLE])))


def _serve(servicer: provider_pb2_grpc.ResourceProviderServicer) -> int:
    server = grpc.server(ThreadPoolExecutor(_THREADS))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # A queue and no Event: a signal handler would wait for ever for the lock of Event.wait.
    ended: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.put(None))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ended.get()
    server.stop(1).wait()
    return 0
