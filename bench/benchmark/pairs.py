"""Runs each command with the plugin and right after it with the yardstick, several times."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark import plugins, projects
from benchmark.results import Measure, Result
from harness import emulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness import Tenant
    from project import Project

PAGE = 100
"""The number of tokens on a page of the emulator."""

_SILENT = ("--yes", "--skip-preview")
_SERVED = ("--sync-seconds", "0", "--renewal-lag-seconds", "0", "--page-size", str(PAGE))


def _nothing(_: Project, __: int, ___: int) -> None:
    """Change nothing in the program."""


def _rename_first(project: Project, _: int, pair: int) -> None:
    projects.rename_first(project, f"Renamed {pair}")


def _renew_all(project: Project, tokens: int, pair: int) -> None:
    projects.write_files(project.folder, tokens, days=projects.DAYS + pair)


@dataclass(frozen=True, slots=True)
class Case:
    """A command, and what changes in the program before it: `prepare` gets the number of tokens and of the pair."""

    command: tuple[str, ...]
    prepare: Callable[[Project, int, int], None] = _nothing


CASES = {
    "create": Case(("up", *_SILENT)),
    "no-op": Case(("up", *_SILENT, "--expect-no-changes")),
    "one change": Case(("up", *_SILENT), _rename_first),
    "renew all": Case(("up", *_SILENT), _renew_all),
    "refresh": Case(("refresh", *_SILENT)),
    "destroy": Case(("destroy", *_SILENT)),
}


@dataclass(frozen=True, slots=True)
class Series:
    """So many tokens, measured in so many pairs; `latency_ms` is added to each answer of the tenant."""

    tokens: int
    pairs: int
    latency_ms: int = 0


def measure(folder: Path, engine: dict[str, str], series: Series, *, tell: Callable[[str], None]) -> list[Result]:
    """Measure all cases; `tell` receives the progress."""
    tokens, latency = series.tokens, series.latency_ms
    measured: dict[str, list[Measure]] = {case: [] for case in CASES}
    folder.mkdir()
    with emulator(folder, *_SERVED, "--latency-ms", str(latency)) as tenant:
        environment = {**engine, **tenant.environment}
        ours = projects.create(folder / "ours", plugins.OURS, tokens, environment)
        yardstick = projects.create(folder / "yardstick", plugins.YARDSTICK, tokens, environment)
        for pair in range(1, series.pairs + 1):
            for name, case in CASES.items():
                tell(f"{tokens} tokens, {latency} ms, pair {pair} of {series.pairs}: {name}")
                for project in (ours, yardstick):
                    case.prepare(project, tokens, pair)
                measured[name].append(_pair(name, case.command, ours=ours, yardstick=yardstick, tenant=tenant))
    return [Result.of(case, found, n=tokens, page=PAGE, latency_ms=latency) for case, found in measured.items()]


def _pair(case: str, command: tuple[str, ...], *, ours: Project, yardstick: Project, tenant: Tenant) -> Measure:
    tenant.log()
    run = projects.attempt(ours, *command)
    if run.failures:
        raise RuntimeError(f"The command pulumi {command[0]} failed: {run.error}")
    requests = Counter(request.partition(" ")[0] for request in tenant.requests())
    if case == "create":
        projects.keep_record(ours)
    state = projects.state_of(ours)
    return Measure(run.seconds, projects.run(yardstick, *command), requests, state, run.megabytes)
