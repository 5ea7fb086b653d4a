"""Sends spans to an OTLP collector. Importing this module imports OpenTelemetry, a dependency of Pulumi's SDK."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import grpc
from opentelemetry import context
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import DEFAULT_ON
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.util.types import AttributeValue

_NOT_TRACED = context._SUPPRESS_INSTRUMENTATION_KEY  # noqa: SLF001 - as in OpenTelemetry's exporters
_SECONDS_TO_EXPORT = 10.0
_SECONDS_TO_FLUSH = 0.5


class _Exporter(SpanProcessor):
    """Sends each span when it ends, and does not wait for the answer.

    If a collector is not reachable, the exporters of OpenTelemetry retry for many seconds, delay the end of the
    process, and log to stderr.
    """

    def __init__(self, endpoint: str) -> None:
        # The collector runs on this machine, so requests to it must not use a proxy.
        channel = grpc.insecure_channel(endpoint, options=[("grpc.enable_http_proxy", 0)])
        self._export = TraceServiceStub(channel).Export  # type: ignore[no-untyped-call]
        self._under_way: set[grpc.Future[Any]] = set()

    def on_end(self, span: ReadableSpan) -> None:
        """Send a span."""
        # Otherwise the SDK, which instruments gRPC if TRACEPARENT is set, would make a span of this call.
        token = context.attach(context.set_value(_NOT_TRACED, value=True))
        try:
            call = self._export.future(encode_spans([span]), timeout=_SECONDS_TO_EXPORT)
        finally:
            context.detach(token)
        # A reference is kept, because gRPC cancels a call that nothing refers to.
        self._under_way.add(call)
        call.add_done_callback(self._under_way.discard)

    def flush(self, seconds: float) -> None:
        """Wait until the collector has all spans or has refused them, for so many seconds at most."""
        end = time.monotonic() + seconds
        for call in list(self._under_way):
            with suppress(grpc.RpcError, grpc.FutureTimeoutError, grpc.FutureCancelledError):
                call.result(max(end - time.monotonic(), 0))


class Collector:
    """The collector at `endpoint` (`host:port`); it receives spans by OTLP over gRPC, without TLS."""

    def __init__(self, endpoint: str) -> None:
        self._exporter = _Exporter(endpoint)
        # Not the global tracer provider, which the SDK may set, and no resource attributes of the environment, which
        # may contain anything.
        provider = TracerProvider(
            sampler=DEFAULT_ON, resource=Resource({"service.name": "intune-vpp"}), shutdown_on_exit=False
        )
        provider.add_span_processor(self._exporter)
        self._tracer = provider.get_tracer("intune-vpp")

    def send(
        self, name: str, traceparent: str, attributes: Mapping[str, AttributeValue], *, times: tuple[int, int]
    ) -> None:
        """Send the span of a request. The attribute `error.type` marks it as failed.

        `traceparent` is that of its parent (https://www.w3.org/TR/trace-context/); `times` are its start and end, in
        nanoseconds since 1970.
        """
        parent = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, context.Context())
        started, ended = times
        span = self._tracer.start_span(
            name, parent, kind=SpanKind.CLIENT, attributes=dict(attributes), start_time=started
        )
        if "error.type" in attributes:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)

    def flush(self) -> None:
        """Wait until the collector has the spans, for half a second at most."""
        self._exporter.flush(_SECONDS_TO_FLUSH)
