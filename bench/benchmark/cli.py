"""The command line: measures, prints tables, appends the results to a file and checks the limits."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from benchmark import limits, memory, pairs, plugins, tables, throttling
from benchmark.limits import AT_FULL_SIZE, breaches
from benchmark.pairs import Series
from benchmark.results import Door, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmark.results import Peak, Throttled

BENCH = Path(__file__).resolve().parents[1]
RESULTS = BENCH / "results.jsonl"
SIZES = (1, 10, 100, 300, 1000)
QUICK_SIZES = (1, 100)
SLOW_SIZES = (1, 100)
"""The numbers of tokens that are also measured with `LATENCY_MS`."""
LATENCY_MS = 100
DYNAMIC_SIZES = (1, 100)
"""The numbers of tokens that are also measured on the dynamic provider."""
PAIRS = {1: 5, 10: 3, 100: 3, 300: 3}
"""How often each size is measured; others once, because they take many minutes."""
STARTS = 15
_WIDTH = 150


@dataclass(slots=True)
class Results:
    """What was measured; a part that was not is empty."""

    pairs: list[Result] = field(default_factory=list)
    throttled: list[Throttled] = field(default_factory=list)
    memory: list[Peak] = field(default_factory=list)

    def breaches(self) -> list[str]:
        """Return a message for each limit that is exceeded."""
        return [
            *breaches(self.pairs, limits.PAIRED),
            *limits.growth(self.pairs),
            *breaches(self.throttled, limits.THROTTLED),
            *breaches(self.memory, limits.MEMORY),
        ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, and return the exit status: 1 if a limit is exceeded, or there is no engine."""
    options = _options(arguments)
    if options.plot:
        # Only here: matplotlib takes a second.
        from benchmark import plot  # noqa: PLC0415

        plot.draw(plot.latest(options.results.read_text(encoding="utf-8").splitlines()), options.plot)
        return 0
    # A pipe has no width: the tables would be broken into 80 columns.
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    engine = _engine()
    if engine is None:
        return 1
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="intune-vpp-bench-") as folder, console.status("ready") as status:
        results = _measure(Path(folder), engine, options, status.update)
    if options.results:
        _keep(options.results, results, load)
    return report(results, console, load)


def report(results: Results, console: Console, load: float) -> int:
    """Print the results and the limits that they exceed, and return the exit status."""
    if results.pairs:
        console.print(tables.of_pairs(results.pairs))
    if results.throttled:
        console.print(tables.of_throttled(results.throttled))
    if results.memory:
        console.print(tables.of_memory(results.memory))
    console.print(f"Load {load:.1f} on {os.cpu_count()} cores.")
    for one in results.throttled:
        if one.error:
            console.print(f"The first failure of {one.case}: {one.error}", markup=False)
    sentences = results.breaches()
    for sentence in sentences:
        console.print(sentence, style="red")
    if not sentences:
        console.print("All limits are met.", style="green")
    return 1 if sentences else 0


def _measure(folder: Path, engine: dict[str, str], options: argparse.Namespace, tell: Callable[[str], None]) -> Results:
    """Measure the parts that were asked for, or all."""
    is_all = not (options.throttle or options.memory or options.quick)
    results = Results()
    if is_all or options.quick:
        results.pairs = _pairs(folder, engine, options, tell)
    if is_all or options.throttle:
        bench = throttling.Bench(folder, engine, tell, options.parallel)
        results.throttled = throttling.measure(bench, AT_FULL_SIZE, refreshed=throttling.REFRESHED)
    if is_all or options.memory:
        results.memory = memory.measure(folder / "memory", tell=tell)
    return results


def _pairs(
    folder: Path, engine: dict[str, str], options: argparse.Namespace, tell: Callable[[str], None]
) -> list[Result]:
    results = [Result.of("ready", plugins.readiness(folder / "ready", STARTS), n=max(options.sizes), page=pairs.PAGE)]
    runs = [(Door.PLUGIN, tokens, 0) for tokens in options.sizes]
    if not options.quick:
        runs += [(Door.PLUGIN, tokens, LATENCY_MS) for tokens in options.sizes if tokens in SLOW_SIZES]
        runs += [(Door.DYNAMIC, tokens, 0) for tokens in options.sizes if tokens in DYNAMIC_SIZES]
    for door, tokens, latency in runs:
        series = Series(tokens, options.pairs or PAIRS.get(tokens, 1), latency, door)
        results += pairs.measure(folder / f"{door}-{tokens}-{latency}", engine, series, tell=tell)
    return results


def _engine() -> dict[str, str] | None:
    """Return the environment in which `pulumi` is the engine of `make engine`, None if it is not ready."""
    command = [sys.executable, str(BENCH.parent / "tools" / "engine"), "--ready", "--json"]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        return None
    environment: dict[str, str] = json.loads(found.stdout.splitlines()[-1])["environment"]
    return environment


def _keep(file: Path, results: Results, load: float) -> None:
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    measured: list[Result | Throttled | Peak] = [*results.pairs, *results.throttled, *results.memory]
    with file.open("a", encoding="utf-8") as lines:
        lines.writelines(f"{result.line(at=at, load=load)}\n" for result in measured)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measure the provider beside one that does nothing, under the throttle, and its memory.",
    )
    parser.add_argument("--throttle", action="store_true", help="only the runs under the documented throttle")
    parser.add_argument("--memory", action="store_true", help="only the memory after hostile answers")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of tokens (default: %(default)s)")
    parser.add_argument("--pairs", type=int, help="number of pairs (default: depends on the number of tokens)")
    parser.add_argument(
        "--parallel",
        type=int,
        default=throttling.PARALLEL,
        help="operations that Pulumi runs at once under the throttle (default: %(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help="1 and 100 tokens, one pair, no results stored")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file to append the results to")
    parser.add_argument("--plot", type=Path, help="only draw the stored results, as SVG, into this file")
    options = parser.parse_args(arguments)
    if options.quick:
        options.sizes, options.pairs, options.results = QUICK_SIZES, 1, None
    return options
