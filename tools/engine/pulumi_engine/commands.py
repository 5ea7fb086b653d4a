"""Runs a long command, passes on its output line by line, and leaves none of its processes behind."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TICK = 1.0  # seconds between two updates of the progress while the command prints nothing


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    heard: Callable[[str | None], None],
) -> int:
    """Run `command`; its exit status. Each line it writes goes to `heard`, and None after a second of silence."""
    with contextlib.ExitStack() as left_behind:
        with _put_off():
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,  # so that its own children can be ended with it
            )
            left_behind.enter_context(process)
            left_behind.callback(_end, process)
        for line in _lines(process.stdout):
            heard(line)
        return process.wait()


@contextlib.contextmanager
def _put_off() -> Iterator[None]:
    """Defer signals: an exception while a process starts would leave it without an owner."""
    came: list[int] = []
    before = {ending: signal.signal(ending, lambda number, _: came.append(number)) for ending in ENDINGS}
    try:
        yield
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
        for number in came:
            signal.raise_signal(number)


def _lines(stream: IO[str] | None) -> Iterator[str | None]:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(stream, lines), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=TICK)
        except queue.Empty:
            yield None
        else:
            if not line:
                return
            yield line.rstrip("\n")


def _read(stream: IO[str], lines: queue.SimpleQueue[str]) -> None:
    with contextlib.suppress(ValueError):  # the stream was closed because the command was ended
        for line in stream:
            lines.put(line)
    lines.put("")


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its output is discarded
        process.wait()
