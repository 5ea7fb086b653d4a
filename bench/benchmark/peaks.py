"""Reads the peak memory of processes that others have started (Linux)."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTES_OF_A_KILOBYTE = 1024
_SECONDS_BETWEEN_LOOKS = 0.1
_PROCESSES = Path("/proc")


def megabytes_of(process: str | int) -> float:
    """Return the peak of the resident memory of a process so far, in MB. Raises OSError if it has ended."""
    lines = (_PROCESSES / str(process) / "status").read_text(encoding="ascii").splitlines()
    peak = next((line for line in lines if line.startswith("VmHWM:")), "VmHWM: 0")
    return int(peak.split()[1]) * _BYTES_OF_A_KILOBYTE / 1e6


class Watch:
    """The greatest peak of the processes that a program has had, in MB; 0 where there is no `/proc`."""

    def __init__(self, program: Path) -> None:
        self._program = str(program).encode()
        self.megabytes = 0.0

    def look(self) -> None:
        """Read the memory of the processes of the program that run now."""
        for process in _PROCESSES.glob("[0-9]*"):
            # A process may end meanwhile.
            with suppress(OSError):
                if self._program in (process / "cmdline").read_bytes():
                    self.megabytes = max(self.megabytes, megabytes_of(process.name))


@contextmanager
def watching(program: Path) -> Iterator[Watch]:
    """Watch the processes of a program in the `with` block."""
    watch, ended = Watch(program), threading.Event()

    def look() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            watch.look()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()
