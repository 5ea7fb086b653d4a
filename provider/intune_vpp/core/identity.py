"""Finds tokens of a tenant that were created from the same file, or are for the same location.

Graph never returns the file of a token, but it returns the file's organization and expiration, and Apple sets the
expiration to the second of the download, one year later. These two are the evidence. Display name and Apple ID are not,
because anybody can edit them.

Whether Intune keeps the expiration to the second is not documented. If it shifts it by a time zone or rounds it to the
minute, a token is still recognised (`shows_expiration`). If it rounds it to the hour or the day, that cannot be told
apart from another download of the same day: the provider then uploads a file once more rather than refuse it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from intune_vpp.core import times
from intune_vpp.core.enums import TokenState
from intune_vpp.core.resource_type import Compare, is_blank, same
from intune_vpp.core.vpp_token import VPP_TOKEN, VppToken, VppTokenArgs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from intune_vpp.core.stoken import SToken


LARGEST_SHIFT: Final = timedelta(days=1)
"""The most by which a shown expiration may differ from its file's: by a rounding to the day, or by a time zone."""

_LARGEST_OFFSET, _SMALLEST_OFFSET = timedelta(hours=14), timedelta(minutes=15)
"""Time zones are at most 14 hours from UTC, by a whole number of quarters of an hour."""


def shows_expiration(shown: str | None, expiration: str | None) -> bool:
    """Whether the expiration that Intune shows is that of a file: to the second, to the minute, or in a time zone.

    Two downloads of one day do not pass for each other, unless their seconds agree by chance: of two random times, one
    pair in 900 is a whole number of quarters of an hour apart.
    """
    apart = times.between(expiration, shown)
    if apart is None:
        return False
    # Cut or rounded: the minute in which the file expires, or the next one.
    to_the_minute = abs(apart) < timedelta(minutes=1) and times.is_whole_minute(shown)
    return to_the_minute or (abs(apart) <= _LARGEST_OFFSET and not apart % _SMALLEST_OFFSET)


def made_from(listed: Iterable[VppToken], file: SToken, args: VppTokenArgs) -> list[VppToken]:
    """Return the tokens that were created from this file; `args` may name the organization as Intune shows it.

    An expiration that is rounded or shifted is less evidence: it counts if no token has the exact one, and for tokens
    with the display name and the Apple ID of the program.
    """
    expiration = file.expiration_date_time
    found = [one for one in listed if one.organization_name in {file.organization_name, args.organization_name}]
    exact = [one for one in found if times.same_second(one.expiration_date_time, expiration)]
    return exact or [
        one
        for one in found
        if shows_expiration(one.expiration_date_time, expiration)
        and None not in {one.display_name, args.display_name}
        and has_labels(one, args)
    ]


def is_uncertain(listed: VppToken, file: SToken, args: VppTokenArgs) -> bool:
    """Whether a listing leaves blank whether a token was made from this file, or what an adoption would change.

    A GET may show what the listing leaves blank. No token is uncertain that shows another organization or expiration.
    """
    if listed.organization_name and listed.organization_name not in {file.organization_name, args.organization_name}:
        return False
    shown = listed.expiration_date_time
    if shown is not None and not shows_expiration(shown, file.expiration_date_time):
        return False
    managed = {
        prop.attribute
        for prop in VPP_TOKEN.members
        if prop.compare is not Compare.NEVER and getattr(args, prop.attribute) is not None
    }
    # v1.0 shows no location; a create on beta has the consent.
    located = {"location_name"} if args.data_sharing_consent_granted is not None else set()
    decisive = {"organization_name", "expiration_date_time", "apple_id"} | managed | located
    return any(is_blank(getattr(listed, attribute)) for attribute in decisive)


def has_labels(found: VppToken, args: VppTokenArgs) -> bool:
    """Whether a token has the display name and the Apple ID of the program.

    A label that the program or Intune leaves out is no difference (v1.0 returns no display name). But if Intune shows
    no organization, there is less evidence, and both labels must be present.
    """
    if found.organization_name is None and None in {found.display_name, args.display_name, found.apple_id}:
        return False
    return not has_other_labels(found, args)


def has_other_labels(found: VppToken, args: VppTokenArgs) -> bool:
    """Whether a token shows another display name or Apple ID than the program's."""
    return any(
        getattr(args, name) is not None
        and getattr(found, name) is not None
        and not same(VPP_TOKEN[name], getattr(found, name), getattr(args, name))
        for name in ("apple_id", "display_name")
    )


