"""A limit that is breached fails the benchmark, and one that is held does not."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from benchmark.cli import Results, report
from benchmark.limits import PAIRED, breaches, growth
from benchmark.results import Door, Measure, Result, State

if TYPE_CHECKING:
    from collections.abc import Sequence

READY = Result("ready", 300, 100, 0.25, 0.2, (1.25,), {}, None)
CREATE = Result("create", 300, 100, 10.7, 10.0, (1.07,), {"GET": 3, "POST": 300}, State(2000, 4100))
NO_OP = Result("no-op", 300, 100, 2.0, 2.0, (1.0,), {}, State(2000, 4100))
ONE_CHANGE = Result("one change", 300, 100, 2.0, 2.0, (1.0,), {"PATCH": 1}, State(2000, 4100))
RENEWAL = Result("renew all", 300, 100, 45.0, 40.0, (1.125,), {"PATCH": 300}, State(2000, 4100))
REFRESH = Result("refresh", 300, 100, 2.1, 2.0, (1.05,), {"GET": 5}, State(2000, 4100))
DESTROY = Result("destroy", 300, 100, 4.2, 4.0, (1.05,), {"DELETE": 300}, None)
HELD = (READY, CREATE, NO_OP, ONE_CHANGE, RENEWAL, REFRESH, DESTROY)

BEYOND: dict[str, tuple[Result, dict[str, Any], str]] = {
    "a start": (READY, {"ratios": (1.31,)}, "Ready: ratio = 1.31, above the limit of 1.3."),
    "the time": (CREATE, {"ratios": (1.0, 1.2, 1.16)}, "Create: ratio = 1.16, above the limit of 1.08."),
    "an idle run": (NO_OP, {"ratios": (1.2,)}, "No-op: ratio = 1.2, above the limit of 1.1."),
    "a refresh": (REFRESH, {"ratios": (1.3,)}, "Refresh: ratio = 1.3, above the limit of 1.1."),
    "a deletion": (DESTROY, {"ratios": (1.1,)}, "Destroy: ratio = 1.1, above the limit of 1.05."),
    "a POST more": (
        CREATE,
        {"requests": {"GET": 2, "POST": 301}},
        "Create: POST requests = 301, above the limit of 300.",
    ),
    "a page more": (CREATE, {"requests": {"GET": 4, "POST": 299}}, "Create: GET requests = 4, above the limit of 3."),
    "a PATCH": (
        CREATE,
        {"requests": {"GET": 3, "POST": 300, "PATCH": 1}},
        "Create: requests = 304, above the limit of 303.",
    ),
    "the state": (
        CREATE,
        {"state": State(2001, 4100)},
        "Create: bytes of state per token = 2001, above the limit of 2000.",
    ),
    "a token too many": (
        ONE_CHANGE,
        {"requests": {"PATCH": 2}},
        "One change: requests = 2, above the limit of 1.",
    ),
    "a look at each": (
        RENEWAL,
        {"requests": {"PATCH": 300, "GET": 1}},
        "Renew all: requests = 301, above the limit of 300.",
    ),
    "a request of none": (NO_OP, {"requests": {"GET": 1}}, "No-op: requests = 1, above the limit of 0."),
    "a GET each": (REFRESH, {"requests": {"GET": 300}}, "Refresh: requests = 300, above the limit of 5."),
    "a look before": (
        DESTROY,
        {"requests": {"GET": 1, "DELETE": 300}},
        "Destroy: requests = 301, above the limit of 300.",
    ),
}


def _reported(results: Sequence[Result]) -> tuple[int, str]:
    shown = io.StringIO()
    return report(Results(pairs=list(results)), Console(file=shown, width=200), load=0.5), shown.getvalue()


def test_held() -> None:
    """Where every limit is held, the status is 0."""
    status, shown = _reported(HELD)
    assert status == 0
    assert "All limits are met." in shown


@pytest.mark.parametrize("name", BEYOND)
def test_breached(name: str) -> None:
    """One breached limit is reported in one sentence, and the status is 1."""
    result, members, sentence = BEYOND[name]
    changed = replace(result, **members)
    results = [changed if one is result else one for one in HELD]
    assert breaches(results, PAIRED) == [sentence]
    status, shown = _reported(results)
    assert status == 1
    assert sentence in shown


def test_the_last_one_allowed() -> None:
    """What stands exactly on a limit is held."""
    on_the_limit = replace(CREATE, ratios=(1.08,), state=State(2000, 4100))
    assert breaches([on_the_limit], PAIRED) == []


def test_latency() -> None:
    """The time of a run is not judged if the tenant is slow, and its requests are."""
    slow = replace(CREATE, ratios=(3.0,), latency_ms=100)
    assert breaches([slow], PAIRED) == []
    assert breaches([replace(slow, requests={"GET": 2, "POST": 301})], PAIRED) != []


def test_the_dynamic_provider() -> None:
    """On the dynamic provider the requests are judged, the time and the state are not."""
    dynamic = replace(CREATE, door=Door.DYNAMIC, ratios=(3.0,), state=State(3000, 4400))
    assert breaches([dynamic], PAIRED) == []
    assert breaches([replace(dynamic, requests={"GET": 2, "POST": 301})], PAIRED) != []


def test_growth() -> None:
    """A cost that grows faster than the yardstick's fails, and one that grows as fast does not."""
    few, many = (replace(ONE_CHANGE, n=n, ratios=(ratio,)) for n, ratio in ((100, 1.2), (1000, 1.3)))
    (sentence,) = growth([few, many])
    assert sentence.startswith("One change: ratio = 1.20 at 100 tokens and 1.30 at 1000")
    assert _reported([few, many])[0] == 1
    assert growth([few, replace(many, ratios=(1.25,))]) == []
    assert growth([many, few, replace(few, latency_ms=100, ratios=(1.0,))]) != []
    assert growth([few]) == []


def test_few_tokens() -> None:
    """With few tokens the time of a run is not judged, and its requests are."""
    few = replace(CREATE, n=30, ratios=(3.0,), requests={"GET": 1, "POST": 30})
    assert breaches([few], PAIRED) == []
    assert breaches([replace(few, requests={"GET": 2, "POST": 30})], PAIRED) != []


def test_pairs() -> None:
    """Of the pairs' ratios the median counts, of requests and of state the worst."""
    pairs = [
        Measure(2.0, 1.0, {"POST": 3}, State(10, 20)),
        Measure(3.0, 2.0, {"GET": 1, "POST": 2}, State(12, 18)),
        Measure(1.0, 1.0, {"POST": 2}),
    ]
    result = Result.of("create", pairs, n=3, page=2)
    assert (result.ratio, result.seconds, result.yardstick_seconds, result.pages) == (1.5, 2.0, 1.0, 2)
    assert (result.requests, result.state) == ({"GET": 1, "POST": 3}, State(12, 18))


def test_line() -> None:
    """A line of results.jsonl has what is compared from one run to the next."""
    line = json.loads(CREATE.line(at="2027-01-31T00:00:00Z", load=0.04))
    wanted = {
        "case": "create",
        "door": "plugin",
        "n": 300,
        "latency_ms": 0,
        "throttle": "off",
        "requests": 303,
        "seconds": 10.7,
        "yardstick_seconds": 10.0,
        "ratio": 1.07,
        "state_bytes": 2000,
    }
    assert wanted.items() <= line.items()
