"""Runs each command with the plugin and right after it with the yardstick, several times."""

from __future__ import annotations

from collections import Counter
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

COMMANDS = {
    "create": ("up", *_SILENT),
    "no-op": ("up", *_SILENT, "--expect-no-changes"),
    "refresh": ("refresh", *_SILENT),
    "destroy": ("destroy", *_SILENT),
}


def measure(
    folder: Path, engine: dict[str, str], *, tokens: int, pairs: int, tell: Callable[[str], None]
) -> list[Result]:
    """Measure all commands; `tell` receives the progress."""
    measured: dict[str, list[Measure]] = {case: [] for case in COMMANDS}
    with emulator(folder, "--sync-seconds", "0", "--page-size", str(PAGE)) as tenant:
        environment = {**engine, **tenant.environment}
        ours = projects.create(folder / "ours", plugins.OURS, tokens, environment)
        yardstick = projects.create(folder / "yardstick", plugins.YARDSTICK, tokens, environment)
        for pair in range(1, pairs + 1):
            for case, command in COMMANDS.items():
                tell(f"pair {pair} of {pairs}: {case}")
                measured[case].append(_pair(case, command, ours=ours, yardstick=yardstick, tenant=tenant))
    return [Result.of(case, found, n=tokens, page=PAGE) for case, found in measured.items()]


def _pair(case: str, command: tuple[str, ...], *, ours: Project, yardstick: Project, tenant: Tenant) -> Measure:
    tenant.log()
    seconds = projects.run(ours, *command)
    requests = Counter(request.partition(" ")[0] for request in tenant.requests())
    if case == "create":
        projects.keep_record(ours)
    state = projects.state_of(ours)
    return Measure(seconds, projects.run(yardstick, *command), requests, state)
