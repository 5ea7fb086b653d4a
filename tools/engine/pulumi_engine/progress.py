"""Reports progress: on a terminal in one line that is rewritten, elsewhere in a line at least every ten seconds."""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

EVERY = 8.0  # seconds between lines in a log, where each one stays; with a second for the next update, under ten
CLEAR_LINE = "\r\x1b[K"


@dataclass(slots=True)
class Progress:
    """The progress of a step that takes minutes; `stream` is stderr, since stdout has the result."""

    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    _started: float = field(init=False)
    _last: float = field(init=False)
    _line_open: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._started = self._last = self.clock()

    def say(self, sentence: str) -> None:
        """Write a permanent line."""
        self._write(f"{CLEAR_LINE if self._line_open else ''}{sentence}\n")
        self._line_open = False

    def say_how_long(self, sentence: str) -> None:
        """Write a permanent line with the time since the start."""
        self.say(f"{sentence}: it took {self.clock() - self._started:.0f} s.")

    def update(self, state: str) -> None:
        """Show the progress; callers may call this at any rate."""
        now = self.clock()
        line = f"  {state} ({now - self._started:.0f} s)"
        if self.stream.isatty():
            self._write(f"{CLEAR_LINE}{line[: shutil.get_terminal_size().columns - 1]}")
            self._line_open = True
        elif now - self._last >= EVERY:
            self._last = now
            self.say(line)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a closed terminal must not prevent the clean-up
            self.stream.write(text)
            self.stream.flush()
