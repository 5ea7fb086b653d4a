"""The runs under the throttle are read from the request log, and judged by their limits."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from benchmark.cli import Results, report
from benchmark.limits import THROTTLED, breaches
from benchmark.peaks import Watch, watching
from benchmark.projects import Run
from benchmark.results import Throttled
from benchmark.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AT_ONCE = (0.0,) * 100
CREATES = Throttled(
    "throttled creates",
    300,
    100,
    (54.0,),
    Traffic({"GET": 3, "POST": 301}, 1, (*AT_ONCE, *(one + 20 for one in AT_ONCE), *(one + 41 for one in AT_ONCE))),
    300,
    0,
    13.0,
    Traffic({"GET": 3, "POST": 300}, 0, tuple(number / 50 for number in range(300))),
)
REFRESH = Throttled("throttled refresh", 3000, 100, (40.0,), Traffic({"GET": 32}, 0, ()), 3000, 0, 39.0)
TWO = Throttled("two at once", 200, 100, (30.0, 31.0), Traffic({"POST": 220}, 20, (0.0, 55.0)), 200, 0)

BEYOND: dict[str, tuple[Throttled, dict[str, Any], str]] = {
    "slow": (
        CREATES,
        {"traffic": replace(CREATES.traffic, writes=(0.0, 42.2))},
        "Throttled creates: seconds from the first write to the last = 42.2, above the limit of 42.1053.",
    ),
    "a failure": (TWO, {"failures": 1}, "Two at once: failed tokens = 1, above the limit of 0."),
    "a token that is missing": (
        CREATES,
        {"right": 299},
        "Throttled creates: tokens that are not as they must be = 1, above the limit of 0.",
    ),
    "a token that is twice": (
        CREATES,
        {"right": 301},
        "Throttled creates: tokens that are not as they must be = 1, above the limit of 0.",
    ),
    "a GET each": (
        REFRESH,
        {"traffic": replace(REFRESH.traffic, requests={"GET": 33})},
        "Throttled refresh: requests = 33, above the limit of 32.",
    ),
    "a refresh that fills the memory": (
        REFRESH,
        {"megabytes": 120.1},
        "Throttled refresh: megabytes = 120.1, above the limit of 120.",
    ),
    "a refresh that meets the throttle": (
        REFRESH,
        {"traffic": replace(REFRESH.traffic, throttled=1)},
        "Throttled refresh: throttled requests = 1, above the limit of 0.",
    ),
}


def _entry(second: float, method: str = "POST", status: int | None = 201, **more: Any) -> Mapping[str, Any]:
    path = "/beta/deviceAppManagement/vppTokens"
    time = f"2027-01-31T00:00:{second:010.7f}Z"
    return {"time": time, "method": method, "path": path, "status": status, "body": {}, **more}


def test_held() -> None:
    """Runs within their limits exceed none, and the throttled creates and the two processes may meet the throttle."""
    assert breaches([CREATES, REFRESH, TWO], THROTTLED) == []


@pytest.mark.parametrize("name", BEYOND)
def test_breached(name: str) -> None:
    """One exceeded limit is reported in one sentence, and the status is 1."""
    result, members, sentence = BEYOND[name]
    changed = replace(result, **members)
    assert breaches([changed], THROTTLED) == [sentence]
    shown = io.StringIO()
    assert report(Results(throttled=[changed]), Console(file=shown, width=200), load=0.5) == 1
    assert sentence in shown.getvalue()


def test_few_tokens() -> None:
    """The time of few writes is not judged: they all fit into one window."""
    assert breaches([replace(CREATES, n=30, right=30)], THROTTLED) == []


def test_first_failure() -> None:
    """The report quotes the first failure of a run, whatever characters are in it."""
    shown = io.StringIO()
    failed = replace(CREATES, failures=1, error="Microsoft Graph [/] is throttling")
    report(Results(throttled=[failed]), Console(file=shown, width=200), load=0.5)
    assert "The first failure of throttled creates: Microsoft Graph [/] is throttling" in shown.getvalue()


def test_log() -> None:
    """Refused, read and foreign requests are no writes; the writes are in the order of their time."""
    log = [
        _entry(1, "GET", 200),
        _entry(4),
        _entry(2.5),
        _entry(9, status=429),
        _entry(9.5, status=None),
        _entry(0, path="/contoso.example/oauth2/v2.0/token"),
    ]
    assert Traffic.of(log) == Traffic({"GET": 1, "POST": 4}, 1, (0.0, 1.5))


def test_log_without_writes() -> None:
    """A run without writes takes no time from the first to the last."""
    traffic = Traffic.of([_entry(1, "GET", 200)])
    assert (traffic.write_seconds, traffic.paced()) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("came", "paced"),
    [((0.0,) * 300, 40.0), (tuple(n / 50 for n in range(100)), 1.98), (tuple(n / 50 for n in range(300)), 41.98)],
    ids=["all at once", "one window", "one after the other"],
)
def test_paced(came: tuple[float, ...], paced: float) -> None:
    """The least time under the throttle sends each write at its time, but not before the window has room."""
    assert Traffic({}, 0, came).paced() == pytest.approx(paced)


def test_several_processes() -> None:
    """The failures of all processes count, and the seconds of each are kept."""
    runs = [Run(30.0, 0, megabytes=61.0), Run(31.0, 2, "Throttled.", 60.0)]
    result = Throttled.of("two at once", runs, TWO.traffic, n=200, page=100, right=198)
    assert (result.seconds, result.failures, result.error) == ((30.0, 31.0), 2, "Throttled.")
    assert result.megabytes == 61.0


def test_the_memory_of_a_program(tmp_path: Path) -> None:
    """The peak of a program that runs and ends meanwhile is read, and not that of others."""
    program = tmp_path / "program.py"
    program.write_text("wanted = b'x' * 50_000_000; print(); input()")
    command = [sys.executable, str(program)]
    with (
        watching(program) as watch,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        watch.look()
        process.communicate(b"\n")
    assert 50 < watch.megabytes < 100
    other = Watch(tmp_path / "another")
    other.look()
    assert other.megabytes == 0


def test_line() -> None:
    """A line of results.jsonl has what is compared from one run to the next."""
    line = json.loads(CREATES.line(at="2027-01-31T00:00:00Z", load=0.04))
    wanted = {
        "case": "throttled creates",
        "door": "plugin",
        "n": 300,
        "latency_ms": 0,
        "throttle": "documented",
        "requests": 304,
        "seconds": 54.0,
        "yardstick_seconds": 13.0,
        "write_seconds": 41.0,
        "ideal_seconds": 40.0,
        "paced_seconds": 41.98,
        "throttled": 1,
        "failures": 0,
        "right": 300,
    }
    assert wanted.items() <= line.items()
    assert json.loads(TWO.line(at="", load=0))["yardstick_seconds"] is None
    refresh = json.loads(REFRESH.line(at="", load=0))
    assert (refresh["write_seconds"], refresh["ideal_seconds"], refresh["paced_seconds"]) == (0, None, None)