class SimilarTokens:
    """Finds the tokens that may be duplicates of one, without comparing it with all: a tenant has up to 3,000.

    The order is that of `tokens`.
    """

    def __init__(self, tokens: Iterable[VppToken]) -> None:
        self._tokens = tuple(tokens)
        self._by_second: dict[datetime | None, list[int]] = {}
        self._flagged = set[int]()
        for at, one in enumerate(self._tokens):
            self._by_second.setdefault(times.second(one.expiration_date_time), []).append(at)
            if one.state == TokenState.DUPLICATE_LOCATION_ID:
                self._flagged.add(at)

    def to(self, token: VppToken) -> list[VppToken]:
        """Return the tokens that expire in the same second or that Intune flags, or all if it flags this one."""
        if token.state == TokenState.DUPLICATE_LOCATION_ID:
            return list(self._tokens)
        found = self._flagged.union(self._by_second.get(times.second(token.expiration_date_time), ()))
        return [self._tokens[at] for at in sorted(found)]


def duplicates(token: VppToken, listed: Iterable[VppToken]) -> tuple[VppToken, ...]:
    """Return the other tokens that were created from the same file, or that Intune flags as duplicates of this one."""
    return tuple(one for one in listed if one.id.lower() != token.id.lower() and _is_duplicate(token, one))


def may_be_duplicate(token: VppToken, listed: VppToken) -> bool:
    """Whether a listing leaves blank whether another token is a duplicate of this one.

    The expiration, or Intune's flag, must speak for it: one organization may have many tokens.
    """
    evidence = (listed.organization_name, listed.expiration_date_time, listed.location_name)
    if None not in evidence or same_file(token, listed):
        return False
    if listed.organization_name not in {None, token.organization_name}:
        return False
    if listed.location_name is not None and listed.location_name != token.location_name:
        return False
    flagged = TokenState.DUPLICATE_LOCATION_ID in {token.state, listed.state}
    return flagged or times.same_second(token.expiration_date_time, listed.expiration_date_time)


def same_file(one: VppToken, other: VppToken) -> bool:
    """Whether two tokens were created from the same file; a location that only one of them shows is no difference."""
    locations = {one.location_name, other.location_name} - {None}
    return (
        one.organization_name is not None
        and one.organization_name == other.organization_name
        and len(locations) < len((one, other))
        and times.same_second(one.expiration_date_time, other.expiration_date_time)
    )


def ids_of_same_file(token: VppToken, others: Iterable[VppToken]) -> tuple[str, ...]:
    """Return the ids of the other tokens that were created from the same file as this one."""
    return tuple(one.id for one in others if same_file(token, one))


def _is_duplicate(one: VppToken, other: VppToken) -> bool:
    here, there = (one.organization_name, one.location_name), (other.organization_name, other.location_name)
    flagged = TokenState.DUPLICATE_LOCATION_ID in {one.state, other.state}
    return same_file(one, other) or (flagged and one.location_name is not None and here == there)


def described(token: VppToken) -> str:
    """Return a token's id, display name and Apple ID, for a message that asks the user to choose."""
    known = [
        f'"{token.display_name}"' if token.display_name else "",
        f"Apple ID {token.apple_id}" if token.apple_id else "",
    ]
    known = [one for one in known if one]
    return f"{token.id} ({', '.join(known)})" if known else token.id


def advice(token: VppToken, others: Collection[VppToken]) -> str:
    """Return the message about duplicates: which tokens they are, and which one to keep.

    Every run must choose the same one: otherwise two concurrent runs would advise deleting both.
    """
    kept = min((token, *others), key=_rank)
    why = ", which was synced first," if times.parse(kept.last_sync_date_time) else ""
    listed = " and ".join(described(one) for one in others)
    what = (
        f"Token {described(token)} has a duplicate in this tenant: {listed}. Intune syncs only one token per location."
    )
    cure = f"Keep {kept.id}{why} and delete the other one once no app assignment needs it"
    # Two swapped files make two tokens of one location while only one of them is put right.
    return f"{what} {cure}; or, if one of them has the file of another location, renew that one with its own file."


def _rank(token: VppToken) -> tuple[bool, bool, str, str]:
    """Sort key: the token to keep comes first. Intune syncs that one, so its apps are probably the assigned ones."""
    synced = times.parse(token.last_sync_date_time)
    return (
        token.state == TokenState.DUPLICATE_LOCATION_ID,
        synced is None,
        synced.isoformat() if synced else "",
        token.id.lower(),
    )
