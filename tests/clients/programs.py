"""The programs beside this file, made ready once for a checkout: packages installed, commands built.

They are kept in the virtual environment, under a name that changes with their sources; `make clean` removes them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

_SOURCES = Path(__file__).parent
_READY = Path(sys.prefix) / "clients"
_SECONDS = 600


def javascript() -> list[str]:
    """The command of the program for Node.js."""
    node = _tool("node")
    folder = _ready("javascript", lambda folder: _run(_tool("npm"), *_NPM, cwd=folder))
    return [node, str(folder / "client.mjs")]


def go() -> list[str]:
    """The command of the program in Go."""
    compiler = _tool("go")
    folder = _ready("go", lambda folder: _run(compiler, "build", "-o", "client", ".", cwd=folder))
    return [str(folder / "client")]


_NPM = ("install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def _ready(name: str, prepare: Callable[[Path], None]) -> Path:
    sources = sorted(one for one in (_SOURCES / name).iterdir() if one.is_file())
    digest = hashlib.sha256(b"\0".join(one.read_bytes() for one in sources)).hexdigest()[:16]
    ready = _READY / f"{name}-{digest}"
    if ready.exists():
        return ready
    _READY.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_READY, ignore_cleanup_errors=True) as beside:
        folder = Path(beside) / name
        shutil.copytree(_SOURCES / name, folder)
        prepare(folder)
        try:
            folder.rename(ready)
        except OSError:  # another process was first
            if not ready.exists():
                raise
    return ready


def _run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr


def answers_of(command: list[str], ca: Path, given: str) -> str:
    """What a program prints that trusts this authority, uses no proxy, and has `given` as its input."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"CLIENT_INPUT": given, "NODE_EXTRA_CA_CERTS": str(ca), "SSL_CERT_FILE": str(ca)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
