"""Where the example's pipelines get token files from, and that none is left."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipelines.stand_ins import copy_example, install, install_az
from pipelines.steps import EXAMPLE

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {"lincoln": "the text of Lincoln", "new-york": "the text of New York"}
SHOW = """\
import os

for path, _, files in os.walk("token-files"):
    print(oct(os.stat(path).st_mode & 0o777), *sorted(files))
"""
READ = """\
import os, pathlib

print(pathlib.Path("token-files/lincoln.vpptoken").read_text(), *(one for one in os.environ if "VPP_TOKEN_" in one))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout with the commands that a runner has, and a vault with two token files and another secret."""
    project = tmp_path / "project"
    copy_example(EXAMPLE, project)
    vault = tmp_path / "contoso-vpp"
    vault.mkdir()
    for name, text in TEXTS.items():
        (vault / f"vpp-{name}.vpptoken").write_text(text)
    (vault / "a-password.vpptoken").write_text("something else")
    install_az(tmp_path / "bin", vault)
    return project


def _started(project: Path, source: str, *command: str, **environment: str) -> subprocess.Popen[str]:
    path = f"{project.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        [str(project / "scripts" / "with-token-files.sh"), f"scripts/{source}", *command],
        cwd=project,
        env={**os.environ, "PATH": path, "KEY_VAULT": "contoso-vpp", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _source(project: Path, name: str) -> dict[str, str]:
    """The variables that a source needs for Lincoln."""
    if name == "from-secrets.sh":
        return {"VPP_TOKEN_LINCOLN": TEXTS["lincoln"]}
    if name == "from-esc.sh":
        projected = project.parent / "projected-by-esc"
        projected.write_text(TEXTS["lincoln"])
        return {"VPP_FILE_LINCOLN": str(projected)}
    return {}


@pytest.mark.parametrize("source", ["from-key-vault.sh", "from-secrets.sh", "from-esc.sh"])
def test_each_source(project: Path, source: str) -> None:
    """The command finds each file with its text, no text among its variables, and afterwards the folder is gone."""
    install(project.parent / "bin", "read-it", READ)
    command = _started(project, source, "read-it", **_source(project, source))
    assert command.communicate(timeout=30)[0] == f"{TEXTS['lincoln']}\n"
    assert command.returncode == 0
    assert not (project / "token-files").exists()


def test_only_their_owner_reads_them(project: Path) -> None:
    """The folder has mode 700; it holds the secrets with the prefix and no others, nothing of an earlier run."""
    (project / "token-files").mkdir(mode=0o755)
    (project / "token-files" / "left.vpptoken").write_text("by an earlier run")
    install(project.parent / "bin", "show", SHOW)
    shown, _ = _started(project, "from-key-vault.sh", "show").communicate(timeout=30)
    assert shown == "0o700 lincoln.vpptoken new-york.vpptoken\n"


@pytest.mark.parametrize("command", ["false", "no-such-command"])
def test_when_the_command_fails(project: Path, command: str) -> None:
    """The failure is that of the step, and the files are gone all the same."""
    failed = _started(project, "from-key-vault.sh", command)
    failed.communicate(timeout=30)
    assert failed.returncode != 0
    assert not (project / "token-files").exists()


def test_when_the_vault_refuses(project: Path) -> None:
    """Without the files the command does not run, and those that came before are gone."""
    install(project.parent / "bin", "az", "import sys\nsys.exit('Forbidden: no access to the vault')")
    refused = _started(project, "from-key-vault.sh", "echo", "the command ran")
    text, _ = refused.communicate(timeout=30)
    assert refused.returncode != 0
    assert text == "Forbidden: no access to the vault\n"
    assert not (project / "token-files").exists()


def test_when_it_is_cancelled(project: Path) -> None:
    """A runner that cancels the step ends the script, which removes the files first."""
    install(project.parent / "bin", "hang", "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(600)")
    command = _started(project, "from-key-vault.sh", "hang")
    assert command.stdout is not None
    hanging = int(command.stdout.readline())
    try:
        assert (project / "token-files" / "lincoln.vpptoken").exists()
        command.terminate()
        assert command.wait(timeout=30) != 0
        assert not (project / "token-files").exists()
    finally:
        os.kill(hanging, signal.SIGKILL)
        command.stdout.close()
