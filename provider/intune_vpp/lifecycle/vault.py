"""The text behind each fingerprint, in the memory of this process only.

Check, Create and Update of one run happen in one process: what Check read, the other two send. Nothing here is ever
written anywhere.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from intune_vpp.core.errors import TokenFileError

if TYPE_CHECKING:
    from intune_vpp.core.stoken import SToken


class Vault:
    """Token files met in this process, by fingerprint."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, SToken] = {}

    def __repr__(self) -> str:
        return f"Vault({len(self._files)} files)"

    def keep(self, stoken: SToken) -> None:
        """Remember a file for the rest of the process."""
        with self._lock:
            self._files[stoken.fingerprint] = stoken

    def recall(self, fingerprint: str) -> SToken | None:
        """The file, None where this process has not met it."""
        with self._lock:
            return self._files.get(fingerprint)

    def require(self, fingerprint: object) -> SToken:
        """The file. Raises TokenFileError where this process has not met it."""
        found = self.recall(fingerprint) if isinstance(fingerprint, str) else None
        if found is None:
            msg = "The token file is needed now, but this process was not given it."
            raise TokenFileError(f"{msg} Run the update with the program and the file, not from the state alone.")
        return found
