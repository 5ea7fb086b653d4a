"""`python tools/install.py EXTRAS`: creates `.venv` with this package and extras, such as `emulator,demo`.

uv installs in seconds what takes pip a minute; where uv cannot be installed or fails, pip does it. The versions are
those of `constraints.txt`. The output of both is shown, so that no step is silent for long.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PIP = (str(PYTHON), "-m", "pip", "--disable-pip-version-check")
PINNED = ("--constraint", "constraints.txt")
OLDEST = (3, 11)
SECONDS_FOR_AN_ANSWER = "15"


def main(extras: str) -> int:
    """Install, and return the exit status."""
    if sys.version_info < OLDEST:
        say("Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")
        return 1
    started = time.monotonic()
    say(f"Creating {VENV.name} and installing this package with {extras}: under a minute, or two without uv.")
    if not run(sys.executable, "-m", "venv", str(VENV)):
        return 1
    project = ("--editable", f".[{extras}]")
    if not (with_uv(project) or run(*PIP, "install", "--progress-bar", "off", *PINNED, *project)):
        return 1
    say(f"Installed in {time.monotonic() - started:.0f} s.")
    return 0


def with_uv(project: tuple[str, ...]) -> bool:
    """Install with uv, and return whether that worked."""
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
    if "PIP_INDEX_URL" in os.environ:
        ours["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    return {**ours, **os.environ}


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
