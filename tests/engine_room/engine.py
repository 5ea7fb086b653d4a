"""An engine that only listens: the log of Pulumi's engine, served on loopback."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator


class Engine(engine_pb2_grpc.EngineServicer):
    """Records what the provider logs."""

    def __init__(self) -> None:
        self.address = ""
        self.log: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def Log(self, request: engine_pb2.LogRequest, _context: object) -> empty_pb2.Empty:  # noqa: N802 - gRPC's name
        """Keep severity and sentence."""
        with self._lock:
            self.log.append((engine_pb2.LogSeverity.Name(request.severity), request.message))
        return empty_pb2.Empty()

    def logged(self, severity: str) -> list[str]:
        """What was said in this severity, in order."""
        with self._lock:
            return [sentence for said, sentence in self.log if said == severity]

    def wait_for(self, severity: str, *, count: int = 1, seconds: float = 5.0) -> list[str]:
        """The same, once there is so much of it, for what is said without waiting."""
        end = time.monotonic() + seconds
        while len(self.logged(severity)) < count and time.monotonic() < end:
            time.sleep(0.01)
        return self.logged(severity)


@contextmanager
def listening() -> Iterator[Engine]:
    """An engine on a free port, which hangs up at the end."""
    engine = Engine()
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    engine.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield engine
    finally:
        server.stop(0).wait()
