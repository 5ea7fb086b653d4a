"""The environment of a run of Pulumi that uses no files of the user and sends no requests to the internet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

QUIET = {
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
}


def environment(folder: Path, *, python: Path, home: Path, path: str) -> dict[str, str]:
    """The variables of a run with the engine in `folder` and the interpreter `python`, `path` being the PATH so far.

    The Python language host that can be built ignores the project's `virtualenv` option: it takes these variables.
    """
    variables = QUIET | {"PULUMI_HOME": str(home), "PULUMI_PYTHON_CMD": str(python)}
    variables["PATH"] = os.pathsep.join((str(folder), str(python.parent), path))
    if (python.parent.parent / "pyvenv.cfg").exists():
        variables["VIRTUAL_ENV"] = str(python.parent.parent)
    return variables
