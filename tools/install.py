"""`python tools/install.py EXTRAS`: creates `.venv` with this package and extras, such as `emulator,demo`.

uv installs in seconds what takes pip a minute; where uv cannot be installed or fails, pip does it. The versions are
those of `constraints.txt`. The output of both is shown, so that no step is silent for long.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PIP = (str(PYTHON), "-m", "pip", "--disable-pip-version-check")
PINNED = ("--constraint", "constraints.txt")
OLDEST = (3, 11)
SECONDS_FOR_AN_ANSWER = "15"
UNKNOWN_TO_UV = {"no-index", "extra-index-url"}
"""The settings of pip that say where packages come from, besides the index."""


def main(extras: str) -> int:
    """Install, and return the exit status."""
    if sys.version_info < OLDEST:
        say("Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")
        return 1
    started = time.monotonic()
    say(f"Creating {VENV.name} and installing this package with {extras}: under a minute, or two without uv.")
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode:
        return 1
    project = ("--editable", f".[{extras}]")
    if not (with_uv(project) or run(*PIP, "install", "--progress-bar", "off", *PINNED, *project)):
        return 1
    say(f"Installed in {time.monotonic() - started:.0f} s.")
    return 0


def with_uv(project: tuple[str, ...]) -> bool:
    """Install with uv, and return whether that worked."""
    if not UNKNOWN_TO_UV.isdisjoint(pip_settings()):
        return False
    if run(*PIP, "install", "--quiet", *PINNED, "uv") and run(*uv("install", *PINNED, *project)):
        return True
    say("uv cannot be used here; pip installs the packages.")
    return False


def uv(*command: str) -> tuple[str, ...]:
    """Return a command of `uv pip` on `.venv`, also where UV_PYTHON or UV_SYSTEM_PYTHON names another environment."""
    return (str(VENV / "bin" / "uv"), "pip", *command, "--python", str(PYTHON))


def run(*command: str) -> bool:
    """Run a command in the project, and return whether it succeeded."""
    return subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode == 0


def environment() -> dict[str, str]:
    """Return the variables of the user, and for uv the index of pip, which uv does not read."""
    ours = {"UV_HTTP_TIMEOUT": SECONDS_FOR_AN_ANSWER}
    index = pip_settings().get("index-url")
    if index is not None:
        ours["UV_DEFAULT_INDEX"] = index
    return {**ours, **os.environ}


@cache
def pip_settings() -> dict[str, str]:
    """Return pip's configuration, from files and environment variables, by option name; empty without pip."""
    if not PYTHON.exists():
        return {}
    listed = subprocess.run([*PIP, "config", "list"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    pairs = [line.partition("=") for line in listed.splitlines() if "=" in line]
    return {name.rpartition(".")[2]: value.strip("'") for name, _, value in pairs}


def say(sentence: str) -> None:
    """Print a sentence at once."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        say("Stopped. The next run starts over.")
        sys.exit(130)
