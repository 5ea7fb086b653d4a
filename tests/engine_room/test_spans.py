"""One span a request, for an engine that collects traces; a failing collector affects nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from engine_room.collector import OTHER_SPAN, SPAN, TRACE, TRACEPARENT, collecting
from intune_vpp.clock import SystemClock
from intune_vpp.core.sent_request import SentRequest
from intune_vpp.engine.log import about
from intune_vpp.engine.spans import RequestSpans, under

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine_room.collector import Collector

TOKEN_ID = "5A8e0c1e-3f6d-4a0b-9a53-2f1b8a7c0d11"
STARTED = datetime(2026, 11, 29, 17, 0, 0, 250_000, tzinfo=UTC)
SENT = SentRequest(
    method="POST",
    host="graph.microsoft.com",
    path=f"/beta/deviceAppManagement/vppTokens/{TOKEN_ID}/syncLicenses",
    status=200,
    request_id="f7d0c2a4-4a5e-4b62-9d0c-0d2f3f1f7a10",
    tries=1,
    started=STARTED,
    ended=STARTED + timedelta(milliseconds=1500),
)
CLIENT, ERROR = 3, 2
GENEROUS = 5.0
"""Seconds: ten times what a flush may take, and half of what an export may."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector on loopback."""
    with collecting() as collector:
        yield collector


def test_a_span(collector: Collector) -> None:
    """A span has method, path, status, request id and times of the request, the engine's span as parent, no more."""
    spans = RequestSpans(collector.endpoint)
    with under([("user-agent", "grpc-go/1.83.1"), ("traceparent", TRACEPARENT), ("x-bin", b"\xff")]):
        spans.record(SENT)

    (span,) = collector.spans(1)
    assert span.name == "POST /beta/deviceAppManagement/vppTokens/{id}/syncLicenses"
    assert (span.kind, span.trace, span.parent, span.status) == (CLIENT, TRACE, SPAN, 0)
    assert span.times == (1_795_971_600_250_000_000, 1_795_971_601_750_000_000)
    assert span.attributes == {
        "http.request.method": "POST",
        "server.address": "graph.microsoft.com",
        "url.path": SENT.path,
        "http.response.status_code": 200,
        "azure.service.request.id": SENT.request_id,
    }


@pytest.mark.parametrize(
    ("sent", "more"),
    [
        ({"status": 429, "tries": 3}, {"error.type": "429", "http.request.resend_count": 2}),
        ({"status": 503}, {"error.type": "503"}),
        ({"status": None, "error": "ReadTimeout", "tries": 2}, {"error.type": "ReadTimeout"}),
    ],
)
def test_a_failed_request(collector: Collector, sent: dict[str, Any], more: dict[str, Any]) -> None:
    """The span of a request that failed has that status, the kind of error, and how often it was sent before."""
    RequestSpans(collector.endpoint).record(replace(SENT, **sent))

    (span,) = collector.spans(1)
    assert (span.status, span.attributes.get("http.response.status_code")) == (ERROR, sent["status"])
    assert more.items() <= span.attributes.items()
    assert span.attributes.get("http.request.resend_count") == (sent["tries"] - 1 if "tries" in sent else None)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/beta/deviceAppManagement/vppTokens", "/beta/deviceAppManagement/vppTokens"),
        (f"/v1.0/deviceAppManagement/mobileApps/{TOKEN_ID}", "/v1.0/deviceAppManagement/mobileApps/{id}"),
        (f"/{TOKEN_ID}/oauth2/v2.0/token", "/{id}/oauth2/v2.0/token"),
        ("/beta/vppTokens/getLicensesForApp(bundleId='com.x')", "/beta/vppTokens/getLicensesForApp(…)"),
    ],
)
def test_names(collector: Collector, path: str, template: str) -> None:
    """Requests for two tokens, or for two apps, have one name."""
    RequestSpans(collector.endpoint).record(replace(SENT, path=path))

    (span,) = collector.spans(1)
    assert (span.name, span.attributes["url.path"]) == (f"POST {template}", path)


