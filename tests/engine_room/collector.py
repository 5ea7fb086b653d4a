"""A collector of traces on loopback, as the engine starts one for `--otel-traces`."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"
OTHER_SPAN = "00f067aa0ba902b7"


@dataclass(frozen=True)
class Span:
    """A span as it arrived, with the name of the service that sent it."""

    service: str
    name: str
    kind: int
    trace: str
    parent: str
    times: tuple[int, int]
    attributes: dict[str, Any]
    status: int
    bytes: bytes


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps all spans; while `hanging` is set, it takes them and does not answer."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.hanging = threading.Event()
        self._answering = threading.Event()
        self._spans: list[Span] = []

    def Export(self, request: Any, _context: object) -> Any:  # noqa: N802 - gRPC's name
        """Keep the spans of one request."""
        for resource in request.resource_spans:
            service = _plain(resource.resource.attributes)["service.name"]
            self._spans += [_span(service, one) for scope in resource.scope_spans for one in scope.spans]
        if self.hanging.is_set():
            self._answering.wait()
        return trace_service_pb2.ExportTraceServiceResponse()

    def release(self) -> None:
        """Answer what waits."""
        self._answering.set()

    def spans(self, count: int = 0, *, service: str = "intune-vpp") -> list[Span]:
        """The spans of a service in the order of their beginnings, once there are so many."""
        end = time.monotonic() + 20
        while len(found := [one for one in list(self._spans) if one.service == service]) < count:
            assert time.monotonic() < end, f"only {len(found)} spans arrived"
            time.sleep(0.01)
        return sorted(found, key=lambda one: one.times)

    def everything(self) -> str:
        """All that has arrived, as text."""
        return "\n".join(f"{one} {one.bytes!r}" for one in self._spans)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    collector.endpoint = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        collector.release()
        server.stop(5).wait()


def _span(service: str, span: Any) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=span.kind,
        trace=span.trace_id.hex(),
        parent=span.parent_span_id.hex(),
        times=(span.start_time_unix_nano, span.end_time_unix_nano),
        attributes=_plain(span.attributes),
        status=span.status.code,
        bytes=span.SerializeToString(),
    )


def _plain(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
