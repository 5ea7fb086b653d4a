"""The lifecycle of a vppToken: create, adopt, read, update, delete, each readable from top to bottom.

A write that worked is never lost: an error after it is returned with the new state, in `Outcome.failure`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from intune_vpp.core import drift, graph_json, identity, messages, times, token_diff
from intune_vpp.core.enums import SyncStatus, TokenState
from intune_vpp.core.errors import (
    AdoptionRefused,
    Cure,
    DeletionRefused,
    DuplicateToken,
    GraphError,
    IntuneVppError,
    InvalidRequest,
    NotFound,
    RevocationFailed,
    RevocationTimedOut,
    SettingsError,
    SyncFailed,
    TokenGone,
    WaitInterrupted,
    WrongLocation,
)
from intune_vpp.core.outcome import Outcome
from intune_vpp.core.printable import look_alike
from intune_vpp.core.renewal_guard import guard
from intune_vpp.core.resource_type import Compare, same
from intune_vpp.core.vpp_token import VPP_TOKEN, TokenFile, VppToken, VppTokenArgs, VppTokenState
from intune_vpp.core.waiting import TIME_ALLOWED
from intune_vpp.lifecycle import tenancy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from intune_vpp.core.ports import Clock, Reporter, VppTokens
    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.token_encoding import Encoding
    from intune_vpp.lifecycle.listing import TokenListing
    from intune_vpp.lifecycle.ownership import Ownership
    from intune_vpp.lifecycle.revocation import LicenseRevocations
    from intune_vpp.lifecycle.search import TokenSearch
    from intune_vpp.lifecycle.sync import LicenseSyncs
    from intune_vpp.lifecycle.token_files import TokenFileCache
    from intune_vpp.lifecycle.uploads import Upload, Uploads

_SECONDS_TO_CONFIRM = 30.0
_ADOPT_OTHER = "Nothing was changed: name the token of the expected location in adoptTokenId, or correct"
_RENEW = "Download the content token of the expected location from Apple and renew with it, or correct"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    """A write that worked: the token in Graph's answer, and what still has to follow.

    `before` is the token's state until now, None for a new token; `newly_managed` says that it was created or adopted;
    `upload` is the file that was sent, `patched` says that a PATCH was; `syncs` that a sync is due, and `timeout` how
    long to wait for it.
    """

    observed: VppToken
    args: VppTokenArgs
    tenant_id: str
    token_file: TokenFile | None
    timeout: timedelta
    before: VppTokenState | None = None
    upload: Upload | None = None
    patched: bool = False
    newly_managed: bool = False
    syncs: bool = False


class TokenLifecycle:
    """All that happens to vppTokens in one process, against one tenant."""

    def __init__(  # noqa: PLR0913 - the parts, wired in one place
        self,
        *,
        tokens: VppTokens,
        uploads: Uploads,
        listing: TokenListing,
        search: TokenSearch,
        syncs: LicenseSyncs,
        revocations: LicenseRevocations,
        files: TokenFileCache,
        ownership: Ownership,
        reporter: Reporter,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._uploads = uploads
        self._listing = listing
        self._search = search
        self._syncs = syncs
        self._revocations = revocations
        self._files = files
        self._ownership = ownership
        self._reporter = reporter
        self._clock = clock

    # Create.

    def create(
        self, args: VppTokenArgs, *, timeout: timedelta = TIME_ALLOWED, resource: str = ""
    ) -> Outcome[VppTokenState]:
        """Put a token under management: adopt the named one, adopt the one made from this file, or upload the file.

        `timeout` is how long its sync may be waited for; `resource` is the resource's URN, on the door that knows it.
        Raises TokenFileError, AdoptionRefused, RenewalRefused, WrongLocation and GraphError: then nothing was created,
        or the next create finds it.
        """
        with self._clock.time_limit(timeout):
            return self._create(args, timeout, resource)

    def _create(self, args: VppTokenArgs, timeout: timedelta, resource: str) -> Outcome[VppTokenState]:
        tenant_id = self._tokens.tenant_id()
        replaced = self._ownership.take_replaced(resource, args)
        if replaced is not None:
            # The engine replaces a resource whose update was planned. A new token would cost the apps of the old one.
            label = replaced.observed.label
            self._reporter.info(f"Updating {label} in place instead of replacing it: token {replaced.id} is kept.")
            return self._adopt(self._in_this_tenant(replaced), args, timeout)
        if isinstance(args.adopt_token_id, str):
            return self._adopt(self._named(args.adopt_token_id, args, tenant_id), args, timeout)
        file = self._files.require(args.token)
        self._reserve_file(file)
        try:
            made = self._search.made_from(file, args)
            if made is None:
                return self._upload(file, args, tenant_id, timeout)
            self._ownership.assign_file(file.fingerprint, made.id)
            return self._adopt(self._found(made, file, args, tenant_id), args, timeout)
        except BaseException:
            self._ownership.release_file(file.fingerprint)
            raise

    def _upload(self, file: SToken, args: VppTokenArgs, tenant_id: str, timeout: timedelta) -> Outcome[VppTokenState]:
        """POST a new token."""
        members = graph_json.members(args, (prop.attribute for prop in VPP_TOKEN.members))
        # From before the upload: a later one may have the new token already.
        known = self._listing.latest(0)
        upload = self._uploads.create(members, file, find=partial(self._search.lost, known, file, args))
        # The token exists from here on: whatever follows, its id is returned.
        observed = upload.observed
        self._listing.created(observed.id)
        self._ownership.register(observed.id, file.fingerprint, new=True)
        self._ownership.set_label(observed.id, observed.label)
        self._warn_of_kept_values(args, observed, members)
        write = _Write(
            observed=observed,
            args=args,
            tenant_id=tenant_id,
            token_file=_file_of(args),
            timeout=timeout,
            upload=upload,
            patched=upload.unread is not None,
            newly_managed=True,
            syncs=args.wait_for_sync is not False,
        )
        return self._finish(write)

    def _reserve_file(self, file: SToken, token_id: str | None = None) -> None:
        """Reserve a file for a token, None for a new one. Raises AdoptionRefused where another resource has it."""
        owner = self._ownership.reserve_file(file.fingerprint, token_id)
        if owner is not None:
            msg = f"Another resource of this program already uses this token file ({owner})."
            raise AdoptionRefused(f"{msg} Give each resource its own file: a location has only one token.")

    # Adopt: manage a token that exists.

    def _named(self, token_id: str, args: VppTokenArgs, tenant_id: str) -> VppTokenState:
        """The token that `adoptTokenId` names, as a state without inputs."""
        try:
            observed = self._listing.get(token_id)
        except TokenGone:
            msg = f"The token to adopt, {token_id}, was not found in this tenant."
            raise AdoptionRefused(f"{msg} Check adoptTokenId, or omit it to create a token.") from None
        if self._ownership.is_managed(observed.id):
            msg = f"Another resource of this program already manages token {observed.id}."
            raise AdoptionRefused(f"{msg} Remove one of the two, or correct adoptTokenId.")
        if (wrong := _wrong_location(observed, args, _ADOPT_OTHER)) is not None:
            raise wrong
        return _unmanaged(observed, tenant_id)

    def _found(self, observed: VppToken, file: SToken, args: VppTokenArgs, tenant_id: str) -> VppTokenState:
        """The token that was made from the program's file, which counts as applied."""
        self._reporter.info(
            f"Token {observed.id} ({observed.label}) was created from this file before, so it was adopted instead of "
            "created. If another stack manages it, remove it from one of the stacks' states. If this stack contains it "
            "twice, remove the older resource from the state: destroying it would delete the token."
        )
        if not times.same_second(observed.expiration_date_time, file.expiration_date_time):
            # Two files that were downloaded in one minute pass for each other where Intune rounds to the minute.
            shown, expected = observed.expiration_date_time, file.expiration_date_time
            what = f"Intune shows {shown} as the expiration of {observed.label}, and the token file ends at {expected}"
            self._reporter.warn(f"{what}: check that the token is that of this file's location.")
        unsynced = observed.last_sync_status != SyncStatus.COMPLETED and args.wait_for_sync is not False
        return replace(_unmanaged(observed, tenant_id), token_file=_file_of(args), sync_pending=unsynced)

    def _adopt(self, state: VppTokenState, args: VppTokenArgs, timeout: timedelta) -> Outcome[VppTokenState]:
        """Bring a token that exists to what the program asks for."""
        outcome = self._apply(state, args, timeout, newly_managed=True)
        self._ownership.set_label(state.id, outcome.state.observed.label)
        self._ownership.register(state.id, args.token if isinstance(args.token, str) else None, new=True)
        return outcome

    # Read.

    def find(self, token_id: str) -> VppTokenState:
        """Read a token for an import. Raises InvalidRequest if it does not exist."""
        tenant_id = self._tokens.tenant_id()
        try:
            # Not from a listing, which may leave members blank: all of them become inputs.
            observed = self._listing.get(token_id)
        except (TokenGone, NotFound) as refusal:
            # Without a status, nothing was sent, because the id cannot be one.
            if isinstance(refusal, NotFound) and refusal.status is not None:
                raise
            msg = f'There is no token "{token_id}" in tenant {tenant_id}.'
            raise InvalidRequest(msg, cure=Cure.LIST_TOKENS) from None
        return drift.imported(observed, tenant_id=tenant_id, observed_at=self._now())

    def read(self, state: VppTokenState) -> VppTokenState | None:
        """The state as Graph shows it now, None if the token was deleted. Raises WrongTenant and GraphError."""
        state = self._in_this_tenant(state)
        try:
            observed = self._listing.one(state.id, must_be_confirmed=partial(drift.must_be_confirmed, state))
        except TokenGone:
            return None
        if drift.is_stale(state, observed, self._clock.now()):
            what = f"Microsoft Graph shows {state.observed.label} as it was before the last change"
            self._reporter.info(f"{what}, so its state is kept. Refresh it again in a few minutes.")
            return state
        suspected = state.look_for_duplicates or bool(state.duplicate_token_ids)
        duplicates = self._listing.duplicates(observed, after=0, suspected=suspected)
        if duplicates:
            self._reporter.warn(identity.advice(observed, duplicates))
        same_file = None if duplicates is None else identity.ids_of_same_file(observed, duplicates)
        return drift.observe(state, observed, observed_at=self._now(), duplicates=same_file)

    # Update.

    def update(
        self, state: VppTokenState, args: VppTokenArgs, *, timeout: timedelta = TIME_ALLOWED
    ) -> Outcome[VppTokenState]:
        """PATCH what changed and nothing else; sync if due. Raises what `create` raises, and WrongTenant."""
        self._ownership.forget_update(state.id)
        with self._clock.time_limit(timeout):
            return self._apply(self._in_this_tenant(state), args, timeout)

    def _apply(
        self, state: VppTokenState, args: VppTokenArgs, timeout: timedelta, *, newly_managed: bool = False
    ) -> Outcome[VppTokenState]:
        """PATCH what differs between the state and the inputs."""
        plan = token_diff.plan(state, args)
        file = None
        if plan.renews:
            file = self._files.require(args.token)
        elif plan.claims or plan.resends:
            # Whether a claim works without the file is documented nowhere; the portal sends both.
            file = self._files.get(args.token)
        if file is not None:
            located = state.observed.location_name
            guard(file, olds=drift.file_in_intune(state), args=args, location=located, now=self._clock.now())
            self._reserve_file(file, state.id)
            renewal = messages.of(plan, state, args) if newly_managed else None
            if renewal is not None:
                # Preview has not read the token, so it could not say.
                self._reporter.info(renewal)

        observed, upload = state.observed, None
        members = graph_json.members(args, plan.members)
        if members or file:
            try:
                if file is not None:
                    upload = self._uploads.renew(state.observed, members, file, state.token_encoding)
                observed = upload.observed if upload else self._tokens.update(state.id, members, None)
            except NotFound as refusal:
                raise self._listing.explain(state.id, refusal) from None
            self._listing.written(state.id)
            self._warn_of_kept_values(args, observed, members)

        # A file that the program names and that need not be sent is in Intune already.
        named = _file_of(args) if args.token is not None else None
        token_file = named if named and named.seen else state.token_file
        self._ownership.register(state.id, token_file.fingerprint if token_file else None)
        sync_is_due = file is not None or plan.claims or plan.resyncs
        write = _Write(
            observed=observed,
            args=args,
            tenant_id=state.tenant_id,
            token_file=token_file,
            timeout=timeout,
            before=state,
            upload=upload,
            patched=bool(members or file),
            newly_managed=newly_managed,
            syncs=sync_is_due and args.wait_for_sync is not False,
        )
        return self._finish(write)

    def _warn_of_kept_values(self, args: VppTokenArgs, observed: VppToken, sent: Mapping[str, object]) -> None:
        for prop in VPP_TOKEN.members:
            asked, kept = getattr(args, prop.attribute), getattr(observed, prop.attribute)
            if prop.name not in sent or prop.compare is Compare.NEVER or kept is None or same(prop, asked, kept):
                continue
            self._reporter.warn(messages.not_taken(prop, asked=asked, kept=kept, label=observed.label))

    # After a write.

    def _finish(self, write: _Write) -> Outcome[VppTokenState]:
        """Sync if due, check the location, look for duplicates, and make the new state."""
        observed, before = write.observed, write.before
        sync_pending = before is not None and before.sync_pending
        listed_before = self._listing.begun
        upload = write.upload
        shown_expiration = before.shown_expiration if before and not upload else None
        failure: IntuneVppError | None = upload.failure if upload else None
        if write.syncs and failure is None:
            observed, failure, upload = self._sync_upload(write)
        if write.syncs or failure is not None:
            sync_pending = failure is not None
            if write.upload and not sync_pending:
                # Without a sync, Intune may not have read the file yet: the next read remembers what it shows.
                shown_expiration = drift.shown_after_upload(before, observed)

        if before is not None and write.upload:
            self._report_move(before.observed, observed, write.args)
        located = observed.location_name is not None
        if (write.newly_managed or write.upload) and not located and write.args.expected_location_name is not None:
            expected = write.args.expected_location_name
            what = f"Intune does not show the location of {observed.label} yet"
            unchecked = f'so expectedLocationName "{expected}" was not checked'
            self._reporter.warn(f"{what}, {unchecked}. Refresh the stack later.")
        # A wrong location, then a duplicate, replaces the failure of the sync: it is its cause, or worse.
        failure = _wrong_location(observed, write.args, _RENEW) or failure

        duplicates = self._listing.duplicates(observed, after=listed_before, suspected=False)
        failure = self._failure_of_duplicates(write, observed, duplicates or (), failure) or failure
        same_file = before.duplicate_token_ids if before else ()
        if duplicates is not None:
            same_file = identity.ids_of_same_file(observed, duplicates)

        state = VppTokenState(
            observed=observed,
            tenant_id=write.tenant_id,
            inputs=write.args,
            observed_at=self._now(),
            # Intune could not read a file whose upload has a failure: the next update sends it again.
            token_file=None if upload and upload.failure else drift.mark_invalid(write.token_file, observed),
            shown_expiration=shown_expiration,
            sync_pending=sync_pending,
            duplicate_token_ids=same_file,
            look_for_duplicates=duplicates is None and (before is None or before.look_for_duplicates),
            token_encoding=self._encoding(upload, observed, before),
        )
        return Outcome(state.id, state, failure)

    def _failure_of_duplicates(
        self, write: _Write, observed: VppToken, duplicates: tuple[VppToken, ...], failure: IntuneVppError | None
    ) -> DuplicateToken | None:
        """The failure of a write whose token has duplicates; None if there are none, or if a warning is enough.

        The listings that the wait has polled show whether another run has uploaded the same file meanwhile.
        """
        if not duplicates:
            return None
        advice = identity.advice(observed, duplicates)
        uploaded_twice = write.before is None and bool(identity.ids_of_same_file(observed, duplicates))
        unsynced = failure is not None and observed.state == TokenState.DUPLICATE_LOCATION_ID
        if uploaded_twice or unsynced:
            return DuplicateToken(advice)
        self._reporter.warn(advice)
        return None

    def _encoding(self, upload: Upload | None, observed: VppToken, before: VppTokenState | None) -> Encoding | None:
        """The encoding in which Intune could read a file of this token, None if that is not known."""
        proven = self._uploads.confirm(upload, observed) if upload else None
        return proven or (before.token_encoding if before else None)

    def _sync_upload(self, write: _Write) -> tuple[VppToken, IntuneVppError | None, Upload | None]:
        """Sync a token that was just written; once more if only the sync has shown that Intune cannot read the file."""
        observed, failure = self._sync(write)
        if write.upload is None or not isinstance(failure, SyncFailed):
            return observed, failure, write.upload
        upload = self._uploads.correct(write.upload, observed)
        if upload.encoding is write.upload.encoding:
            return observed, upload.failure or failure, upload
        observed, failure = self._sync(replace(write, observed=upload.observed, upload=upload, patched=True))
        return observed, failure, upload

    def _report_move(self, before: VppToken, after: VppToken, args: VppTokenArgs) -> None:
        """Report a renewal that has moved the token to another location, unless it fails for that location."""
        sentence = messages.moved(before, after)
        if sentence is None or token_diff.is_misplaced(after, args):
            return
        intended = after.location_name == args.expected_location_name
        (self._reporter.info if intended else self._reporter.warn)(sentence)

    def _confirmed(self, answer: VppToken, polled: VppToken) -> VppToken:
        """The token after a wait, by a GET if the listing shows other members than Graph's answer to the write."""
        if drift.shows_other_members(answer, polled):
            # If it fails, the next read looks again: the write and its sync have ended.
            with suppress(IntuneVppError, TimeoutError):
                return self._clock.unless_stopped(partial(self._listing.get, polled.id), _SECONDS_TO_CONFIRM)
        return polled

    def _sync(self, write: _Write) -> tuple[VppToken, IntuneVppError | None]:
        """Sync a token that was just written, and wait for the end; the token after it, and what went wrong."""
        expects = write.token_file.expiration_date_time if write.upload and write.token_file else None
        before = write.before.observed if write.before else None
        if write.upload and write.upload.unread:
            # A listing may lag behind the upload that has corrected this state.
            before = write.upload.unread
        try:
            started, watch = self._syncs.begin(
                write.observed,
                write.timeout,
                before=before,
                patched=write.patched,
                expects=expects,
                claimed=write.args.claim_token_management_from_external_mdm is True,
            )
        except IntuneVppError as error:
            return write.observed, error
        polled, ended = self._syncs.follow(watch, started)
        observed = self._confirmed(write.observed, polled)
        if ended.warning:
            self._reporter.warn(ended.warning)
        return observed, ended.failure

    # Delete.

    def delete(self, state: VppTokenState, *, timeout: timedelta = TIME_ALLOWED) -> None:
        """Delete the token, unless it is protected or a resource of this program still manages it.

        With `revokeLicensesOnDelete` its licences are revoked before; `timeout` is how long that may take.
        Raises DeletionRefused (without a request), WrongTenant, RevocationFailed and GraphError: then the token stays.
        A token that was deleted already is no error.
        """
        with self._clock.time_limit(timeout):
            self._delete(state, timeout)

    def _delete(self, state: VppTokenState, timeout: timedelta) -> None:
        label, file = state.observed.label, state.token_file
        known = file is not None and self._files.get(file.fingerprint) is not None
        if self._ownership.keeps(state.id, file.fingerprint if file and known else None):
            # The old half of a rename or replacement, whose new half has the token.
            self._reporter.info(f"{label} was not deleted: another resource of this program manages token {state.id}.")
            return
        if state.inputs.deletion_protection is not False:
            why = "deletionProtection is on, because deleting a token deletes its apps and all their assignments."
            raise DeletionRefused(f"{label} was not deleted: {why}", cure=Cure.UNPROTECT)
        self._in_this_tenant(state)
        try:
            if state.inputs.revoke_licenses_on_delete is True:
                self._revoke(state, timeout)
            try:
                self._tokens.delete(state.id)
            except NotFound as refusal:
                # If it was sent more than once, the first request deleted the token, and its answer was lost.
                if not (refusal.from_graph and refusal.tries > 1):
                    raise self._listing.explain(state.id, refusal) from None
        except TokenGone:
            self._reporter.info(f"{label} was already deleted.")
        self._listing.written(state.id)

    def _revoke(self, state: VppTokenState, timeout: timedelta) -> None:
        """Revoke all licences, which Intune cannot do after the token is deleted."""
        kept = f"{state.observed.label} was not deleted."
        try:
            seen, watch = self._revocations.begin(state.id, timeout=timeout, known=state.observed)
        except TokenGone:
            raise
        except (GraphError, SettingsError) as refusal:
            raise _not_deleted(kept, refusal) from None
        _, last, ended = self._revocations.follow(watch, seen)
        unsaid = None if last and last.took_all else "Intune does not confirm that all licences were revoked."
        match ended.failure or ended.warning or unsaid:
            case None:
                return
            case TokenGone() as gone:
                raise gone
            case WaitInterrupted():
                what = "The revocation of its licences may still be running in Intune."
                raise WaitInterrupted(f"{kept} {what} Delete the token again once it has ended.")
            case why:
                raise _not_deleted(kept, why)

    def _in_this_tenant(self, state: VppTokenState) -> VppTokenState:
        """Return the state with the tenant, which it may not name yet. Raises WrongTenant."""
        return replace(state, tenant_id=tenancy.require(self._tokens, state.tenant_id, state.observed.label))

    def _now(self) -> str:
        return times.text(self._clock.now())


