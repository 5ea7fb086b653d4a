"""Licence syncs, from their start to their end: `LicenseSync`, and the sync after a token was written."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from intune_vpp.core import sync
from intune_vpp.core.enums import SyncStatus
from intune_vpp.core.errors import NotFound, TokenGone
from intune_vpp.core.operations import LICENSE_SYNC
from intune_vpp.core.resource_type import camel_case
from intune_vpp.core.sync import Watch
from intune_vpp.lifecycle.operations import OperationLifecycle, present, token_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from intune_vpp.core.outcome import Outcome, Outputs
    from intune_vpp.core.vpp_token import VppToken
    from intune_vpp.core.waiting import WaitResult

_SHOWN = ("state", "last_sync_status", "last_sync_date_time")


class LicenseSyncs(OperationLifecycle):
    """`syncLicenses`: started, or joined where a fresh sync runs already, and followed to its end."""

    operation = LICENSE_SYNC

    def _run(self, inputs: Mapping[str, Any], timeout: timedelta) -> Outcome[Outputs]:
        """Sync the licences of a token, and wait for the end unless `waitForSync` is false."""
        named = token_id(inputs)
        with self._on_token(inputs), self._alone_with(named, f"the licences of token {named} were synced") as before:
            observed, watch = self.begin(before, timeout, before=before)
            ended = None
        if inputs.get("waitForSync") is not False:
            observed, ended = self.follow(watch, observed)
        pending = ended is not None and ended.failure is not None
        return self._result(before.id, inputs, {**_shown(observed), "syncPending": pending}, ended)

    def begin(  # noqa: PLR0913 - what the watch has to know
        self,
        shown: VppToken,
        timeout: timedelta,
        *,
        before: VppToken | None,
        patched: bool = False,
        expects: str | None = None,
        claimed: bool = False,
    ) -> tuple[VppToken, Watch]:
        """Start a sync, or join one that runs; the token at its start, and the sync to follow.

        `shown` is the token as it is now: from a GET, from the answer to a write or, where nothing had to be sent, from
        the state. `before` is the token before that write, None for a new one. `patched` says that the write was a
        PATCH: then a sync is always started. `expects` is the expiration of the file that was sent; `claimed` says
        that the location was claimed from another MDM.
        Raises GraphError and WaitInterrupted.
        """
        started, now = shown, self._clock.now()
        if patched or not self._joins(shown, now, is_new=before is None):
            try:
                started = self._clock.unless_stopped(partial(self._tokens.sync_licenses, shown.id))
            except NotFound as refusal:
                raise self._listing.explain(shown.id, refusal) from None
        self._followed.add(shown.id.lower())
        self._listing.written(shown.id)
        watch = Watch(
            started_at=now,
            allowed=timeout,
            last_sync=shown.last_sync_date_time,
            stale_state=before.state if before else None,
            stale_failure=shown.last_sync_status == SyncStatus.FAILED,
            expects=expects,
            claimed=claimed,
            seen_running=sync.is_running(shown) or sync.is_running(started),
            running_since=sync.running_since(before, shown),
        )
        return started, watch

    def _joins(self, shown: VppToken, now: datetime, *, is_new: bool) -> bool:
        """Whether a sync runs that this run follows already, or a fresh one. Any other may hang, and is not joined."""
        if sync.is_running(shown) and shown.id.lower() in self._followed:
            return True
        # A write of this run to an older token has moved the date from which a sync counts as fresh.
        return (is_new or not self._listing.was_written(shown.id)) and sync.is_joinable(shown, now)

    def follow(self, watch: Watch, started: VppToken) -> tuple[VppToken, WaitResult]:
        """The token after its sync, and how that ended; `watch` and `started` are those of `begin`."""
        return self._waiting.wait(partial(sync.evaluate, watch), started, until=watch.started_at + watch.allowed)

    def read(self, operation_id: str, before: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The state and the last sync of the token as Graph shows them now; None if it was deleted."""
        self._require_tenant(operation_id, before)
        try:
            observed = self._listing.one(operation_id)
        except TokenGone:
            return None
        return present({**before, **_shown(observed)})


def _shown(observed: VppToken) -> dict[str, Any]:
    return {camel_case(name): getattr(observed, name) for name in _SHOWN}
