"""Records the states of this version, with the real engine against the emulated tenant.

Run `PYTHONPATH=tests .venv/bin/python tests/upgrade/record.py` once for each release, before its tag, and commit the
new folder of `tests/upgrade/states`. Never record again what a release has written: those states are what its users
have. All ids, names and token files in them are the emulator's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness import ROOT, emulator
from intune_vpp import __version__
from intune_vpp_emulator.apple import make_token
from project import Project, YamlProject
from upgrade.names import written
from upgrade.story import FILES, STATES, declare, put_files

EXPIRES = datetime(2099, 12, 24, 9, 30, 1, tzinfo=UTC)
"""The tests must not find an expired file, nor warn of one, for as long as this version is supported."""
MACHINE = ("/tmp", "/root", "/home", "/Users", str(ROOT))  # noqa: S108 - looked for, not used


def main() -> int:
    """Record on both doors, and the names that this version writes."""
    folder = STATES / __version__
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, location) in enumerate(FILES.items()):
        text = make_token("Contoso", location, EXPIRES.replace(second=number))
        (folder / f"{name}.txt").write_text(text)
    engine = _engine()
    for door, kind in (("dynamic", Project), ("plugin", YamlProject)):
        _write(folder / f"{door}.json", _recorded(kind, engine, folder))
    _write(folder / "names.json", written())
    sys.stdout.write(f"Recorded in {folder}\n")
    return 0


def _recorded(kind: type[Project], engine: dict[str, str], recorded: Path) -> dict[str, Any]:
    """The stack of one door, in which a preview finds nothing to do."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with emulator(folder, "--sync-seconds", "0", "--revoke-seconds", "0") as tenant:
            project = kind.start(folder, engine, tenant)
            put_files(recorded, folder)
            declare(project, tenant.upload(folder / "york.vpptoken"))
            for command in (("up", "--yes"), ("refresh", "--yes"), ("up", "--yes"), ("preview", "--expect-no-changes")):
                done = project.pulumi(*command)
                if not done.ok:
                    raise RuntimeError(done.text)
            exported = project.export()
    for resource in exported["deployment"]["resources"]:
        # The engine's own note of the program's lines.
        resource.pop("sourcePosition", None)
        resource.pop("stackTrace", None)
    text = json.dumps(exported)
    for path in MACHINE:
        if path in text:
            around = text[max(text.index(path) - 80, 0) :][:200]
            raise RuntimeError(f"The state names a folder of this machine: {around}")
    return exported


def _engine() -> dict[str, str]:
    """The environment of the engine that `make engine` made ready."""
    command = [sys.executable, str(ROOT / "tools" / "engine"), "--ready", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    environment: dict[str, str] = json.loads(found.stdout.splitlines()[-1])["environment"]
    return environment


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
