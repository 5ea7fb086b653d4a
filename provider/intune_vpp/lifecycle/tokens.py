"""The stories of one vppToken: create, adopt, take over, read, update, delete.

A write that worked is never lost: what goes wrong after it comes back beside the new state, in `Outcome.failure`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from intune_vpp.core import drift, identity, times
from intune_vpp.core.enums import SyncStatus
from intune_vpp.core.errors import (
    AdoptionRefused,
    DeletionRefused,
    GraphError,
    NotFound,
    QueryRefused,
    RevocationFailed,
    RevocationTimedOut,
    SettingsError,
    TokenGone,
    WaitInterrupted,
)
from intune_vpp.core.model import VppToken, VppTokenArgs, VppTokenState
from intune_vpp.core.waiting import TIME_ALLOWED
from intune_vpp.lifecycle import tenancy
from intune_vpp.lifecycle.settling import wrong_location
from intune_vpp.lifecycle.writing import described

if TYPE_CHECKING:
    from datetime import timedelta

    from intune_vpp.core.errors import IntuneVppError
    from intune_vpp.core.ports import Clock, Voice, VppTokens
    from intune_vpp.core.stoken import SToken
    from intune_vpp.lifecycle.listing import TokenListing
    from intune_vpp.lifecycle.revoking import Revoking
    from intune_vpp.lifecycle.roll_call import RollCall
    from intune_vpp.lifecycle.settling import Outcome
    from intune_vpp.lifecycle.vault import Vault
    from intune_vpp.lifecycle.writing import Writing

_ADOPT_OTHER = "Nothing was changed: name the token of the expected location in adoptTokenId, or correct"


class TokenLifecycle:
    """All that happens to vppTokens in one process, against one tenant."""

    def __init__(  # noqa: PLR0913 - the parts, wired in one place
        self,
        *,
        tokens: VppTokens,
        listing: TokenListing,
        writing: Writing,
        revoking: Revoking,
        vault: Vault,
        roll_call: RollCall,
        voice: Voice,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._listing = listing
        self._writing = writing
        self._revoking = revoking
        self._vault = vault
        self._roll_call = roll_call
        self._voice = voice
        self._clock = clock

    def create(self, args: VppTokenArgs, *, patience: timedelta = TIME_ALLOWED, resource: str = "") -> Outcome:
        """Put a token under management: adopt the one named, take over the one already there, or upload the file.

        `patience` is how long its sync may be waited for, `resource` the resource's name in the program, on those doors
        that are told.
        Raises TokenFileError, AdoptionRefused, RenewalRefused and GraphError; then nothing was created, or the next
        create finds it.
        """
        tenant_id = self._tokens.tenant_id()
        replaced = self._roll_call.replaced_by(resource, args)
        if replaced is not None:
            self._voice.note(
                f"{replaced.observed.label} is updated in place of the replacement: token {replaced.id} stays"
            )
            return self._bring_in(self._in_this_tenant(replaced), args, patience)
        if isinstance(args.adopt_token_id, str):
            return self._adopt(args.adopt_token_id, args, tenant_id, patience)
        stoken = self._vault.require(args.token)
        self._writing.claim_file(stoken)
        try:
            found = self._already_there(stoken, args)
            if found is None:
                return self._writing.upload(stoken, args, tenant_id, patience)
            self._roll_call.give_file(stoken.fingerprint, found.id)
            return self._take_over(found, args, tenant_id, patience)
        except BaseException:
            self._roll_call.free_file(stoken.fingerprint)
            raise

    def find(self, token_id: str) -> VppTokenState:
        """A token that was never managed, as an import wants it. Raises QueryRefused where it is not there."""
        tenant_id = self._tokens.tenant_id()
        try:
            observed = self._listing.one(token_id)
        except TokenGone:
            msg = f'There is no token "{token_id}" in tenant {tenant_id}.'
            raise QueryRefused(f"{msg} Ids of tokens are GUIDs; getVppTokens lists them.") from None
        return drift.imported(observed, tenant_id=tenant_id, observed_at=self._now())

    def read(self, state: VppTokenState) -> VppTokenState | None:
        """The state as Graph sees it now, None where the token is gone. Raises WrongTenant and GraphError."""
        state = self._in_this_tenant(state)
        try:
            observed = self._listing.one(state.id)
        except TokenGone:
            return None
        suspected = state.look_for_duplicates or bool(state.duplicate_token_ids)
        duplicates = self._listing.duplicates(observed, after=0, suspected=suspected)
        if duplicates:
            self._voice.warn(identity.advice(observed, duplicates))
        ids = None
        if duplicates is not None:
            ids = tuple(one.id for one in duplicates if identity.same_file(observed, one))
        return drift.observe(state, observed, observed_at=self._now(), duplicates=ids)

    def update(self, state: VppTokenState, args: VppTokenArgs, *, patience: timedelta = TIME_ALLOWED) -> Outcome:
        """PATCH what changed and nothing else; sync where that is due. Raises what `create` raises, and WrongTenant."""
        self._roll_call.forget_plan(state.id)
        return self._writing.apply(self._in_this_tenant(state), args, patience)

    def delete(self, state: VppTokenState, *, patience: timedelta = TIME_ALLOWED) -> None:
        """Delete the token, unless it is protected or a resource of this program still has it.

        Where that is asked for, its licences are revoked before; `patience` is how long that may take.
        Raises DeletionRefused (without a request), WrongTenant, RevocationFailed and GraphError; then the token stays.
        A token that is gone is deleted.
        """
        label = state.observed.label
        if self._is_wanted(state):
            self._voice.note(f"{label} stays: a resource of this program has token {state.id}.")
            return
        if state.inputs.deletion_protection is not False:
            msg = f"{label} is protected: deleting a token deletes its apps and all their assignments."
            cure = "Set deletionProtection to false, run an update, then delete it."
            raise DeletionRefused(f"{msg} {cure} What Pulumi calls pending deletion goes with pulumi state delete.")
        self._in_this_tenant(state)
        try:
            if state.inputs.revoke_licenses_on_delete is True:
                self._revoke(state, patience)
            self._send_delete(state.id)
        except TokenGone:
            self._voice.note(f"{label} was deleted already.")
        self._listing.written(state.id)
        self._roll_call.leave(state.id)

    def _send_delete(self, token_id: str) -> None:
        try:
            self._tokens.delete(token_id)
        except NotFound as refusal:
            raise self._listing.explain(token_id, refusal) from None

    def _revoke(self, state: VppTokenState, patience: timedelta) -> None:
        """Take back all licences: once the token is deleted, Intune cannot any more."""
        kept = f"{state.observed.label} was not deleted."
        try:
            seen, watch = self._revoking.begin(state.id, patience=patience, known=state.observed)
        except TokenGone:
            raise
        except (GraphError, SettingsError) as refusal:
            raise _not_deleted(kept, refusal) from None
        _, result, ended = self._revoking.follow(watch, seen)
        unsaid = None if result and result.took_all else "Intune does not say that all licences were revoked."
        match ended.failure or ended.warning or unsaid:
            case None:
                return
            case TokenGone() as gone:
                raise gone
            case WaitInterrupted():
                what = "The revocation of its licences was asked for, and goes on in Intune where it began."
                raise WaitInterrupted(f"{kept} {what} Delete it again when it has ended.")
            case why:
                raise _not_deleted(kept, why)

    def _is_wanted(self, state: VppTokenState) -> bool:
        """Whether the program of this run has the token in another resource, or is about to (a replacement).

        The engine also asks to delete the old half of a rename in a later run than the one that had the new half, and
        the old half of a replacement before the new one: then the program names the token's file all the same.
        """
        wished = self._roll_call.is_wished(state.id)
        if wished or self._roll_call.arrived(state.id) or self._roll_call.met(state.id):
            return True
        if state.token_file is None or self._vault.recall(state.token_file.fingerprint) is None:
            return False
        return self._roll_call.user_of(state.token_file.fingerprint) in {None, state.id}

    # How a token that is there comes under management.

    def _adopt(self, token_id: str, args: VppTokenArgs, tenant_id: str, patience: timedelta) -> Outcome:
        try:
            observed = self._listing.get(token_id)
        except TokenGone:
            msg = f"There is no token {token_id} to adopt in this tenant."
            raise AdoptionRefused(f"{msg} Check adoptTokenId, or leave it out to create one.") from None
        if self._roll_call.met(observed.id):
            raise AdoptionRefused(f"Token {observed.id} already belongs to another resource of this program.")
        if (misplaced := wrong_location(observed, args, _ADOPT_OTHER)) is not None:
            raise misplaced
        return self._bring_in(_bare(observed, tenant_id), args, patience)

    def _take_over(self, observed: VppToken, args: VppTokenArgs, tenant_id: str, patience: timedelta) -> Outcome:
        self._voice.warn(
            f"{observed.label} already exists in the tenant with this file (token {observed.id}), so it was adopted "
            "instead of created. If another stack manages it, both stacks now do. If an older record of this stack has "
            "it, remove that record with pulumi state delete: to destroy it would delete the token."
        )
        unsynced = observed.last_sync_status != SyncStatus.COMPLETED and args.wait_for_sync is not False
        bare = replace(_bare(observed, tenant_id), token_file=described(args), sync_pending=unsynced)
        return self._bring_in(bare, args, patience)

    def _bring_in(self, state: VppTokenState, args: VppTokenArgs, patience: timedelta) -> Outcome:
        outcome = self._writing.apply(state, args, patience, arrives=True)
        self._roll_call.name(state.id, outcome.state.observed.label)
        self._roll_call.arrive(state.id, args.token if isinstance(args.token, str) else None)
        return outcome

    def _already_there(self, stoken: SToken, args: VppTokenArgs) -> VppToken | None:
        """The token that was made from this file before, and that no other resource of this run manages.

        Raises AdoptionRefused where there are several, or where it has another display name or Apple ID: somebody may
        have uploaded the file by hand, and a second token of one location would stop its sync.
        """
        made = [
            one
            for one in self._listing.before_create()
            if identity.is_made_from(one, stoken, args) and not self._roll_call.met(one.id)
        ]
        if len(made) > 1:
            listed = ", ".join(identity.described(one) for one in made)
            what = f"{len(made)} tokens of the tenant were made from this file: {listed}. Nothing was created."
            raise AdoptionRefused(
                f"{what} Set adoptTokenId to the id of the right one, or delete the others in Intune."
            )
        if made and not identity.has_labels(made[0], args):
            what = "The tenant already has a token that was made from this file, with another display name or Apple ID"
            cure = f"Nothing was created. To manage that token, set adoptTokenId to {made[0].id}."
            raise AdoptionRefused(f"{what}: {identity.described(made[0])}. {cure}")
        return made[0] if made else None

    def _in_this_tenant(self, state: VppTokenState) -> VppTokenState:
        """The state, naming the tenant where it did not yet. Raises WrongTenant."""
        return replace(state, tenant_id=tenancy.require(self._tokens, state.tenant_id, state.observed.label))

    def _now(self) -> str:
        return times.text(self._clock.now())


def _not_deleted(kept: str, why: IntuneVppError | str) -> RevocationFailed:
    """Why a token stays; how it goes without its licences, but where trying again may help."""
    passes = isinstance(why, RevocationTimedOut) or (isinstance(why, GraphError) and type(why) is not GraphError)
    cure = "To delete it all the same, keep it with revokeLicensesOnDelete false, run up, then delete it."
    return RevocationFailed(f"{kept} {why}" if passes else f"{kept} {why} {cure}")


def _bare(observed: VppToken, tenant_id: str) -> VppTokenState:
    """A token that is there, and of which nothing is managed yet."""
    return VppTokenState(observed=observed, tenant_id=tenant_id, inputs=VppTokenArgs(), observed_at="")
