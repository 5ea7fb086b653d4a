"""The plugin archive of a release, built from this source, on a machine that has no Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import documentation
from harness import ROOT, Tenant, token_file
from intune_vpp_emulator.identity import access_tokens
from intune_vpp_emulator.serve import Service, serve
from intune_vpp_emulator.sign_in_methods import SignIn, variables
from intune_vpp_emulator.tenant import Tenant as Emulated
from project import PLUGIN, YamlProject, traces

if TYPE_CHECKING:
    from pathlib import Path

STORY = "verify-a-release"
PAGE = f"docs/{STORY}.md"
SECONDS = 900
"""PyInstaller needs one minute on a quiet machine."""


@pytest.mark.timeout(SECONDS)
def test_without_python(tmp_path: Path, engine: dict[str, str]) -> None:
    """Installed offline from its archive, and with no Python on PATH, the plugin creates, traces and reads a token.

    One test, because each worker that ran a part of it would build the archive again.
    """
    archive = _built(tmp_path / "dist")
    _require_licences(archive)
    programs = _without_python(tmp_path / "bin", engine)
    with serve(Emulated(sync_seconds=0)) as service:
        addresses = {name: value for name, value in service.environment.items() if name not in service.credentials}
        work = tmp_path / "work"
        (work / "project").mkdir(parents=True)
        tenant = Tenant(addresses)
        project = YamlProject.open(work / "project", {**_plain(engine), "PATH": str(programs)}, tenant)
        project.more["plugins"] = {}
        shown = _follow_the_page(archive, project.environment)
        assert f"{archive.name}: OK" in shown
        assert "intune-vpp" in shown

        project.declare(token=str(token_file(work)))
        spans = tmp_path / "spans.json"
        with variables(SignIn.CERTIFICATE, service.tenant, service.url, tmp_path / "certificate") as certificate:
            created = project.up("--otel-traces", f"file://{spans}", **certificate)
        assert created.ok, created.text
        assert len(service.tenant.tokens) == 1
        assert '"intune-vpp"' in spans.read_text(), "the plugin sent no span"
        tenant.log()

        refreshed = project.refresh(**_azure_cli(service, programs))
        assert refreshed.ok, refreshed.text
        assert set(tenant.requests()) == {"GET vppTokens/{id}", "GET vppTokens"}
    assert traces(work, *project.displayed) == []


def _built(out: Path) -> Path:
    """The archive; its build is not measured, because coverage would slow down PyInstaller."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, str(ROOT / "tools" / "dist"), "archive", "--out", str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if "Skips archive: " in done.stderr:
        pytest.skip(done.stderr.partition("Skips archive: ")[2].strip())
    (archive,) = out.glob(f"{PLUGIN}-v0.1.0-*.tar.gz")
    sums = (out / "SHA256SUMS").read_text()
    assert sums.endswith(f"  {archive.name}\n")
    return archive


def _require_licences(archive: Path) -> None:
    """The archive has the executable at its root, the licences of what it bundles, and neither links nor a manifest."""
    with tarfile.open(archive) as tar:
        entries = tar.getmembers()
    names = {entry.name for entry in entries}
    assert {PLUGIN, "schema.json", "LICENSE", "LICENSES/README.md", "LICENSES/OpenSSL/LICENSE"} <= names
    assert {"LICENSES/Python", "LICENSES/grpcio", "LICENSES/cryptography", "LICENSES/msal"} <= names
    # With it, an engine would look for Python.
    assert "PulumiPlugin.yaml" not in names
    assert [entry.name for entry in entries if not (entry.isfile() or entry.isdir())] == []
    assert [name for name in names if "readline" in name] == []
    assert len({entry.mtime for entry in entries}) == 1


def _follow_the_page(archive: Path, environment: dict[str, str]) -> str:
    """Run the commands that the page shows, in the folder of the archive; what they print."""
    commands = "".join(block.text for block in documentation.story(STORY, PAGE))
    done = subprocess.run(
        ["/bin/sh", "-e", "-c", commands],
        cwd=archive.parent,
        env={**environment, "archive": archive.name},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _without_python(folder: Path, engine: dict[str, str]) -> Path:
    """A folder of programs, the only one on PATH: the engine, its host for YAML, and what the page uses."""
    folder.mkdir()
    for program in ("pulumi", "pulumi-language-yaml", "sha256sum"):
        found = shutil.which(program, path=engine["PATH"])
        assert found is not None, program
        (folder / program).symlink_to(found)
    assert [shutil.which(python, path=str(folder)) for python in ("python", "python3")] == [None, None]
    return folder


def _plain(engine: dict[str, str]) -> dict[str, str]:
    """The engine's variables without those that name an interpreter."""
    return {name: value for name, value in engine.items() if name not in {"PULUMI_PYTHON_CMD", "VIRTUAL_ENV"}}


def _azure_cli(service: Service, folder: Path) -> dict[str, str]:
    """A stand-in for `az` that fails, as the real one may, if it would load the libraries of the archive."""
    directory = service.tenant.directory
    now = datetime.now(UTC)
    access_token = access_tokens.issue(directory, directory.app, audience=service.url, now=now)
    answer = {"accessToken": access_token, "expires_on": int(now.timestamp()) + 3599}
    program = folder / "az"
    program.write_text(f"#!/bin/sh\n[ -z \"$LD_LIBRARY_PATH\" ] || exit 1\necho '{json.dumps(answer)}'\n")
    program.chmod(0o700)
    return {"ARM_TENANT_ID": directory.tenant_id, "ARM_USE_CLI": "true"}
