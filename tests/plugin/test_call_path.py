"""The path of a call through the provider: its own functions, their files, and the changes from file to file.

`.venv/bin/pytest tests/plugin/test_call_path.py -s` prints the figures.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import intune_vpp
from builders import Record, fresh_vpptoken
from plugin.door import inputs, plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    import pytest

    from plugin.conftest import Open

PROVIDER = f"{Path(intune_vpp.__file__).parent}{os.sep}"
MOST_FILES = 50
"""More than the longest path has today (45), so that a room that all calls begin to pass is noticed."""


@dataclass
class CallPath:
    """The provider's functions that run while `call` does, on whatever thread."""

    functions: set[tuple[str, str]] = field(default_factory=set)
    changes: int = 0
    recording: bool = False
    _file: str = ""

    def profile(self, frame: FrameType, event: str, _argument: object) -> None:
        """What `threading.setprofile` calls for each function that is entered or left."""
        file, name = frame.f_code.co_filename, frame.f_code.co_qualname
        if self.recording and event in {"call", "return"} and file.startswith(PROVIDER) and "<" not in name:
            self.functions.add((file, name))
            self.changes += file != self._file
            self._file = file

    def of(self, call: Callable[[], Any]) -> tuple[Any, str]:
        """What a call returns, and its path in figures."""
        self.functions, self.changes, self.recording = set(), 0, True
        try:
            return call(), f"{len(self.functions)} functions, {len(self.files)} files, {self.changes} changes of file"
        finally:
            self.recording = False

    @property
    def files(self) -> set[str]:
        """The files of these functions."""
        return {file for file, _ in self.functions}


def test_the_path_of_a_write(start: Open, capsys: pytest.CaptureFixture[str]) -> None:
    """Each call stays within its number of files; whoever adds a detour notices it here."""
    path = CallPath()
    # Only threads that start from now on are profiled: those of the provider's server.
    threading.setprofile(path.profile)
    try:
        door, figures, files = start(), {}, []
        # The first request connects and signs in, which is no part of a call.
        door.call("getVppTokens")
        first, second = (
            inputs(fresh_vpptoken(days=200), waitForSync=True),
            inputs(fresh_vpptoken(days=300), waitForSync=True),
        )
        checked = door.good(first)
        answer, figures["Create"] = path.of(lambda: door.create(checked))
        files.append(len(path.files))
        kept = Record(answer.id, checked, plain(answer.properties))
        renewed = door.good(second, kept.inputs)
        _, figures["Update (renewal)"] = path.of(lambda: door.update(kept, renewed))
        files.append(len(path.files))
        revocation = door.about("LicenseRevocation")
        revoked = revocation.good({"vppTokenId": kept.id})
        _, figures["Create LicenseRevocation"] = path.of(lambda: revocation.create(revoked))
        files.append(len(path.files))
    finally:
        threading.setprofile(None)
    with capsys.disabled():
        for call, figure in figures.items():
            sys.stdout.write(f"\n{call}: {figure}")
    assert max(files) <= MOST_FILES
