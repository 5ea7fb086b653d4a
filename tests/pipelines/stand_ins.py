"""Commands that a runner has and a test must not call, as small programs with the same arguments."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

AZ = """\
import pathlib, sys

verb, arguments = sys.argv[1:4], sys.argv[4:]
options = dict(zip(arguments[::2], arguments[1::2], strict=True))
vault = pathlib.Path(VAULT, options["--vault-name"])
if verb == ["keyvault", "secret", "list"] and options["--query"] == "[?starts_with(name, 'vpp-')].name":
    print(*sorted(one.stem for one in vault.iterdir() if one.stem.startswith("vpp-")), sep="\\n")
elif verb == ["keyvault", "secret", "download"]:
    if pathlib.Path(options["--file"]).exists():
        sys.exit("File or directory named '" + options["--file"] + "' already exists.")
    pathlib.Path(options["--file"]).write_bytes((vault / (options["--name"] + ".vpptoken")).read_bytes())
else:
    sys.exit(f"az is not expected to run {sys.argv[1:]}")
"""

GH = """\
import json, pathlib, sys

file = pathlib.Path(ISSUES)
issues = json.loads(file.read_text()) if file.exists() else []
group, verb, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
target = issues[int(arguments.pop(0)) - 1] if verb in ("edit", "close") else {}
if group == "label":
    pathlib.Path(ISSUES + ".label").write_text(arguments[0])
    sys.exit()
options = dict(zip(arguments[::2], arguments[1::2], strict=True))
if verb == "list":
    assert (options["--json"], options["--jq"]) == ("number", ".[].number")
    open_ones = [one["number"] for one in issues if one["state"] == options["--state"]]
    print(*open_ones[: int(options["--limit"])])
elif verb == "create":
    if pathlib.Path(ISSUES + ".label").read_text() != options["--label"]:
        sys.exit("could not add label: '" + options["--label"] + "' not found")
    target = {"number": len(issues) + 1, "state": "open", "title": options["--title"]}
    issues.append(target)
elif verb == "close":
    target["state"] = "closed"
if verb in ("create", "edit"):
    target["body"] = pathlib.Path(options["--body-file"]).read_text()
file.write_text(json.dumps(issues))
"""

PYTHON = """\
import os, sys

if sys.argv[1:2] != ["-m"]: # the packages are there
    os.execv(PYTHON, [PYTHON, *sys.argv[1:]])
"""


def install(folder: Path, name: str, program: str, **constants: str) -> None:
    """Make a command of a program in Python, with constants defined before it."""
    folder.mkdir(parents=True, exist_ok=True)
    defined = "".join(f"{constant} = {value!r}\n" for constant, value in constants.items())
    command = folder / name
    command.write_text(f"#!{sys.executable} -I\n{defined}{program}")
    command.chmod(0o755)


def install_az(folder: Path, vault: Path) -> None:
    """`az` with the secrets of a vault: the files of a folder of its name, each with the ending `.vpptoken`."""
    install(folder, "az", AZ, VAULT=str(vault.parent))


def install_gh(folder: Path, issues: Path) -> None:
    """`gh` of a repository whose issues are in a file."""
    install(folder, "gh", GH, ISSUES=str(issues))


def install_installers(folder: Path, project: Path) -> None:
    """`python3 -m venv`, the `pip` of that environment and `curl`, which install nothing."""
    install(folder, "python3", PYTHON, PYTHON=sys.executable)
    install(folder, "curl", "")
    install(project / ".venv" / "bin", "python", "")


def issues_in(file: Path) -> list[dict[str, Any]]:
    """The issues that `gh` has made."""
    found: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    return found


def copy_example(example: Path, to: Path) -> None:
    """A checkout of the example."""
    shutil.copytree(example, to, ignore=shutil.ignore_patterns("__pycache__", "token-files", ".venv", "wheels"))
