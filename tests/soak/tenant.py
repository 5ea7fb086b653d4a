"""The tenant of the soak, and the checker of states that no tenant can have."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from intune_vpp_emulator.clock import moment
from intune_vpp_emulator.members import UNSYNCED, State, Version
from intune_vpp_emulator.tenant import Graph, Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from random import Random

    from intune_vpp_emulator.apple import ContentToken
    from intune_vpp_emulator.vpp_token import VppToken

_SYNC_STATUSES = {"none", "inProgress", "completed", "failed"}
_SLACK = timedelta(seconds=1)  # a modification follows its sync by some milliseconds


class SoakTenant(Tenant):
    """A tenant whose ids are drawn, so that a run can be repeated; `draws` and `created` are set after it was made."""

    draws: Random
    created: dict[str, datetime]
    """When each token was created."""
    revocations = 0
    """How many were started."""

    def _new(self, file: ContentToken) -> VppToken:
        made = super()._new(file)
        drawn = str(uuid.UUID(int=self.draws.getrandbits(128), version=4))
        self.created[drawn] = self.clock.now()
        return replace(made, id=drawn, members={**made.members, "id": drawn})

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Count it."""
        super().revoke_licenses(token_id, body)
        self.revocations += 1

    def shown(self) -> list[Graph]:
        """All tokens as they are now, whatever lags."""
        with self._lock:
            return [self._answer(one, Version.BETA) for one in self.tokens]


class Consistency:
    """Refuses what no tenant can show, and what cannot follow what it showed before."""

    def __init__(self) -> None:
        self._before: dict[str, Graph] = {}
        self._gone: set[str] = set()

    def problems(self, shown: Sequence[Graph], created: Mapping[str, datetime], now: datetime) -> list[str]:
        """What is impossible about these tokens, in a sentence each; `created` says when each was created."""
        found = [*_impossible_together(shown)]
        for token in shown:
            token_id = token["id"]
            found += [f"{token_id}: {what}" for what in _impossible(token, created[token_id], now)]
            found += [f"{token_id}: {what}" for what in self._impossible_after(token)]
        self._gone |= self._before.keys() - {token["id"] for token in shown}
        self._before = {token["id"]: token for token in shown}
        return found

    def _impossible_after(self, token: Graph) -> Iterator[str]:
        if token["id"] in self._gone:
            yield "It was deleted, and exists again."
        before = self._before.get(token["id"], token)
        for name in ("lastSyncDateTime", "lastModifiedDateTime"):
            if token[name] < before[name]:
                yield f"{name} went back."


def _impossible(token: Graph, created: datetime, now: datetime) -> list[str]:
    state, status, synced, modified = (
        token[name] for name in ("state", "lastSyncStatus", "lastSyncDateTime", "lastModifiedDateTime")
    )
    expires, latest = moment(token["expirationDateTime"]), max(moment(synced), moment(modified))
    rules = {
        f"The state {state} is unknown.": state not in set(State),
        f"The sync status {status} is unknown.": status not in _SYNC_STATUSES,
        "Graph shows its token file.": token["token"] is not None,
        "A sync has completed at no time.": status == "completed" and synced == UNSYNCED,
        "It was synced, and never was.": status == "none" and synced != UNSYNCED,
        "It was synced or modified in the future.": latest > now + _SLACK,
        "It was modified before it was created.": moment(modified) < created - _SLACK,
        "It expired before it was created.": expires <= created,
        "It is expired before its expiration.": state == State.EXPIRED and expires > now,
        "It has no organization or no location.": not (token["organizationName"] and token["locationName"]),
    }
    return [what for what, is_broken in rules.items() if is_broken]


def _impossible_together(shown: Sequence[Graph]) -> Iterator[str]:
    for name, count in Counter(token["id"].lower() for token in shown).items():
        if count > 1:
            yield f"{name}: {count} tokens have this id."
    places = Counter((token["organizationName"], token["locationName"]) for token in shown)
    valid = Counter(
        (token["organizationName"], token["locationName"]) for token in shown if token["state"] == State.VALID
    )
    for token in shown:
        if token["state"] == State.DUPLICATE_LOCATION_ID:
            place = (token["organizationName"], token["locationName"])
            if places[place] == 1:
                yield f"{token['id']}: It duplicates no token."
    for place, count in valid.items():
        if count > 1:
            yield f"{count} tokens of {place[1]} are valid, and none of them is a duplicate."
