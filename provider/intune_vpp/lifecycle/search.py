"""Looks for the token of a file: before its upload, and after an upload whose answer was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intune_vpp.core import identity
from intune_vpp.core.errors import AdoptionRefused, GraphError
from intune_vpp.core.token_encoding import is_unreadable

if TYPE_CHECKING:
    from intune_vpp.core.ports import Clock, Reporter
    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.vpp_token import VppToken, VppTokenArgs
    from intune_vpp.lifecycle.listing import Snapshot, TokenListing
    from intune_vpp.lifecycle.ownership import Ownership

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before each listing that looks for a token whose create was not answered."""

_NOTHING_CREATED = "Nothing was created."
_MAY_BE_CREATED = "The answer to the upload was lost, so this run may have created a token."


class TokenSearch:
    """Searches the listings of one process for tokens that no other resource of the run manages."""

    def __init__(self, listing: TokenListing, ownership: Ownership, reporter: Reporter, clock: Clock) -> None:
        self._listing = listing
        self._ownership = ownership
        self._reporter = reporter
        self._clock = clock

    def made_from(self, file: SToken, args: VppTokenArgs, *, created: str = _NOTHING_CREATED) -> VppToken | None:
        """Return the token that was created from this file, or None.

        Raises AdoptionRefused if there are several, or if it has another display name or Apple ID: somebody may have
        uploaded the file by hand, and a second token of one location would stop its sync. `created` is what the message
        says of this run. Raises GraphError.
        """

        def uncertain(listed: VppToken) -> bool:
            return not self._ownership.is_managed(listed.id) and identity.is_uncertain(listed, file, args)

        free = [one for one in self._listing.before_create(uncertain) if not self._ownership.is_managed(one.id)]
        made = identity.made_from(free, file, args)
        if len(made) > 1:
            listed = ", ".join(identity.described(one) for one in made)
            what = f"{len(made)} tokens of the tenant were created from this file: {listed}. {created}"
            raise AdoptionRefused(
                f"{what} Set adoptTokenId to the id of the right one, or delete the others in Intune."
            )
        if made and not identity.has_labels(made[0], args):
            what = "The tenant already has a token created from this file, with another display name or Apple ID"
            cure = f"{created} To manage that token, set adoptTokenId to {made[0].id}."
            raise AdoptionRefused(f"{what}: {identity.described(made[0])}. {cure}")
        return made[0] if made else None

    def lost(self, known: Snapshot | None, file: SToken, args: VppTokenArgs, error: GraphError) -> VppToken | None:
        """Return the token that an upload created before it failed with `error`, or None if it created none.

        `known` is a listing from before the upload. A listing may lag, so several are requested. Raises `error` if the
        time of the operation is over before that, or if the last listing fails, and AdoptionRefused if it cannot be
        told whether a token is the one.
        """
        what = f"The answer to the upload of {args.display_name or 'a token file'} was lost"
        self._reporter.info(f"{what}: looking for the token for up to {sum(PAUSES):g} seconds. {error}")
        unread: list[VppToken] = []
        listed = False
        for pause in PAUSES:
            # The token may exist, so the next listing, here or of the next create, must be a new one.
            self._listing.answer_lost()
            left = self._clock.time_left()
            if left is not None and left < pause:
                raise error
            self._clock.sleep(pause)
            try:
                made = self.made_from(file, args, created=_MAY_BE_CREATED)
            except GraphError:
                # The next listing may work; if it is the last one, it is not certain that the token does not exist.
                listed = False
                continue
            listed, unread = True, self._unread(known, file, args)
            if made is None and len(unread) == 1 and identity.has_labels(unread[0], args):
                made = unread[0]
            if made is not None:
                self._reporter.info(f"Token {made.id} ({made.label}) was created.")
                return made
        if not listed:
            raise error
        if unread:
            found = ", ".join(identity.described(one) for one in unread)
            raise AdoptionRefused(
                f"{what}, and Intune has listed new tokens since whose file it could not read: {found}. This run may "
                "have created one of them, so the file was not uploaded again. Set adoptTokenId to the id of that one, "
                "or delete it in Intune, before the next run."
            )
        return None

    def _unread(self, known: Snapshot | None, file: SToken, args: VppTokenArgs) -> list[VppToken]:
        """Return the tokens that the listing `known` lacks, and whose file Intune could not read.

        Without those that have another display name or Apple ID.
        """
        listed, before = self._listing.latest(0), known.tokens if known else {}
        return [
            one
            for key, one in (listed.tokens if listed else {}).items()
            if key not in before
            and not self._ownership.is_managed(one.id)
            and is_unreadable(one, file, None, may_lag=False)
            and not identity.has_other_labels(one, args)
        ]