def _file_of(args: VppTokenArgs) -> TokenFile | None:
    """The file that the inputs name, None if it is unknown."""
    return args.token_file if isinstance(args.token_file, TokenFile) else None


def _unmanaged(observed: VppToken, tenant_id: str) -> VppTokenState:
    """A token of which nothing is managed yet."""
    return VppTokenState(observed=observed, tenant_id=tenant_id, inputs=VppTokenArgs(), observed_at="")


def _wrong_location(observed: VppToken, args: VppTokenArgs, cure: str) -> WrongLocation | None:
    """The error for a token of another location than the program expects; None where it is right, or not known yet."""
    if not token_diff.is_misplaced(observed, args):
        return None
    expected, location = args.expected_location_name, observed.location_name
    msg = f'Token {observed.id} is for the location "{location}", but "{expected}" is expected.'
    msg += look_alike(str(location), str(expected))
    return WrongLocation(f"{msg} {cure} expectedLocationName.")


def _not_deleted(kept: str, why: IntuneVppError | str) -> RevocationFailed:
    """Why a token stays, and how to delete it without revoking its licences where trying again will not help."""
    # Errors of these types say themselves what to do; a plain GraphError is a refusal of which only Graph's words are
    # known, and trying again meets it again.
    says_what_to_do = isinstance(why, RevocationTimedOut) or (
        isinstance(why, GraphError) and type(why) is not GraphError
    )
    if isinstance(why, str) or not says_what_to_do:
        return RevocationFailed(f"{kept} {why}", cure=Cure.DELETE_WITHOUT_REVOKING)
    return RevocationFailed(f"{kept} {why}", cure=why.cure)
