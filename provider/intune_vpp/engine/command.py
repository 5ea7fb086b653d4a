"""What command of `pulumi` started this process, where the protocol does not tell."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

_SECONDS = 5.0


@cache
def stores_input_file() -> bool:
    """Whether the engine runs a `pulumi do` that stores its input file, unencrypted, in the state of the stack.

    False where the command line of the engine cannot be read, as on Windows.
    """
    arguments = _command_line(os.getppid())
    return "do" in arguments and not any(one.startswith("--stateless") for one in arguments)


def _command_line(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        # macOS has no /proc.
        return _listed(process)


def _listed(process: int) -> list[str]:
    command = ["ps", "-ww", "-o", "args=", "-p", str(process)]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603 - fixed
    except (OSError, subprocess.SubprocessError):
        return []
    return shown.stdout.split()
