"""The engine, a tenant and a project for each test."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness import ROOT, Tenant, emulator
from project import Project, YamlProject, traces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder runs the real engine, and may take its time."""
    for item in items:
        if "/engine/" in str(item.path):
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def engine() -> dict[str, str]:
    """The environment in which `pulumi` is the engine that `make engine` made ready."""
    command = [sys.executable, str(ROOT / "tools" / "engine"), "--ready", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.fail(f"No engine: run `make engine` first. {found.stderr}", pytrace=False)
    environment: dict[str, str] = json.loads(found.stdout.splitlines()[-1])["environment"]
    return environment


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """A tenant in which a sync or a revocation takes no time."""
    with emulator(tmp_path, "--sync-seconds", "0", "--revoke-seconds", "0") as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> Project:
    """A project on that tenant, with a stack and nothing in it."""
    return Project.start(tmp_path, engine, tenant)


@pytest.fixture
def yaml_project(tmp_path: Path, engine: dict[str, str], tenant: Tenant) -> Iterator[YamlProject]:
    """A project in YAML on that tenant, through the plugin; at its end no secret of its token files is anywhere."""
    project = YamlProject.start(tmp_path, engine, tenant)
    yield project
    _search(project, tmp_path)


@pytest.fixture(params=[Project, YamlProject], ids=["dynamic", "plugin"])
def each_door(
    request: pytest.FixtureRequest, tmp_path: Path, engine: dict[str, str], tenant: Tenant
) -> Iterator[Project]:
    """A project on that tenant through one door, then through the other; at its end no secret is anywhere either."""
    project: Project = request.param.start(tmp_path, engine, tenant)
    yield project
    _search(project, tmp_path)


def _search(project: Project, folder: Path) -> None:
    exported, history = project.export(), project.pulumi("stack", "history", "--json", "--show-secrets")
    assert traces(folder, *project.displayed, json.dumps(exported), history.text) == []
