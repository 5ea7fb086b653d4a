"""The first way: the `pulumi` on PATH, if it meets the requirements."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UnavailableError
from .pins import OLDEST, TOO_NEW
from .shelf import cache

if TYPE_CHECKING:
    from .progress import Progress

HOST = "pulumi-language-python"


def take(progress: Progress) -> Path:
    """The folder of the `pulumi` on PATH. Raises UnavailableError, and reports why, if it cannot be used."""
    found = shutil.which("pulumi")
    if found is None:
        raise UnavailableError("There is no pulumi on PATH.")
    pulumi = Path(found).absolute()
    if objection := _objection(pulumi):
        progress.say(f"Not used: {objection}")
        raise UnavailableError(objection)
    return pulumi.parent


def _objection(pulumi: Path) -> str | None:
    version = version_of(pulumi)
    if version is None:
        return f"{pulumi} does not report its version."
    if not OLDEST <= version < TOO_NEW:
        oldest, too_new = _dotted(OLDEST), _dotted(TOO_NEW)
        return f"{pulumi} is {_dotted(version)}; version {oldest} or newer, and older than {too_new}, is required."
    if not _has_python_host(pulumi):
        return f"{pulumi} has no Python language host: no {HOST} was found beside it or on PATH."
    return None


def version_of(pulumi: Path) -> tuple[int, ...] | None:
    """The version that `pulumi version` prints, as three numbers; None if it prints none."""
    # Even this command writes a log: into a home of our own.
    quiet = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": str(cache() / "home")}
    try:
        said = subprocess.run([pulumi, "version"], env=quiet, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", said.stdout)
    return tuple(int(part) for part in found.groups()) if found else None


def _has_python_host(pulumi: Path) -> bool:
    # The engine too searches the folder that a symbolic link points to.
    beside = (pulumi.parent / HOST, pulumi.resolve().parent / HOST)
    return shutil.which(HOST) is not None or any(os.access(host, os.X_OK) for host in beside)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
