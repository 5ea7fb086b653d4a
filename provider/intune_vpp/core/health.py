"""Warnings about a token that will soon stop working, or has stopped."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import unquote

from intune_vpp.core import times
from intune_vpp.core.enums import SyncStatus, TokenState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.vpp_token import VppTokenState

_DOWNLOAD = re.compile(r"sToken[ _+-]for[ _+-](?P<location>.+)", re.IGNORECASE | re.DOTALL)
"""Apple's name of the file, with whatever a saved copy has around it."""

_SAVED = (
    r"\.(?:vpptoken|txt|download|crdownload|part|bak|old|tmp)"  # endings, also of downloads and editors
    r"|\s*[(\[]\d+[)\]]|~\d+"  # the number of a second download
    r"|[ _-]+(?:copy|kopie|copie|copia|kopia|kopi)"  # copies on a Mac, and on Windows in some languages
    r"|[\s._~-]+"
)
_COPIED = re.compile(rf"(?:{_SAVED}|[ _-]+copy \d+)$", re.IGNORECASE)
"""What saving a file adds to the end of its name."""

_COPIED_OR_NUMBERED = re.compile(rf"(?:{_SAVED}|[ _-]+\d+)$", re.IGNORECASE)
"""The same in smaller steps, or a number or a date, all of which may also belong to the name of the location."""

LONGEST_SYNC = timedelta(days=1)
"""The age from which on a running sync is reported as hanging: Intune syncs each token at least once a day."""

CURES: Mapping[str, str] = {
    TokenState.EXPIRED: "Its apps are no longer installed or updated. Renew it with a new content token from Apple.",
    TokenState.INVALID: (
        "Apple no longer accepts it: usually its Managed Apple Account has a new password or was disabled. Download "
        "the content token again and renew it."
    ),
    TokenState.ASSIGNED_TO_EXTERNAL_MDM: (
        "Another MDM manages this location. Claim it (claimTokenManagementFromExternalMdm: true, together with the "
        "token file), or remove it there."
    ),
    TokenState.DUPLICATE_LOCATION_ID: (
        "Another token of this tenant is for the same location, and Intune syncs only one of them. Keep the one whose "
        "apps are assigned, and delete the other."
    ),
}
"""The states in which Intune does not sync a token, each with what to do."""


class Claim(Enum):
    """How far a location was claimed from another MDM (`claimTokenManagementFromExternalMdm`), and what to do then."""

    NOT_ASKED = CURES[TokenState.ASSIGNED_TO_EXTERNAL_MDM]
    WITHOUT_FILE = "Another MDM manages this location, and claiming it needs the token file as well: pass it in token."
    LATER = "Another MDM manages this location; the next update claims it."
    PLANNED = None
    """This update claims it, which the note about the plan says."""
    SENT = (
        "Another MDM still manages this location, although the claim was sent. Remove it there, or see whether Intune "
        "grants the claim later."
    )


def cure(state: str | None, claim: Claim = Claim.NOT_ASKED) -> str | None:
    """Return what to do about a state in which Intune does not sync a token; None for another one, or for nothing."""
    return claim.value if state == TokenState.ASSIGNED_TO_EXTERNAL_MDM else CURES.get(state or "")


def expiry(subject: str, expiration: str | None, warning_days: int, now: datetime) -> str | None:
    """Return the warning that `subject` has expired or will expire within `warning_days`, None before that."""
    instant = times.parse(expiration)
    if instant is None:
        return None
    days = math.floor((instant - now).total_seconds() / 86400)
    if instant <= now:
        return f"{subject} {times.expired(expiration, now)}. Renew it with a new content token from Apple."
    if days >= warning_days:
        return None
    left = "within a day" if days == 0 else f"in {days} day{'s' if days > 1 else ''}"
    cure = "Download a new content token from Apple and renew it before then."
    return f"{subject} expires {left}, on {times.day(expiration)}. {cure}"


