"""The texts of token files by their fingerprints, in the memory of this process only.

Check, Create and Update of one run happen in one process: Check reads a file, the other two send it. Nothing
here is written to disk.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from intune_vpp.core.errors import Cure, TokenFileError

if TYPE_CHECKING:
    from intune_vpp.core.stoken import SToken


class TokenFileCache:
    """The token files that Check has read in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, SToken] = {}

    def __repr__(self) -> str:
        return f"TokenFileCache({len(self._files)} files)"

    def put(self, file: SToken) -> None:
        """Store a file for the lifetime of the process."""
        with self._lock:
            self._files[file.fingerprint] = file

    def get(self, fingerprint: object) -> SToken | None:
        """Return the file with a fingerprint, None if this process has not read it."""
        with self._lock:
            return self._files.get(fingerprint) if isinstance(fingerprint, str) else None

    def require(self, fingerprint: object) -> SToken:
        """Return the file with a fingerprint. Raises TokenFileError if this process has not read it."""
        found = self.get(fingerprint)
        if found is None:
            msg = "This step needs the token file, but this run did not read it."
            raise TokenFileError(msg, cure=Cure.GIVE_FILE)
        return found
