"""Which resource of this run manages which token, and which token has which file.

The engine runs the old and the new half of a rename or of a forced replacement in one process, in either order, and may
leave the old half to a later run. The new half adopts the token; the old half must then not delete it. A resource that
moves to another provider in the same step has another process: there an alias or `deletionProtection` keeps the token.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intune_vpp.core.vpp_token import VppTokenArgs, VppTokenState


class Ownership:
    """The tokens and files of the resources in one run. Token ids are not case-sensitive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file_of: dict[str, str | None] = {}
        self._new: set[str] = set()
        self._reserved: set[str] = set()
        self._assigned: dict[str, str | None] = {}
        self._users: dict[tuple[str, str], str] = {}
        self._updates: dict[str, dict[tuple[str, VppTokenArgs], VppTokenState]] = {}
        self._labels: dict[str, str] = {}

    # Tokens.

    def register(self, token_id: str, fingerprint: str | None, *, new: bool = False) -> None:
        """Record that a resource manages a token with this file; `new`: it created or adopted it in this run."""
        with self._lock:
            self._file_of[token_id.lower()] = fingerprint
            if new:
                self._new.add(token_id.lower())
                if fingerprint is not None:
                    self._assigned[fingerprint] = token_id

    def reserve(self, token_id: str) -> None:
        """Record that the program names a token in `adoptTokenId`."""
        with self._lock:
            self._reserved.add(token_id.lower())

    def is_managed(self, token_id: str) -> bool:
        """Whether a resource of this run manages the token."""
        with self._lock:
            return token_id.lower() in self._file_of

    def is_new(self, token_id: str) -> bool:
        """Whether a resource created or adopted the token in this run."""
        with self._lock:
            return token_id.lower() in self._new

    def keeps(self, token_id: str, fingerprint: str | None) -> bool:
        """Whether the old half of a rename or replacement must not delete the token.

        `fingerprint` is that of the token's file, None if the program of this run does not use that file. If it does,
        a resource of the program manages the token or will, unless the file was assigned to another token.
        """
        with self._lock:
            key = token_id.lower()
            if key in self._reserved or key in self._new or key in self._file_of:
                return True
            return fingerprint is not None and self._assigned.get(fingerprint) in {None, token_id}

    # Files.

    def reserve_file(self, fingerprint: str, token_id: str | None) -> str | None:
        """Reserve a file for a token, None for a new one. Returns None, or words for the token that already has it.

        A token that existed before may get the file of another one, so that two swapped files can be
        corrected; but not a file that this run has already assigned to another one.
        """
        with self._lock:
            if fingerprint in self._assigned:
                owner = self._assigned[fingerprint]
                if token_id is None or owner != token_id:
                    return f"token {owner}" if owner else "a token that is being created"
            elif token_id is None:
                owner = next((one for one, file in self._file_of.items() if file == fingerprint), None)
                if owner is not None:
                    return f"token {owner}"
            self._assigned[fingerprint] = token_id
            return None

    def assign_file(self, fingerprint: str, token_id: str) -> None:
        """Record which token a reserved file belongs to."""
        with self._lock:
            self._assigned[fingerprint] = token_id

    def release_file(self, fingerprint: str) -> None:
        """Record that the create failed: the file may be used again."""
        with self._lock:
            self._assigned.pop(fingerprint, None)

    # Resources and files.

    def first_user(self, kind: str, key: str, user: str) -> str:
        """The first resource or file of this run that uses something (`kind` and `key`): this one, or another one."""
        with self._lock:
            return self._users.setdefault((kind, key), user)

    def expect_update(self, resource: str, state: VppTokenState, args: VppTokenArgs) -> None:
        """Record a planned update.

        If the engine calls Create with the same inputs instead, it is replacing this token (`take_replaced`).
        """
        with self._lock:
            # A state may have one token twice.
            self._updates.setdefault(state.id, {})[resource, replace(args, token_file=None)] = state

    def take_replaced(self, resource: str, args: VppTokenArgs) -> VppTokenState | None:
        """Return the token that the engine replaces by a create with these inputs, once; else None."""
        created = resource, replace(args, token_file=None)
        with self._lock:
            planned = next((one for one in self._updates.values() if created in one), {})
            return planned.pop(created, None)

    def forget_update(self, token_id: str) -> None:
        """Record that the expected update of a token has been made."""
        with self._lock:
            self._updates.pop(token_id, None)

    # Labels.

    def set_label(self, token_id: str, label: str) -> None:
        """Record the name of a token for messages, such as its display name."""
        with self._lock:
            self._labels[token_id.lower()] = label

    def describe(self, token_id: str) -> str:
        """Return the token for a message: its label if this run knows it, and its id."""
        with self._lock:
            label = self._labels.get(token_id.lower())
        return f"{label} (token {token_id})" if label else f"token {token_id}"
