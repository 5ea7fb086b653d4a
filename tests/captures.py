"""Reads what was captured of Graph: public answers, which are files of JSON as they arrived, and recordings of `live`.

A recording is a document with the request, the status and the answer. The name of a public answer says what was asked:
`live-v1.0-list-vppTokens-2026-07-17.json`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC: Final = Path(__file__).parents[2] / "shared" / "graph" / "captures"
"""What was captured in public, where it lies beside the project."""

RECORDINGS: Final = Path(__file__).parent / "emulator" / "recordings"
"""The recordings that were sent back, a folder for each run."""

BEHAVIOR: Final = "behavior.json"
"""In a folder of recordings: the options with which the emulator behaves as that tenant."""

_LIST: Final = re.compile(r"live-(v1\.0|beta)-list-vppTokens-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One answer, and the request where it is known: `path` begins with the version and has the query."""

    name: str
    method: str = ""
    path: str = ""
    sent: Mapping[str, Any] | None = None
    headers_sent: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    answer: Any = None

    @property
    def replayable(self) -> bool:
        """Whether its request is known, and is one about vppTokens."""
        return bool(self.method) and "/deviceAppManagement/vppTokens" in self.path


def from_document(name: str, document: Any) -> Capture:
    """The capture in a document, which may be a recording or an answer alone."""
    if isinstance(document, dict) and document.keys() >= {"request", "status", "answer"}:
        asked = document["request"]
        return Capture(
            name=name,
            method=asked["method"],
            path=asked["path"],
            sent=asked["body"],
            headers_sent=asked["headers"],
            status=document["status"],
            answer=document["answer"],
        )
    listed = _LIST.match(name)
    if listed:
        path = f"/{listed[1]}/deviceAppManagement/vppTokens"
        return Capture(name=name, method="GET", path=path, answer=document)
    return Capture(name=name, answer=document)


def load(folder: Path) -> list[Capture]:
    """The captures in a folder, in the order of their names; none if there is no such folder."""
    paths = [path for path in sorted(folder.glob("*.json")) if path.name != BEHAVIOR]
    return [from_document(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in paths]


def runs() -> list[Path]:
    """The folders of the recordings that were sent back."""
    return sorted(path for path in RECORDINGS.glob("*") if path.is_dir())
