"""Draws the seconds of each command against the number of tokens, from the results that are stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from benchmark.pairs import CASES
from benchmark.results import Door
from benchmark.traffic import ideal_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

_WRITING = {"create", "renew all", "destroy"}
"""The cases with one write for each token."""

_COLUMNS = 3
_INCHES = (10.5, 6.4)
_OURS, _YARDSTICK, _THROTTLE = "#1f5fbf", "#8a8a8a", "#c8642a"

Points = dict[str, dict[int, dict[str, Any]]]
"""The latest line of each case and number of tokens."""


def latest(lines: Iterable[str], door: Door = Door.PLUGIN) -> Points:
    """Return the latest result of each case and number of tokens on a door, without latency and throttle."""
    points: Points = {}
    for line in map(json.loads, lines):
        if line["case"] in CASES and (line["door"], line.get("latency_ms")) == (door, 0):
            points.setdefault(line["case"], {})[line["n"]] = line
    return points


def draw(points: Points, file: Path) -> None:
    """Write an SVG with a panel for each case. Raises ValueError if there are no results."""
    if not points:
        raise ValueError("There are no results to draw: run make bench first.")
    # Text stays text, and the same results give the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "intune-vpp", "font.size": 9}):
        figure = Figure(figsize=_INCHES, layout="constrained")
        panels = figure.subplots(-(-len(points) // _COLUMNS), _COLUMNS, sharey=True, squeeze=False).flat
        for panel, (case, results) in zip(panels, points.items(), strict=False):
            _draw_case(panel, case, results)
        figure.savefig(file, format="svg", metadata={"Date": None})


def _draw_case(panel: Axes, case: str, results: Mapping[int, Mapping[str, Any]]) -> None:
    sizes = sorted(results)
    panel.plot(sizes, [results[n]["seconds"] for n in sizes], "o-", color=_OURS, label="plugin")
    yardstick = [results[n]["yardstick_seconds"] for n in sizes]
    panel.plot(sizes, yardstick, "s--", color=_YARDSTICK, label="provider that does nothing")
    if case in _WRITING:
        throttled = [n for n in sizes if ideal_seconds(n)]
        panel.plot(throttled, [ideal_seconds(n) for n in throttled], "^:", color=_THROTTLE, label="documented throttle")
    panel.set(title=case, xscale="log", yscale="log", xlabel="tokens", ylabel="seconds")
    panel.set_xticks(sizes, labels=[str(n) for n in sizes], minor=False)
    panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter("{x:g}")
    panel.grid(visible=True, which="major", alpha=0.3)
    panel.legend(frameon=False, fontsize=7, loc="upper left")
