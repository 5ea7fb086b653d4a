"""Sends spans to an OTLP collector. Importing this module imports OpenTelemetry, which the SDK brings."""

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

    The exporters of OpenTelemetry try again for many seconds while a collector is away, hold up the end of the process
    meanwhile, and log to stderr.
    """

    def __init__(self, endpoint: str) -> None:
        # The collector is on this machine, so a proxy in the environment is not for it.
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
        # gRPC cancels a call without references.
        self._under_way.add(call)
        call.add_done_callback(self._under_way.discard)

    def flush(self, seconds: float) -> None:
        """Wait until the spans have arrived, or failed to."""
        end = time.monotonic() + seconds
        for call in list(self._under_way):
            with suppress(grpc.RpcError, grpc.FutureTimeoutError, grpc.FutureCancelledError):
                call.result(max(end - time.monotonic(), 0))


class Collector:
    """The collector at `endpoint` (`host:port`); it receives spans by OTLP over gRPC, without TLS."""

    def __init__(self, endpoint: str) -> None:
        self._exporter = _Exporter(endpoint)
        # Not the provider of the whole process, which may be the SDK's, and nothing of the environment: its resource
        # attributes may be anything.
        provider = TracerProvider(
            sampler=DEFAULT_ON, resource=Resource({"service.name": "intune-vpp"}), shutdown_on_exit=False
        )
        provider.add_span_processor(self._exporter)
        self._tracer = provider.get_tracer("intune-vpp")

    def send(
        self, name: str, traceparent: str, attributes: Mapping[str, AttributeValue], *, times: tuple[int, int]
    ) -> None:
        """Send the span of a request; one with the attribute `error.type` has failed.

        `traceparent` names its parent (https://www.w3.org/TR/trace-context/); `times` are its start and its end, in
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
        """Wait until the spans have arrived, for half a second at most."""
        self._exporter.flush(_SECONDS_TO_FLUSH)
