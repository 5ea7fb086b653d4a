"""The memory of the plugin process is measured after a hostile answer, and judged by its limit."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import httpx
import pytest
from rich.console import Console

from benchmark import memory
from benchmark.cli import Results, report
from benchmark.hostile import KINDS, hostile_tenant
from benchmark.limits import MEMORY, breaches
from benchmark.results import Outcome, Peak

if TYPE_CHECKING:
    from pathlib import Path

WITHIN = Peak("objects", "list", 149.9)
ANSWER_OF_A_KIND = 100_000


@pytest.mark.parametrize(
    ("peak", "sentence"),
    [
        (Peak("200 MB of JSON", "get", 667.0), "200 MB of JSON (get): megabytes = 667, above the limit of 150."),
        (
            Peak("endless pages", "list", 90.0, Outcome.ENDLESS),
            "Endless pages (list): calls that did not end = 1, above the limit of 0.",
        ),
    ],
)
def test_breached(peak: Peak, sentence: str) -> None:
    """Too much memory, or a call without an end, is reported in one sentence, and the status is 1."""
    assert breaches([WITHIN, peak], MEMORY) == [sentence]
    shown = io.StringIO()
    assert report(Results(memory=[WITHIN, peak]), Console(file=shown, width=200), load=0.5) == 1
    assert sentence in shown.getvalue()


def test_crash() -> None:
    """A process that crashed leaves no figure, and never passes."""
    crashed = Peak("lists", "list", float("inf"), Outcome.CRASHED)
    assert len(breaches([crashed], MEMORY)) == 2
    line = json.loads(crashed.line(at="", load=0))
    assert (line["megabytes"], line["outcome"]) == (None, "crashed")


def test_line() -> None:
    """A line of results.jsonl has what is compared from one run to the next."""
    line = json.loads(Peak("lists", "get", 98.25, size=500_000).line(at="2027-01-31T00:00:00Z", load=0.04))
    wanted = {"case": "memory", "door": "plugin", "kind": "lists", "place": "get", "megabytes": 98.2}
    assert wanted.items() <= line.items()
    assert (line["outcome"], line["body_bytes"]) == ("ended", 500_000)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.body])
def test_answer(name: str) -> None:
    """Each answer is what its kind says: JSON, in its encoding, of about the size that was asked for."""
    with hostile_tenant() as (service, hostile), httpx.Client(verify=service.trusted()) as http:
        hostile.answer("GET", "*/vppTokens", KINDS[name], size=ANSWER_OF_A_KIND)
        answer = http.get(f"{service.url}/beta/deviceAppManagement/vppTokens", headers={"Authorization": "Bearer x"})
        other = http.get(f"{service.url}/beta/deviceAppManagement/vppTokens/x")
    assert ANSWER_OF_A_KIND * 0.3 < len(answer.content) < ANSWER_OF_A_KIND * 2
    assert answer.content.isspace() or answer.json()["value" if "value" in answer.json() else "id"]
    assert ("Bearer x" in answer.text) is ("secret" in name)
    assert other.status_code == 401


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_measured(tmp_path: Path) -> None:
    """The memory of a real plugin process is measured at a place, in reasonable figures."""
    peaks = memory.measure(tmp_path / "plugin", tell=lambda _: None, kinds=["ordinary"], places=["create"])
    assert [peak.place for peak in peaks] == ["create"]
    assert all(peak.outcome is Outcome.ENDED and 30 < peak.megabytes < 150 for peak in peaks)
