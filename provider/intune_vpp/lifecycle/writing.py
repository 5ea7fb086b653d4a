"""What is sent for one vppToken: a new one, or what changed of one that is there; then its sync is seen to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intune_vpp.core import check, diff, drift, wire
from intune_vpp.core.errors import AdoptionRefused, GraphUnavailable, GraphUnreachable, NotFound
from intune_vpp.core.model import MEMBERS, Compare, TokenFile, VppToken, VppTokenArgs, VppTokenState, same
from intune_vpp.lifecycle.settling import Outcome, Written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from intune_vpp.core.diff import Plan
    from intune_vpp.core.ports import Clock, Voice, VppTokens
    from intune_vpp.core.stoken import SToken
    from intune_vpp.lifecycle.listing import TokenListing
    from intune_vpp.lifecycle.roll_call import RollCall
    from intune_vpp.lifecycle.settling import Settling
    from intune_vpp.lifecycle.vault import Vault


class Writing:
    """The POSTs and PATCHes of tokens, and what must hold before one goes out."""

    def __init__(  # noqa: PLR0913 - the parts, wired in one place
        self,
        *,
        tokens: VppTokens,
        listing: TokenListing,
        settling: Settling,
        vault: Vault,
        roll_call: RollCall,
        voice: Voice,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._listing = listing
        self._settling = settling
        self._vault = vault
        self._roll_call = roll_call
        self._voice = voice
        self._clock = clock

    def claim_file(self, stoken: SToken, token_id: str | None = None) -> None:
        """Raise where another resource of this run has the file.

        A new token may have no file that any resource has; one that is there, none that was given out in this run.
        """
        user = self._roll_call.claim_file(stoken.fingerprint, token_id)
        if user is not None:
            msg = f"This token file already belongs to another resource of this program ({user})."
            raise AdoptionRefused(f"{msg} A location has one token: give each resource its own file.")

    def upload(self, stoken: SToken, args: VppTokenArgs, tenant_id: str, patience: timedelta) -> Outcome:
        """POST a new token. Raises GraphError."""
        members = wire.members(args, (prop.attribute for prop in MEMBERS))
        try:
            observed = self._tokens.create(members, stoken)
        except (GraphUnreachable, GraphUnavailable):
            # Only the answer may be lost: the next create looks again.
            self._listing.answer_lost()
            raise
        self._roll_call.arrive(observed.id, stoken.fingerprint)
        self._roll_call.name(observed.id, observed.label)
        self._warn_of_kept_values(args, observed, members)
        written = Written(
            observed=observed,
            args=args,
            token_file=described(args),
            file_sent=True,
            arrives=True,
            syncs=args.wait_for_sync is not False,
            patience=patience,
        )
        return self._settling.settle(written, tenant_id)

    def apply(self, state: VppTokenState, args: VppTokenArgs, patience: timedelta, *, arrives: bool = False) -> Outcome:
        """PATCH what differs between the state and what is asked for; `arrives`, where it was not managed before.

        Raises TokenFileError, RenewalRefused, AdoptionRefused and GraphError; then nothing was sent, or not applied.
        """
        plan = diff.plan(state, args)
        stoken = self._file_to_send(plan, args)
        if stoken is not None:
            check.guard(stoken, olds=drift.held(state), args=args, now=self._clock.now())
            self.claim_file(stoken, state.id)
        observed = state.observed
        members = wire.members(args, plan.members)
        if members or stoken:
            try:
                observed = self._tokens.update(state.id, members, stoken)
            except NotFound as refusal:
                raise self._listing.explain(state.id, refusal) from None
            self._listing.written(state.id)
            self._warn_of_kept_values(args, observed, members)
        # The file that is named and need not be sent is there already: sent before, or brought by another way.
        named = described(args) if args.token is not None else None
        token_file = named if named and named.seen else state.token_file
        self._roll_call.meet(state.id, token_file.fingerprint if token_file else None)
        due = stoken is not None or plan.claims or plan.resyncs
        written = Written(
            observed=observed,
            args=args,
            token_file=token_file,
            before=state,
            file_sent=stoken is not None,
            arrives=arrives,
            syncs=due and args.wait_for_sync is not False,
            patience=patience,
        )
        return self._settling.settle(written, state.tenant_id)

    def _file_to_send(self, plan: Plan, args: VppTokenArgs) -> SToken | None:
        if plan.renews:
            return self._vault.require(args.token)
        # Whether a claim works without the file is documented nowhere; with it, it is what the portal does.
        return self._vault.recall(args.token) if plan.claims and isinstance(args.token, str) else None

    def _warn_of_kept_values(self, args: VppTokenArgs, observed: VppToken, sent: Mapping[str, object]) -> None:
        for prop in MEMBERS:
            asked, kept = getattr(args, prop.attribute), getattr(observed, prop.attribute)
            if prop.name not in sent or prop.compare is Compare.NEVER or kept is None or same(prop, asked, kept):
                continue
            self._voice.warn(f'Intune keeps {prop.name} "{kept}" for {observed.label} instead of "{asked}".')


def described(args: VppTokenArgs) -> TokenFile | None:
    """The file that the inputs name."""
    return args.token_file if isinstance(args.token_file, TokenFile) else None
