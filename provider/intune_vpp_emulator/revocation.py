"""The revocation of a token's licences: an action that takes time, and the result that Graph shows of it."""

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
_ON_THE_WAY: Final = frozenset({"pending", "active"})
_DONE: Final = {"actionState": "done", "actionFailureReason": "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One that was started. `result` is the one it ends with; with `pending` or `active` in that it never ends."""

    started: datetime
    ends: datetime
    result: Mapping[str, Any]

    @classmethod
    def starting(cls, now: datetime, duration: timedelta, licenses: int, end: Mapping[str, Any]) -> Revocation:
        """One of so many licences. `end` is the members that its result ends with; others are as they must be."""
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
        """How many licences it frees in the end."""
        return max(int(self.result["totalLicensesCount"]) - int(self.result["failedLicensesCount"]), 0)

    def is_over_at(self, when: datetime) -> bool:
        """Whether it has ended by then."""
        return self.ends <= when and self.result["actionState"] not in _ON_THE_WAY

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
    """What a revocation of a token in that state ends with."""
    if state in SOUND | {State.DUPLICATE_LOCATION_ID}:  # of that one only syncs stop, says Intune's documentation
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
