"""The revocation of a token's licences, which takes time, and the result that Graph shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .clock import to_the_tick
from .members import SOUND, State
from .refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

_TYPE: Final = "#microsoft.graph.vppTokenRevokeLicensesActionResult"
_RUNNING: Final = frozenset({"pending", "active"})
_DONE: Final = {"actionState": "done", "actionFailureReason": "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A revocation that was started. `result` is the final one; with `pending` or `active` in it, it never ends."""

    started: datetime
    ends: datetime
    result: Mapping[str, Any]

    @classmethod
    def starting(cls, now: datetime, duration: timedelta, licenses: int, end: Mapping[str, Any]) -> Revocation:
        """One of that many licences. `end` has members of its final result; the others are computed."""
        ends = now + duration
        members = {
            **_DONE,
            "@odata.type": _TYPE,
            "actionName": "revokeLicenses",  # a guess: action-name
            "lastUpdatedDateTime": to_the_tick(ends),
            "startDateTime": to_the_tick(now),
            "totalLicensesCount": licenses,
            **end,
        }
        # a guess: revoked-in-part
        failed = 0 if members["actionState"] == "done" else members["totalLicensesCount"]
        return cls(started=now, ends=ends, result=dict(sorted({"failedLicensesCount": failed, **members}.items())))

    @property
    def freed(self) -> int:
        """How many licences it frees at its end."""
        return max(int(self.result["totalLicensesCount"]) - int(self.result["failedLicensesCount"]), 0)

    def is_over_at(self, when: datetime) -> bool:
        """Whether it has ended by that time."""
        return self.ends <= when and self.result["actionState"] not in _RUNNING

    def shown_at(self, when: datetime) -> dict[str, Any]:
        """What Graph shows of it while it runs."""
        # a guess: action-stages
        turns = self.started + (self.ends - self.started) / 2
        is_active = turns <= when and self.result["actionState"] != "pending"
        return {
            **self.result,
            "actionFailureReason": "none",
            "actionState": "active" if is_active else "pending",
            "failedLicensesCount": 0,
            "lastUpdatedDateTime": to_the_tick(turns if is_active else self.started),
        }


def end_by_state(state: str) -> dict[str, Any]:
    """Members of the final result for a token in that state."""
    if state in SOUND | {State.DUPLICATE_LOCATION_ID}:  # only its syncs stop (Intune's documentation)
        return _DONE
    # a guess: revoke-unsound
    reason = "expiredVppToken" if state == State.EXPIRED else "appleFailure"
    return {"actionState": "failed", "actionFailureReason": reason}


def check_parameters(body: Mapping[str, Any]) -> None:
    """Whether revokeLicenses takes this body; raises GatewayRefusal as OData does."""
    # a guess: revoke-parameters, a guess: revoke-flags
    for name in body:
        if name not in {"notifyManagedDevices", "revokeUntrackedLicenses"}:
            raise bad_request(f"The parameter '{name}' is not a valid parameter for the operation 'revokeLicenses'.")
    _check_boolean("notifyManagedDevices", body.get("notifyManagedDevices"))
    if body.get("revokeUntrackedLicenses") is not None:
        _check_boolean("revokeUntrackedLicenses", body["revokeUntrackedLicenses"])


def _check_boolean(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise bad_request(f"Cannot convert the value of the parameter '{name}' to the expected type 'Edm.Boolean'.")
