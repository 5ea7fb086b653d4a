"""The picture of the results."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from benchmark import plot
from benchmark.cli import main
from benchmark.results import Door, Result

if TYPE_CHECKING:
    from pathlib import Path

CREATE = Result("create", 100, 100, 5.5, 5.0, (1.1,), {"POST": 100}, None)


def _line(result: Result) -> str:
    return result.line(at="2027-01-31T00:00:00Z", load=0.1)


def test_which_results() -> None:
    """The latest result of each size is drawn, of one door and without latency."""
    results = [
        CREATE,
        replace(CREATE, seconds=6.5),
        replace(CREATE, n=300, seconds=9.0),
        replace(CREATE, seconds=99.0, latency_ms=100),
        replace(CREATE, seconds=98.0, door=Door.DYNAMIC),
        replace(CREATE, case="ready"),
    ]
    points = plot.latest(map(_line, results))
    assert {case: {n: one["seconds"] for n, one in of.items()} for case, of in points.items()} == {
        "create": {100: 6.5, 300: 9.0}
    }


def test_the_picture(tmp_path: Path) -> None:
    """The picture has the cases, the yardstick and the throttle in words, and the same results give the same bytes."""
    stored, first, second = tmp_path / "results.jsonl", tmp_path / "1.svg", tmp_path / "2.svg"
    stored.write_text("\n".join([_line(CREATE), _line(replace(CREATE, n=300)), _line(replace(CREATE, case="no-op"))]))
    for file in (first, second):
        assert main(["--results", str(stored), "--plot", str(file)]) == 0
    assert first.read_bytes() == second.read_bytes()
    words = {text for element in ET.fromstring(first.read_text()).iter() if (text := (element.text or "").strip())}  # noqa: S314 - our own file
    assert {"create", "no-op", "plugin", "provider that does nothing", "documented throttle"} <= words


def test_nothing_to_draw(tmp_path: Path) -> None:
    """Without results the error says what to run."""
    with pytest.raises(ValueError, match="make bench"):
        plot.draw({}, tmp_path / "1.svg")
