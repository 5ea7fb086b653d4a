"""What this run knows of tokens: whose one is, which must not be deleted, what a person calls it, who revokes.

The engine runs the old and the new half of a rename or a forced replacement in one process, in either order, and may
leave the old half to a later run. The new half takes the token over; the old half must leave it alone.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from intune_vpp.core.model import VppTokenArgs, VppTokenState
    from intune_vpp.core.ports import Ledger


class RollCall:
    """Ids of tokens by what happened to them in this process."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._files: dict[str, str | None] = {}
        self._arrived: set[str] = set()
        self._given: dict[str, str | None] = {}
        self._planned: dict[tuple[str, VppTokenArgs], VppTokenState] = {}
        self._labels: dict[str, str] = {}
        self._wished: set[str] = set()
        self._revoked_by: dict[str, str] = {}

    def wish(self, token_id: str) -> None:
        """The program of this run names the token in `adoptTokenId`."""
        with self._lock:
            self._wished.add(token_id.lower())

    def is_wished(self, token_id: str) -> bool:
        """Whether it does."""
        with self._lock:
            return token_id.lower() in self._wished

    def name(self, token_id: str, label: str) -> None:
        """A person would call this token so."""
        with self._lock:
            self._labels[token_id.lower()] = label

    def words_for(self, token_id: str) -> str:
        """The token in words: by what a person would call it, where this run knows that, and by its id."""
        with self._lock:
            label = self._labels.get(token_id.lower())
        return f"{label} (token {token_id})" if label else f"token {token_id}"

    def claim_revocation(self, token_id: str, resource: str) -> str:
        """The resource of this run that was the first to revoke the licences of a token: this one, or another one."""
        with self._lock:
            if self._ledger is not None and token_id not in self._revoked_by:
                self._revoked_by[token_id] = self._ledger.claim(f"revocation-{token_id}", resource)
            return self._revoked_by.setdefault(token_id, resource)

    def meet(self, token_id: str, fingerprint: str | None) -> None:
        """A resource that was there before has this token, with this file."""
        with self._lock:
            self._files[token_id] = fingerprint

    def plan(self, resource: str, state: VppTokenState, args: VppTokenArgs) -> None:
        """An update of this token to these inputs is due; where a creation with them comes instead, it replaces it."""
        with self._lock:
            self._planned[resource, replace(args, token_file=None)] = state

    def replaced_by(self, resource: str, args: VppTokenArgs) -> VppTokenState | None:
        """The token that the engine replaces by a creation with these inputs, told once."""
        with self._lock:
            return self._planned.pop((resource, replace(args, token_file=None)), None)

    def forget_plan(self, token_id: str) -> None:
        """The update that was due is made."""
        with self._lock:
            self._planned = {key: state for key, state in self._planned.items() if state.id != token_id}

    def arrive(self, token_id: str, fingerprint: str | None) -> None:
        """A resource has created or taken over this token."""
        with self._lock:
            if self._ledger is not None:
                self._ledger.note(token_id)
            self._files[token_id] = fingerprint
            self._arrived.add(token_id)
            if fingerprint is not None:
                self._given[fingerprint] = token_id

    def leave(self, token_id: str) -> None:
        """The token was deleted: its file is free again."""
        with self._lock:
            self._given.pop(self._files.pop(token_id, None) or "", None)
            if self._ledger is not None:
                self._ledger.strike(token_id)

    def met(self, token_id: str) -> bool:
        """Whether some resource of this run has the token."""
        with self._lock:
            return token_id in self._files

    def arrived(self, token_id: str) -> bool:
        """Whether a resource created it or took it over in this run, be it through another process."""
        with self._lock:
            return token_id in self._arrived or (self._ledger is not None and self._ledger.has(token_id))

    def claim_file(self, fingerprint: str, token_id: str | None) -> str | None:
        """Take a file for a token, None for one yet to be created; the words for who has it already, instead.

        A token that is there before may take a file that another one held, since two that were mixed up could not be
        put right otherwise; what another one was given in this very run, nobody may take.
        """
        with self._lock:
            if fingerprint in self._given:
                user = self._given[fingerprint]
                if token_id is None or user != token_id:
                    return f"token {user}" if user else "one that is just being created"
            elif token_id is None and (holder := self._holder_of(fingerprint)):
                return f"token {holder}"
            self._given[fingerprint] = token_id
            return None

    def give_file(self, fingerprint: str, token_id: str) -> None:
        """The file claimed for a token yet to be created is this one's, which was found."""
        with self._lock:
            self._given[fingerprint] = token_id

    def user_of(self, fingerprint: str) -> str | None:
        """The token that this run gave the file to."""
        with self._lock:
            return self._given.get(fingerprint)

    def free_file(self, fingerprint: str) -> None:
        """The creation failed: the file may be tried again."""
        with self._lock:
            self._given.pop(fingerprint, None)

    def _holder_of(self, fingerprint: str) -> str | None:
        return next((token_id for token_id, file in self._files.items() if file == fingerprint), None)
