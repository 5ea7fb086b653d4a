"""The tables of the results that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from benchmark.results import MOST_MEGABYTES, Outcome, Peak, Result, Throttled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def of_pairs(results: Sequence[Result]) -> Table:
    """Show the cases of the comparison; `bytes` are those of a token in the state, `stored` with the host's data."""
    table = _table(
        "Each door and its yardstick",
        *(
            "door",
            "tokens",
            "latency",
            "seconds",
            "yardstick",
            "ratio",
            "lowest",
            "highest",
            "requests",
            "bytes",
            "stored",
            "MB",
        ),
    )
    for before, result in zip([None, *results], results, strict=False):
        if before and _conditions(before) != _conditions(result):
            table.add_section()
        table.add_row(
            result.case,
            result.door,
            str(result.n),
            f"{result.latency_ms} ms" if result.latency_ms else "",
            f"{result.seconds:.2f}",
            f"{result.yardstick_seconds:.2f}",
            f"{result.ratio:.2f}",
            f"{min(result.ratios):.2f}",
            f"{max(result.ratios):.2f}",
            _requests(result.requests),
            str(result.state.record) if result.state else "",
            str(result.state.stored) if result.state else "",
            f"{result.megabytes:.0f}" if result.megabytes else "",
        )
    return table


def _conditions(result: Result) -> tuple[str, int, int]:
    return result.door, result.n, result.latency_ms


def of_throttled(results: Sequence[Throttled]) -> Table:
    """Show the cases under the throttle.

    `free` is the same run without it, `paced` the least time for the writes of that run under the throttle, and `right`
    the number of tokens that are as they must be.
    """
    table = _table(
        "Under the documented throttle",
        *(
            "tokens",
            "write seconds",
            "ideal",
            "paced",
            "free",
            "seconds",
            "free",
            "requests",
            "429",
            "failed",
            "right",
            "MB",
        ),
    )
    for result in results:
        free = result.free if result.free and result.traffic.writes else None
        table.add_row(
            result.case,
            str(result.n),
            f"{result.traffic.write_seconds:.2f}",
            f"{result.ideal_seconds:.0f}" if result.traffic.writes else "",
            f"{free.paced():.2f}" if free else "",
            f"{free.write_seconds:.2f}" if free else "",
            " and ".join(f"{seconds:.2f}" for seconds in result.seconds),
            "" if result.free_seconds is None else f"{result.free_seconds:.2f}",
            _requests(result.traffic.requests),
            str(result.traffic.throttled),
            str(result.failures),
            str(result.right),
            f"{result.megabytes:.0f}",
        )
    return table


def of_memory(peaks: Sequence[Peak]) -> Table:
    """Show the memory after each kind of answer, at each place where it was received."""
    places = list(dict.fromkeys(peak.place for peak in peaks))
    table = _table("Most memory of the plugin process, in MB", *places)
    for kind in dict.fromkeys(peak.kind for peak in peaks):
        of_kind = {peak.place: _memory(peak) for peak in peaks if peak.kind == kind}
        table.add_row(kind, *(of_kind.get(place, "") for place in places))
    return table


def _memory(peak: Peak) -> str:
    if peak.outcome is Outcome.CRASHED:
        return f"[red]{peak.outcome}[/red]"
    shown = f"{peak.megabytes:.0f}" if peak.outcome is Outcome.ENDED else f"{peak.megabytes:.0f}, {peak.outcome}"
    is_within = peak.outcome is Outcome.ENDED and peak.megabytes <= MOST_MEGABYTES
    return shown if is_within else f"[red]{shown}[/red]"


def _requests(requests: Mapping[str, int]) -> str:
    return " ".join(f"{count} {method}" for method, count in sorted(requests.items())) or "0"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title)
    table.add_column("case")
    for column in columns:
        table.add_column(column, justify="right")
    return table
