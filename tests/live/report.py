"""The findings of a run: a line of JSON for each probe, and a table for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live.probe import Finding, Probe

LINES: Final = "findings.jsonl"
TABLE: Final = "findings.md"
_COLUMNS: Final = ("probe", "question", "finding", "detail", "possible findings", "decides")


class Report:
    """Writes each finding when it is made, so that a run that was interrupted has those until then.

    `recorded` returns the number of the recording that was written last.
    """

    def __init__(self, folder: Path, *, recorded: Callable[[], int], say: Callable[[str], None]) -> None:
        self._folder = folder
        self._recorded = recorded
        self._say = say
        self._rows: list[tuple[str, ...]] = []
        self._number = 0
        self.findings: dict[str, Finding] = {}

    def __call__(self, probe: Probe, finding: Finding) -> None:
        """Add the finding of a probe."""
        self.findings[probe.name] = finding
        self._folder.mkdir(parents=True, exist_ok=True)
        line = self._line(probe, finding)
        with (self._folder / LINES).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(line, ensure_ascii=False)}\n")
        possible = "; ".join(f"{name}: {words}" for name, words in probe.outcomes.items())
        self._rows.append((probe.name, probe.question, finding.outcome, finding.detail, possible, probe.decides))
        (self._folder / TABLE).write_text(self._table(), encoding="utf-8")
        self._say(f"{probe.name}: {finding.outcome}{f' ({finding.detail})' if finding.detail else ''}")

    def _line(self, probe: Probe, finding: Finding) -> dict[str, Any]:
        before, self._number = self._number, self._recorded()
        return {
            "probe": probe.name,
            "question": probe.question,
            "sends": probe.sends,
            "reach": probe.reach,
            "finding": finding.outcome,
            "detail": finding.detail,
            "outcomes": dict(probe.outcomes),
            "decides": probe.decides,
            "recordings": [before + 1, self._number] if self._number > before else [],
        }

    def _table(self) -> str:
        lines = ["# Findings of the live kit", "", _row(_COLUMNS), _row(("---",) * len(_COLUMNS))]
        return "\n".join([*lines, *map(_row, self._rows), ""])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
