"""A note on what to clean up by hand, kept in a file while the tenant is otherwise than the kit has found it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "CLEAN-UP.txt"
_HEAD: Final = (
    "The run of the live kit has not ended, or could not undo everything. Do by hand in the Intune admin centre\n"
    "(Tenant administration > Connectors and tokens > Apple VPP tokens):\n\n"
)
_FOOT: Final = "\nThis file names ids and values of your tenant. Do not send it with the findings.\n"


class CleanUp:
    """The note: a line for each thing to do, by a key. The file exists only while there is something to do.

    A line is written before the request that makes it necessary, so that a killed run leaves it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lines: dict[str, str] = {}

    def __bool__(self) -> bool:
        """Whether there is something to do."""
        return bool(self._lines)

    @property
    def keys(self) -> list[str]:
        """The keys of what there is to do."""
        return list(self._lines)

    def add(self, key: str, line: str) -> None:
        """Note what to do."""
        self._lines[key] = line
        self._write()

    def done(self, key: str) -> None:
        """Remove the line of a key; what was not noted is no error."""
        self._lines.pop(key, None)
        self._write()

    def _write(self) -> None:
        if not self._lines:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = _HEAD + "".join(f"- {line}\n" for line in self._lines.values()) + _FOOT
        # By rename, so that a kill leaves the old note or the new one.
        draft = self.path.with_suffix(".tmp")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.path)