def test_each_call_has_its_own_parent(collector: Collector) -> None:
    """A request that another thread sends for a call belongs to that call, and one without a call to nothing."""
    spans, clock = RequestSpans(collector.endpoint), SystemClock()
    for number, parent in enumerate((SPAN, OTHER_SPAN), start=1):
        sent = replace(SENT, started=STARTED + timedelta(seconds=number))
        with under([("traceparent", TRACEPARENT.replace(SPAN, parent))]):
            clock.unless_stopped(lambda sent=sent: spans.record(sent))  # type: ignore[misc]
    spans.record(SENT)

    assert [one.parent for one in collector.spans(3)] == ["", SPAN, OTHER_SPAN]


@pytest.mark.parametrize("traceparent", ["", "00", "00-0-0-00", f"ff-{TRACE}-{SPAN}-01", "\ud800", TRACEPARENT[:-1]])
def test_a_parent_that_cannot_be_read(collector: Collector, traceparent: str) -> None:
    """A span is sent with any `traceparent`; it has no parent if the value cannot be read."""
    with under([("traceparent", traceparent)]):
        RequestSpans(collector.endpoint).record(SENT)

    (span,) = collector.spans(1)
    assert span.parent == ""


def test_an_engine_that_does_not_sample(collector: Collector) -> None:
    """A trace that the engine does not keep has no spans of ours."""
    spans = RequestSpans(collector.endpoint)
    with under([("traceparent", TRACEPARENT[:-2] + "00")]):
        spans.record(SENT)
    spans.record(replace(SENT, status=204))

    (span,) = collector.spans(1)
    assert span.attributes["http.response.status_code"] == 204


def test_a_marked_id_is_hidden(collector: Collector) -> None:
    """An id that the program marks secret is in no span, as it is in no debug line."""
    with about("urn", {TOKEN_ID}):
        RequestSpans(collector.endpoint).record(SENT)

    (span,) = collector.spans(1)
    assert span.attributes["url.path"] == "/beta/deviceAppManagement/vppTokens/[secret]/syncLicenses"
    assert TOKEN_ID not in collector.everything()


def test_flush_waits_for_spans(collector: Collector) -> None:
    """After a flush the collector has all spans, without any waiting of its own."""
    spans = RequestSpans(collector.endpoint)
    for number in range(50):
        spans.record(replace(SENT, status=200 + number))
    spans.flush()

    assert len(collector.spans()) == 50


@pytest.mark.parametrize("trouble", ["away", "hangs", "no address"])
def test_a_collector_in_trouble(collector: Collector, capfd: pytest.CaptureFixture[str], trouble: str) -> None:
    """A collector that is away or does not answer delays neither a request nor the end, and nothing is printed."""
    collector.hanging.set()
    spans = RequestSpans({"away": "127.0.0.1:9", "hangs": collector.endpoint, "no address": "not an address"}[trouble])
    began = time.monotonic()
    for _ in range(20):
        spans.record(SENT)
    spans.flush()

    assert time.monotonic() - began < GENEROUS
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("lacking", ["opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.common"])
def test_no_opentelemetry(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], lacking: str
) -> None:
    """Without one of OpenTelemetry's packages there are no spans, and no error."""
    for name in [name for name in sys.modules if name == "intune_vpp.engine.collector" or name.startswith(lacking)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, lacking, None)
    spans = RequestSpans(collector.endpoint)
    for _ in range(2):
        spans.record(SENT)
    spans.flush()

    assert (collector.spans(), capfd.readouterr()) == ([], ("", ""))


def test_a_setting_that_opentelemetry_cannot_read(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables for other programs stop no request, and add nothing to a span."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "secret=hunter2")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    RequestSpans(collector.endpoint).record(SENT)
    assert len(collector.spans(1)) == 1
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")
    RequestSpans(collector.endpoint).record(SENT)

    assert "hunter2" not in collector.everything()


@pytest.mark.parametrize("door", ["intune_vpp.plugin.serve", "intune_vpp.dynamic"])
def test_nothing_is_imported_for_nothing(door: str) -> None:
    """Without a collector, neither start nor request imports what spans need."""
    program = f"""
import sys, {door}
from datetime import UTC, datetime
from intune_vpp.core.sent_request import SentRequest
from intune_vpp.engine.spans import RequestSpans
now = datetime.now(UTC)
spans = RequestSpans("")
spans.record(SentRequest("GET", "h", "/", 200, "", 1, now, now))
spans.flush()
print([name for name in sys.modules if name.startswith(("opentelemetry.exporter", "intune_vpp.engine.collector"))])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("[]\n", "")
