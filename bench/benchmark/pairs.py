"""Runs each command with the provider and right after it with its yardstick, several times."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark import plugins, projects
from benchmark.results import Door, Measure, Result
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
    creates: bool = False


CASES = {
    "create": Case(("up", *_SILENT), creates=True),
    "no-op": Case(("up", *_SILENT, "--expect-no-changes")),
    "one change": Case(("up", *_SILENT), _rename_first),
    "renew all": Case(("up", *_SILENT), _renew_all),
    "refresh": Case(("refresh", *_SILENT)),
    "destroy": Case(("destroy", *_SILENT)),
}


@dataclass(frozen=True, slots=True)
class Series:
    """So many tokens on a door, measured in so many pairs; `latency_ms` is added to each answer of the tenant."""

    tokens: int
    pairs: int
    latency_ms: int = 0
    door: Door = Door.PLUGIN


def measure(folder: Path, engine: dict[str, str], series: Series, *, tell: Callable[[str], None]) -> list[Result]:
    """Measure all cases; `tell` receives the progress."""
    tokens, latency = series.tokens, series.latency_ms
    measured: dict[str, list[Measure]] = {case: [] for case in CASES}
    folder.mkdir()
    with emulator(folder, *_SERVED, "--latency-ms", str(latency)) as tenant:
        ours, yardstick = _projects(folder, {**engine, **tenant.environment}, series)
        for pair in range(1, series.pairs + 1):
            for name, case in CASES.items():
                tell(f"{tokens} tokens, {series.door}, {latency} ms, pair {pair} of {series.pairs}: {name}")
                for project in (ours, yardstick):
                    case.prepare(project, tokens, pair)
                measured[name].append(_pair(case, ours=ours, yardstick=yardstick, tenant=tenant))
    return [
        Result.of(case, found, n=tokens, page=PAGE, latency_ms=latency, door=series.door)
        for case, found in measured.items()
    ]


def _projects(folder: Path, environment: dict[str, str], series: Series) -> tuple[Project, Project]:
    """Create the project of the provider, and that of the yardstick."""
    if series.door is Door.DYNAMIC:
        ours, yardstick = (
            projects.create_dynamic(folder / name, name, series.tokens, environment) for name in ("ours", "yardstick")
        )
        return ours, yardstick
    return (
        projects.create(folder / "ours", plugins.OURS, series.tokens, environment),
        projects.create(folder / "yardstick", plugins.YARDSTICK, series.tokens, environment),
    )


def _pair(case: Case, *, ours: Project, yardstick: Project, tenant: Tenant) -> Measure:
    tenant.log()
    run = projects.attempt(ours, *case.command)
    if run.failures:
        raise RuntimeError(f"The command pulumi {case.command[0]} failed: {run.error}")
    requests = Counter(request.partition(" ")[0] for request in tenant.requests())
    if case.creates:
        projects.keep_record(ours)
    state = projects.state_of(ours)
    return Measure(run.seconds, projects.run(yardstick, *case.command), requests, state, run.megabytes)
