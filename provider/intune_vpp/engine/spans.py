"""Sends the engine a span for each request, if it collects traces (`pulumi up --otel-traces file:///tmp/traces.json`).

The engine passes the address of its collector in an environment variable, and its span in the metadata of each call.
The spans follow OpenTelemetry's conventions for HTTP clients
(https://opentelemetry.io/docs/specs/semconv/http/http-spans/), and have only the values of a `SentRequest`.
"""

from __future__ import annotations

import logging
import re
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from intune_vpp.engine.log import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.util.types import AttributeValue

    from intune_vpp.core.sent_request import SentRequest
    from intune_vpp.engine.collector import Collector

COLLECTOR = "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT"
"""The variable with the address of the engine's collector (pulumi/pulumi, pkg/resource/plugin/plugin.go)."""

_TRACEPARENT = "traceparent"
_FIRST_ERROR_STATUS = 400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ARGUMENTS = re.compile(r"\(.*\)")
_parent: ContextVar[str] = ContextVar("_parent", default="")
_log = logging.getLogger(__name__)


@contextmanager
def under(metadata: Iterable[tuple[str, str | bytes]]) -> Iterator[None]:
    """Make the spans of requests in the `with` block children of the span in the metadata of the engine's call."""
    before = _parent.set(next((str(value) for name, value in metadata if name == _TRACEPARENT), ""))
    try:
        yield
    finally:
        _parent.reset(before)


class RequestSpans:
    """The spans of one process. `endpoint` is `host:port` of the collector; empty: nothing is sent or imported."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._collector: Collector | None = None

    @property
    def collected(self) -> bool:
        """Whether there is a collector to send spans to."""
        return bool(self._endpoint)

    def record(self, sent: SentRequest) -> None:
        """Send the span of a request, without waiting. Raises no error: a trace must not make a request fail."""
        if not self._endpoint:
            return
        name, attributes = f"{sent.method} {_template(redact(sent.path))}", _attributes(sent)
        times = _nanoseconds(sent.started), _nanoseconds(sent.ended)
        try:
            self._opened().send(name, _parent.get(), attributes, times=times)
        except Exception as error:  # noqa: BLE001 - the library may be missing, or its environment variables wrong
            # It would fail again for each request.
            self._endpoint = ""
            _log.debug("No traces: %s.", type(error).__name__)

    def flush(self) -> None:
        """Wait until the collector has the spans, for half a second at most."""
        if self._collector is not None:
            self._collector.flush()

    def _opened(self) -> Collector:
        # OpenTelemetry takes time to import, and is needed for traces only.
        from intune_vpp.engine.collector import Collector  # noqa: PLC0415

        with self._lock:
            if self._collector is None:
                self._collector = Collector(self._endpoint)
            return self._collector


def _attributes(sent: SentRequest) -> dict[str, AttributeValue]:
    found: dict[str, AttributeValue] = {
        "http.request.method": sent.method,
        "server.address": sent.host,
        "url.path": redact(sent.path),
    }
    if sent.status is not None:
        found["http.response.status_code"] = sent.status
    if sent.request_id:
        found["azure.service.request.id"] = sent.request_id
    if sent.tries > 1:
        found["http.request.resend_count"] = sent.tries - 1
    if error := sent.error or (str(sent.status) if (sent.status or 0) >= _FIRST_ERROR_STATUS else ""):
        found["error.type"] = error
    return found


def _template(path: str) -> str:
    """Return the path with placeholders for ids, because the name of a span must be the same for all tokens."""
    return _ARGUMENTS.sub("(…)", _IDS.sub("{id}", path))


def _nanoseconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1) * 1000