def warnings(
    state: VppTokenState,
    *,
    warning_days: int,
    now: datetime,
    just_read: bool = False,
    claim: Claim = Claim.NOT_ASKED,
) -> tuple[str, ...]:
    """Return the warnings about the last observed state; each names the token and the date of the observation.

    `just_read` omits duplicates, because a read reports them in more detail. `claim` is that of the program.
    """
    observed = state.observed
    seen = _seen(state)
    found = []
    if (what_to_do := cure(observed.state, claim)) is not None:
        found.append(f"{observed.label} is {observed.state} in Intune{seen}. {what_to_do}")
    if state.duplicate_token_ids and not just_read:
        others = ", ".join(state.duplicate_token_ids)
        found.append(
            f"{observed.label} has a duplicate in the tenant{seen}: token {others}. "
            "Refresh the stack to see which one to keep."
        )
    # The warning about the state of an expired token already says so.
    if observed.state != TokenState.EXPIRED:
        found.append(expiry(observed.label, observed.expiration_date_time, warning_days, now) or "")
    found.append(_hanging_sync(state, now) or "")
    if observed.last_sync_status == SyncStatus.FAILED:
        when = f" on {times.day(observed.last_sync_date_time)}" if observed.last_sync_date_time else ""
        what = f"The last licence sync of {observed.label} failed{when}{seen}"
        found.append(f"{what}: new licences do not appear until one succeeds.")
    return tuple(sentence for sentence in found if sentence)


def _hanging_sync(state: VppTokenState, now: datetime) -> str | None:
    """Return the warning that a sync was running for more than a day when the token was observed."""
    observed = state.observed
    # The start of a sync moves `lastModifiedDateTime`, as any write does: the sync is at least that old.
    since = times.parse(observed.last_modified_date_time)
    if observed.last_sync_status != SyncStatus.IN_PROGRESS or since is None:
        return None
    if (times.parse(state.observed_at) or now) - since <= LONGEST_SYNC:
        return None
    what = f"The licence sync of {observed.label} has been inProgress since {times.text(since)}{_seen(state)}"
    return f"{what}: it probably hangs. Sync the token again, by a LicenseSync or in the Intune admin centre."


def _seen(state: VppTokenState) -> str:
    return f" (seen {times.day(state.observed_at)})" if state.observed_at else ""


def misnamed_file(file: SToken, location_name: str | None, label: str) -> str | None:
    """Return the warning that a file is named after another location (`sToken_for_<location>`) than its token's.

    `label` is that of the token. A saved copy of the right file has no warning.
    """
    if not file.file_name or not location_name:
        return None
    download = _DOWNLOAD.search(_plain(file.file_name))
    if download is None:
        return None
    named = _stripped(download["location"], _COPIED)
    possible = _stripped(download["location"], _COPIED_OR_NUMBERED)
    if _letters(location_name) in map(_letters, possible):
        return None
    return (
        f'The token file of {label} is named after "{named[-1]}", but the token in Intune is for '
        f'"{location_name}". Check that it is the right file.'
    )


def _stripped(name: str, ending: re.Pattern[str]) -> list[str]:
    """Return a name, and what remains of it each time that an ending is removed; the last one has no more."""
    names = [name]
    while (shorter := ending.sub("", names[-1])) not in {"", names[-1]}:
        names.append(shorter)
    return names


def _plain(name: str) -> str:
    """Return a name as it is read: an address's `%20` as a blank, letters composed, without invisible characters."""
    # Twice, because a name may be encoded again on its way.
    composed = unicodedata.normalize("NFKC", unquote(unquote(name)))
    return "".join(character for character in composed if unicodedata.category(character) != "Cf")


def _letters(name: str) -> str:
    """Return the letters and digits of a name in a form in which case and accents do not count."""
    # Folding alone would tell a dotless i from the I that capitals make of it.
    decomposed = unicodedata.normalize("NFKD", _plain(name).upper().casefold())
    return "".join(character for character in decomposed if character.isalnum())
