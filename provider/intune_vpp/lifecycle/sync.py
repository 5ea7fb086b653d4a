"""Licence syncs, from their start to their end: `LicenseSync`, and the sync after a token was written."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from intune_vpp.core import sync
from intune_vpp.core.enums import SyncStatus
from intune_vpp.core.errors import NotFound, TokenGone
from intune_vpp.core.operations import LICENSE_SYNC
from intune_vpp.core.resource_type import camel_case
from intune_vpp.lifecycle.operations import OperationLifecycle, present, token_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from intune_vpp.core.outcome import Outcome, Outputs
    from intune_vpp.core.vpp_token import VppToken
    from intune_vpp.core.waiting import WaitResult

_SHOWN = ("state", "last_sync_status", "last_sync_date_time")


class LicenseSyncs(OperationLifecycle):
    """`syncLicenses`: started, or joined where a sync runs already, and followed to its end."""

    operation = LICENSE_SYNC

    def run(self, inputs: Mapping[str, Any], timeout: timedelta) -> Outcome[Outputs]:
        """Sync the licences of a token, and wait for the end unless `waitForSync` is false."""
        named = token_id(inputs)
        with self._on_token(inputs), self._alone_with(named, f"the licences of token {named} were synced") as before:
            observed, ended = self.start(before), None
        if inputs.get("waitForSync") is not False:
            watch = sync.Watch(started_at=self._clock.now(), allowed=timeout, stale_state=before.state)
            observed, ended = self.follow(watch, before, observed)
        pending = ended is not None and ended.failure is not None
        return self._result(before.id, inputs, {**_shown(observed), "syncPending": pending}, ended)

    def start(self, before: VppToken) -> VppToken:
        """The token at the start of its sync; one that runs already is joined. Raises GraphError and WaitInterrupted.

        `before` is the token as it is now, from Graph's own answer and not from a listing.
        """
        started = before
        if before.last_sync_status != SyncStatus.IN_PROGRESS:
            try:
                started = self._clock.unless_stopped(partial(self._tokens.sync_licenses, before.id))
            except NotFound as refusal:
                raise self._listing.explain(before.id, refusal) from None
        self._listing.written(before.id)
        return started

    def follow(self, watch: sync.Watch, before: VppToken, started: VppToken) -> tuple[VppToken, WaitResult]:
        """The token after its sync, and how that ended; `before` and `started` are those of `start`."""
        watch = replace(
            watch,
            last_sync=before.last_sync_date_time,
            stale_failure=before.last_sync_status == SyncStatus.FAILED,
        )
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
