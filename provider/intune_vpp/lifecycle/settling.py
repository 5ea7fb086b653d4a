"""What follows a write that worked: the licence sync where it is due, a look at the location, and the new state.

Whatever happens here, the write stays known: a failure comes back beside the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from intune_vpp.core import drift, identity, sync, times
from intune_vpp.core.diff import is_misplaced
from intune_vpp.core.enums import TokenState
from intune_vpp.core.errors import DuplicateToken, GraphError, IntuneVppError, WaitInterrupted, WrongLocation
from intune_vpp.core.model import TokenFile, VppToken, VppTokenArgs, VppTokenState
from intune_vpp.core.waiting import TIME_ALLOWED, Ended

if TYPE_CHECKING:
    from datetime import timedelta

    from intune_vpp.core.ports import Clock, Voice
    from intune_vpp.lifecycle.listing import TokenListing
    from intune_vpp.lifecycle.syncing import Syncing


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state after a write that happened, and what went wrong after it."""

    state: VppTokenState
    failure: IntuneVppError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A token just written.

    `before` is its state until now, None for a new token; `file_sent` says that its file was sent, `arrives` that it
    came under management just now, `syncs` that a sync is due; `patience` is how long that may be waited for.
    """

    observed: VppToken
    args: VppTokenArgs
    token_file: TokenFile | None
    before: VppTokenState | None = None
    file_sent: bool = False
    arrives: bool = False
    syncs: bool = False
    patience: timedelta = TIME_ALLOWED


class Settling:
    """Brings written tokens to rest."""

    def __init__(self, *, syncing: Syncing, listing: TokenListing, voice: Voice, clock: Clock) -> None:
        self._syncing = syncing
        self._listing = listing
        self._voice = voice
        self._clock = clock

    def settle(self, written: Written, tenant_id: str) -> Outcome:
        """Sync where due, look at the location, and make the state: whatever happens here, the write stays known."""
        observed, before = written.observed, written.before
        pending = before is not None and before.sync_pending
        listed = self._listing.begun
        failure: IntuneVppError | None = None
        if written.syncs:
            observed, ended = self._sync(written)
            failure = ended.failure
            if ended.warning:
                self._voice.warn(ended.warning)
            pending = failure is not None
        failure = self._wrong_location(observed, written) or failure
        # The listing that the wait has polled shows whether another run has uploaded the same file meanwhile.
        found = self._listing.duplicates(observed, after=listed, suspected=False)
        duplicates = before.duplicate_token_ids if before else ()
        if found is not None:
            duplicates = tuple(one.id for one in found if identity.same_file(observed, one))
        if found:
            advice = identity.advice(observed, found)
            # A file that two runs upload at once; or a location that Intune does not sync for another token's sake.
            if (before is None and duplicates) or (failure and observed.state == TokenState.DUPLICATE_LOCATION_ID):
                failure = DuplicateToken(advice)
            else:
                self._voice.warn(advice)
        state = VppTokenState(
            observed=observed,
            tenant_id=tenant_id,
            inputs=written.args,
            observed_at=times.text(self._clock.now()),
            token_file=drift.as_judged(written.token_file, observed),
            sync_pending=pending,
            duplicate_token_ids=duplicates,
            look_for_duplicates=found is None and (before is None or before.look_for_duplicates),
        )
        return Outcome(state, failure)

    def _sync(self, written: Written) -> tuple[VppToken, Ended]:
        watch = sync.Watch(
            started_at=self._clock.now(),
            allowed=written.patience,
            stale_state=written.before.observed.state if written.before else None,
            expects=written.token_file.expiration_date_time if written.file_sent and written.token_file else None,
        )
        try:
            started = self._syncing.start(written.observed)
        except (GraphError, WaitInterrupted) as error:
            return written.observed, Ended(error)
        return self._syncing.follow(watch, written.observed, started)

    def _wrong_location(self, observed: VppToken, written: Written) -> WrongLocation | None:
        fresh = written.arrives or written.file_sent
        if fresh and observed.location_name is None and written.args.expected_location_name is not None:
            expected = written.args.expected_location_name
            self._voice.warn(f'Intune does not name the location of {observed.label} yet; expected is "{expected}".')
        return wrong_location(observed, written.args)


_RENEW = "Download the content token of the expected location from Apple and renew with it, or correct"


def wrong_location(observed: VppToken, args: VppTokenArgs, cure: str = _RENEW) -> WrongLocation | None:
    """The error for a token of another location than the program expects; None where all is well, or not known yet."""
    if not is_misplaced(observed, args):
        return None
    expected = args.expected_location_name
    msg = f'Token {observed.id} is for the location "{observed.location_name}", expected was "{expected}".'
    return WrongLocation(f"{msg} {cure} expectedLocationName.")
