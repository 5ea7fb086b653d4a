"""The examples, run by the commands that stand in their READMEs, in their order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from harness import PROXIES, ROOT, emulator
from project import PLUGIN, install_command, traces

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 900
"""Go first compiles Pulumi's own SDK, where nothing has done so before."""

EXAMPLES = {
    "02-yaml": (["pulumi-language-yaml"], [["POST", "PATCH", "DELETE"]], 2),
    "03-adopt": (["pulumi-language-yaml"], [[]], 0),
    "04-two-tenants": (["pulumi-language-yaml"], [["POST", "DELETE"]] * 2, 2),
    "05-typescript": (["pulumi-language-nodejs", "node", "npm"], [["POST", "DELETE"]], 1),
    "06-go": (["pulumi-language-go", "go"], [["POST", "DELETE"]], 1),
    "07-licences": (
        ["pulumi-language-yaml"],
        [["POST", *["syncLicenseCounts"] * 2, "revokeLicenses", "syncLicenseCounts", "revokeLicenses", "DELETE"]],
        3,
    ),
    "08-close-a-location": (
        ["pulumi-language-python"],
        [["POST", "POST", "revokeLicenses", *["revokeLicenses", "DELETE"] * 2]],
        2,
    ),
}
"""The programs that each needs, the writes, syncs apart, that each of its tenants sees, and how many syncs."""

_SERVE = re.compile(r"intune-vpp-emulator serve --env-file (\S+)")


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_commands_of_its_readme(name: str, engine: dict[str, str], tmp_path: Path) -> None:
    """Every command of an example's README does its work.

    It leaves no token and no secret behind, changes no file of the example, and the engine does not complain.
    """
    programs, expected, syncs = EXAMPLES[name]
    for required in programs:
        if shutil.which(required, path=engine["PATH"]) is None:
            pytest.skip(f"needs {required}, which is neither on PATH nor beside pulumi")
    repository = tmp_path / "repository"
    work = repository / "examples" / name
    shutil.copytree(ROOT / "examples" / name, work, ignore=shutil.ignore_patterns("__pycache__", "Pulumi.*.yaml"))
    before = _contents(work)
    install_command(repository / ".venv" / "bin" / PLUGIN, "intune_vpp")
    install_command(repository / ".venv" / "bin" / "intune-vpp-emulator", "intune_vpp_emulator")
    commands = _commands((work / "README.md").read_text())
    with ExitStack() as stack:
        tenants = []
        for env_file in _SERVE.findall(commands):
            tenant = stack.enter_context(emulator(tmp_path, "--sync-seconds", "0", "--revoke-seconds", "0"))
            lines = [f"{name}={value}\n" for name, value in tenant.environment.items()]
            (work / env_file).write_text("".join(lines))
            tenants.append(tenant)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", _SERVE.sub(":", commands)],  # noqa: S607 - any bash will do
            cwd=work,
            env=_environment(engine, tmp_path, repository / ".venv" / "bin"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS - 20,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        seen = [[_deed(one) for one in tenant.writes()] for tenant in tenants]
    assert [[one for one in deeds if one != "syncLicenses"] for deeds in seen] == expected
    assert sum(deeds.count("syncLicenses") for deeds in seen) == syncs
    assert traces(tmp_path, done.stdout) == []
    assert _contents(work).items() >= before.items()
    assert "from $PATH" not in done.stdout


def _contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their paths in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _commands(readme: str) -> str:
    """What stands indented in a README."""
    return "\n".join(line[4:] for line in readme.splitlines() if line.startswith("    "))


def _deed(request: str) -> str:
    """The action that a request asks for, or its method."""
    method, _, path = request.partition(" ")
    last = path.rpartition("/")[2]
    return last if last.endswith(("Licenses", "Counts")) else method


def _environment(engine: dict[str, str], folder: Path, commands: Path) -> dict[str, str]:
    """A shell in which all is installed, with a Pulumi of its own that asks nothing."""
    (folder / "state").mkdir()
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PULUMI")},
        **PROXIES,
        **engine,
        "PATH": f"{commands}{os.pathsep}{engine['PATH']}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "for a test",
        "PULUMI_SKIP_CONFIRMATIONS": "true",
    }
