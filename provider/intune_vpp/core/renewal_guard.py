"""The renewal guard: whether a token file may take the place of the file in Intune.

It refuses an older file and a file of another organization, but never a file that can repair a token: one that Apple
refuses, or one of another location than the program expects.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from intune_vpp.core import identity, times, token_diff
from intune_vpp.core.enums import TokenState
from intune_vpp.core.errors import RenewalRefused, TokenFileError
from intune_vpp.core.printable import look_alike
from intune_vpp.core.vpp_token import TokenFile

if TYPE_CHECKING:
    from datetime import datetime

    from intune_vpp.core.resource_type import Unknown
    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.vpp_token import VppTokenArgs

_GO_ON = "To continue without this token, pass its URN to --exclude."


def guard(
    file: SToken, *, olds: VppTokenArgs | None, args: VppTokenArgs, location: str | Unknown | None, now: datetime
) -> None:
    """Refuse a file that has expired, or is older or of another organization than the file in Intune.

    `olds` name the file in Intune; `location` is the one that Intune shows, UNKNOWN for a caller that is not told it.
    Raises TokenFileError for a file that expired before it was applied, RenewalRefused for the others.
    """
    applied = olds.token_file if olds and isinstance(olds.token_file, TokenFile) else None
    if applied and applied.fingerprint == file.fingerprint:
        # A file that was applied is never refused, not even after it has expired.
        return
    if applied and not applied.seen and _shows(applied, file):
        # This file was uploaded elsewhere and is already in Intune.
        return
    if file.expires_at <= now:
        msg = f"The token file {times.expired(file.expiration_date_time, now)} and was never applied."
        raise TokenFileError(f"{msg} Download a new content token from Apple. {_GO_ON}")
    if _may_be_misplaced(location, args):
        # Files of two locations cannot be compared. The update shows the location of this one, and is judged by it.
        applied = None
    _refuse_other_organization(file, applied, args)
    # Any file that still works may repair an invalid token, also an older one.
    if applied and applied.state != TokenState.INVALID:
        _refuse_older(file, applied)


def _may_be_misplaced(location: str | Unknown | None, args: VppTokenArgs) -> bool:
    """Whether the file in Intune may be of another location than the program expects."""
    expected = args.expected_location_name
    if expected is None or location is None:
        return False
    return not isinstance(expected, str) or not isinstance(location, str) or token_diff.is_other(location, expected)


def _shows(applied: TokenFile, file: SToken) -> bool:
    return identity.shows_expiration(applied.expiration_date_time, file.expiration_date_time)


def _refuse_older(file: SToken, applied: TokenFile) -> None:
    # Of a file that this provider has not read, it knows only what Intune shows, which may be rounded or shifted.
    tolerance = timedelta(0) if applied.seen else identity.LARGEST_SHIFT
    if not times.earlier(file.expiration_date_time, applied.expiration_date_time, by=tolerance):
        return
    there, here = times.day(applied.expiration_date_time), times.day(file.expiration_date_time)
    if there == here:
        # On the same day, only the times show which one is older.
        there, here = applied.expiration_date_time or there, file.expiration_date_time
    if applied.seen:
        what = (
            f"The token file expires on {here}, before the token in Intune ({there}). "
            "Refusing to replace a newer token with an older one."
        )
        cure = "Use the newer file, or download this location's content token again: a new download expires later."
    else:
        what = (
            f"This token was renewed elsewhere and expires on {there} in Intune; the token file here expires on {here}."
        )
        # A renewal from another account changes the Apple ID too: without it, the update would put the old one back.
        cure = (
            "Use the file that was uploaded, or a newer download. To leave renewals to others, ignore the changes of "
            "both token and appleId (ignoreChanges)."
        )
    raise RenewalRefused(f"{what} {cure} {_GO_ON}")


def _refuse_other_organization(file: SToken, applied: TokenFile | None, args: VppTokenArgs) -> None:
    """Compare with `organizationName` or, if the program leaves it out, with the file applied before."""
    # Check takes the blanks around an input away, so those in the file cannot count.
    found, wanted = file.organization_name.strip(), args.organization_name
    before = (applied.organization_name or "").strip() if applied else None
    if isinstance(wanted, str):
        if wanted.strip() == found:
            return
        what = f'The token file belongs to the organization "{found}", but organizationName is "{wanted}".'
        what += look_alike(found, wanted)
        cure = "Use this organization's file, or correct organizationName."
    elif wanted is None and before and before != found:
        what = f'The token file belongs to the organization "{found}", but the token in Intune belongs to "{before}".'
        what += look_alike(found, before)
        cure = "Use this organization's file; if it was renamed, set organizationName to its new name."
    else:
        return
    raise RenewalRefused(f"{what} {cure} {_GO_ON}")
