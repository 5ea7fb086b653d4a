"""Runs many creates, renewals and reads under the documented throttle, and beside each the same run without it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark import plugins, projects, stacks, tenant
from benchmark.results import Throttled
from benchmark.traffic import Traffic
from harness import emulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmark.projects import Run
    from harness import Tenant
    from project import Project

PAGE = 100
PARALLEL = 100
"""As many as the limit of writes: the engine then calls the provider for all of them at once."""

_WITHOUT_CHECKPOINTS = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
"""Makes the engine write the state once, at the end: two writes for each of 300 tokens take longer than the limit."""

REFRESHED = 3_000
"""The number of tokens in the refresh of full size."""

_SITES = {"North": projects.DAYS, "South": projects.DAYS + 60}
"""The sites of two processes, with the days after which their files expire."""

_SERVED = ("--sync-seconds", "0", "--renewal-lag-seconds", "0", "--page-size", str(PAGE))
_THROTTLED = (*_SERVED, "--throttle", "documented")


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the cases run: `tell` receives the progress."""

    folder: Path
    engine: dict[str, str]
    tell: Callable[[str], None]
    parallel: int = PARALLEL

    def command(self, name: str) -> tuple[str, ...]:
        """Return the arguments of a command of `pulumi`."""
        return name, "--yes", "--skip-preview", "--parallel", str(self.parallel)

    def project(self, tenant: Tenant, name: str, tokens: int, *, site: str = "Site") -> Project:
        """Create a project of its own for a tenant."""
        environment = {**self.engine, **tenant.environment, **_WITHOUT_CHECKPOINTS}
        return projects.create(self.folder / name, plugins.OURS, tokens, environment, site=site)


def measure(bench: Bench, tokens: int, *, refreshed: int) -> list[Throttled]:
    """Measure all cases with so many tokens; each of two processes has a third of them."""
    return [*writes(bench, tokens), refresh(bench, refreshed), two_at_once(bench, tokens // 3)]


def writes(bench: Bench, tokens: int) -> list[Throttled]:
    """Create and renew so many tokens, each without and with the throttle."""
    with emulator(bench.folder, *_SERVED) as served:
        project = bench.project(served, "free", tokens)
        created = _run(bench, "creates without throttle", served, project, "up")
        projects.write_files(project.folder, tokens, days=projects.DAYS + 1)
        renewed = _run(bench, "renewals without throttle", served, project, "up")
        # Requests before this do not count: the bucket is empty.
        served.behave(throttle="documented")
        expirations = projects.write_files(project.folder, tokens, days=projects.DAYS + 2)
        renewals = _throttled(bench, "throttled renewals", served, project, expirations, free=renewed)
    with emulator(bench.folder, *_THROTTLED) as served:
        project = bench.project(served, "throttled", tokens)
        expirations = projects.write_files(project.folder, tokens)
        creates = _throttled(bench, "throttled creates", served, project, expirations, free=created)
    return [creates, renewals]


def refresh(bench: Bench, tokens: int) -> Throttled:
    """Refresh so many tokens, first without the throttle."""
    bench.tell(f"upload of {tokens} tokens")
    state = bench.folder / "tenant.json"
    uploaded = tenant.fill(state, tokens - 1, site="Uploaded")
    with emulator(bench.folder, *_SERVED, "--state", str(state)) as served:
        project = bench.project(served, "refresh", 1)
        projects.run(project, *bench.command("up"))
        stacks.adopt(project, uploaded, tenant.tokens_of(served))
        free = _run(bench, f"refresh of {tokens} tokens without throttle", served, project, "refresh")
        served.behave(throttle="documented")
        run, traffic = _run(bench, f"refresh of {tokens} tokens under the throttle", served, project, "refresh")
    right = stacks.count(project)
    return Throttled.of("throttled refresh", [run], traffic, n=tokens, page=PAGE, right=right, free=free)


def two_at_once(bench: Bench, tokens: int) -> Throttled:
    """Create so many tokens in each of two processes that share the bucket of one application."""
    with emulator(bench.folder, *_THROTTLED) as served:
        made = [bench.project(served, site.lower(), tokens, site=site) for site in _SITES]
        for project, (site, days) in zip(made, _SITES.items(), strict=True):
            projects.write_files(project.folder, tokens, site=site, days=days)
        served.log()
        bench.tell("creates by two processes under the throttle")
        with ThreadPoolExecutor(len(made)) as pool:
            runs = list(pool.map(lambda one: projects.attempt(one, *bench.command("up")), made))
        traffic = Traffic.of(served.log())
        served.behave(throttle="off")
        right = len(tenant.tokens_of(served))
    return Throttled.of("two at once", runs, traffic, n=tokens * len(made), page=PAGE, right=right)


def _throttled(  # noqa: PLR0913 - what one run needs
    bench: Bench, case: str, served: Tenant, project: Project, expirations: set[str], *, free: tuple[Run, Traffic]
) -> Throttled:
    """Run `up` under the throttle; `expirations` are those of the files that all tokens must have afterwards."""
    run, traffic = _run(bench, case, served, project, "up")
    served.behave(throttle="off")
    right = sum(one["expirationDateTime"] in expirations for one in tenant.tokens_of(served))
    return Throttled.of(case, [run], traffic, n=len(expirations), page=PAGE, right=right, free=free)


def _run(bench: Bench, what: str, served: Tenant, project: Project, command: str) -> tuple[Run, Traffic]:
    served.log()
    bench.tell(what)
    run = projects.attempt(project, *bench.command(command))
    return run, Traffic.of(served.log())
