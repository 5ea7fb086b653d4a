"""The command line: measures, prints a table, appends the results to a file and checks the limits."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmark import pairs, plugins
from benchmark.limits import AT_FULL_SIZE, breaches
from benchmark.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

BENCH = Path(__file__).resolve().parents[1]
RESULTS = BENCH / "results.jsonl"
PAIRS = 3
STARTS_A_PAIR = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark, and return the exit status: 1 if a limit is exceeded, or there is no engine."""
    options = _options(arguments)
    console = Console()
    engine = _engine()
    if engine is None:
        return 1
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="intune-vpp-bench-") as folder:
        results = _measure(Path(folder), engine, options, console)
    if options.results:
        _keep(options.results, results, load)
    return report(results, console, load)


def report(results: Sequence[Result], console: Console, load: float) -> int:
    """Print the results and the limits that they exceed, and return the exit status."""
    console.print(_table(results, load))
    sentences = breaches(results)
    for sentence in sentences:
        console.print(sentence, style="red")
    if not sentences:
        console.print("All limits are met.", style="green")
    return 1 if sentences else 0


def _measure(folder: Path, engine: dict[str, str], options: argparse.Namespace, console: Console) -> list[Result]:
    with console.status("ready") as status:
        starts = plugins.readiness(folder / "ready", options.pairs * STARTS_A_PAIR)
        ready = Result.of("ready", starts, n=options.tokens, page=pairs.PAGE)
        measured = pairs.measure(folder, engine, tokens=options.tokens, pairs=options.pairs, tell=status.update)
    return [ready, *measured]


def _engine() -> dict[str, str] | None:
    """Return the environment in which `pulumi` is the engine of `make engine`, None if it is not ready."""
    command = [sys.executable, str(BENCH.parent / "tools" / "engine"), "--ready", "--json"]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        return None
    environment: dict[str, str] = json.loads(found.stdout.splitlines()[-1])["environment"]
    return environment


def _table(results: Sequence[Result], load: float) -> Table:
    title = f"{results[-1].n} tokens, {len(results[-1].ratios)} pairs, load {load:.1f} on {os.cpu_count()} cores"
    table = Table(title=title)
    table.add_column("case")
    for column in ("seconds", "yardstick", "ratio", "lowest", "highest", "requests", "bytes per token", "stored"):
        table.add_column(column, justify="right")
    for result in results:
        table.add_row(
            result.case,
            f"{result.seconds:.2f}",
            f"{result.yardstick_seconds:.2f}",
            f"{result.ratio:.2f}",
            f"{min(result.ratios):.2f}",
            f"{max(result.ratios):.2f}",
            " ".join(f"{count} {method}" for method, count in sorted(result.requests.items())) or "0",
            str(result.state.record) if result.state else "",
            str(result.state.stored) if result.state else "",
        )
    return table


def _keep(file: Path, results: Sequence[Result], load: float) -> None:
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    with file.open("a", encoding="utf-8") as lines:
        lines.writelines(f"{result.line(at=at, load=load)}\n" for result in results)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Compare the plugin with one that does nothing.")
    parser.add_argument("--tokens", type=int, default=AT_FULL_SIZE, help="number of tokens (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="number of pairs (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="30 tokens, one pair, no results stored")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file to append the results to")
    options = parser.parse_args(arguments)
    if options.quick:
        options.tokens, options.pairs, options.results = 30, 1, None
    return options
