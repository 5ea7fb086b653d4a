"""An engine that can be killed: a process that listens, and starts a provider as the real one does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENGINE = """
import subprocess, sys
from engine_room.engine import listening

with listening() as engine:
    child = subprocess.Popen([*sys.argv[1:], engine.address], stdout=subprocess.PIPE, text=True)
    print(child.stdout.readline().strip(), flush=True)
    child.wait()
"""
IN_A_SHELL = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
"""Before a command: a shell that stays between the engine and the provider, as in `pulumi-resource-pulumi-python`."""


@contextmanager
def engine_with(*command: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """An engine that has started a provider and prints its port; both, and what is between them, end with the block."""
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment, "PYTHONPATH": str(Path(__file__).parents[1])},
        start_new_session=True,
    ) as engine:
        try:
            yield engine
        finally:
            with suppress(ProcessLookupError):
                os.killpg(engine.pid, signal.SIGKILL)


def kill(engine: subprocess.Popen[str], *, seconds: float = 30) -> str:
    """Kill the engine alone; what was written to stderr until the last process that it started had ended.

    Raises TimeoutExpired where one of them goes on: each holds the engine's stderr open.
    """
    engine.kill()
    return engine.communicate(timeout=seconds)[1]
