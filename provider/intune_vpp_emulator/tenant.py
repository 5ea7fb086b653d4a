"""The emulated tenant: its vppTokens and the rules for them, without HTTP."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any

from . import edm, odata, scope_tags
from .apple import ContentToken, UnreadableFileError, read, unreadable
from .behavior import Behavior, SyncDate, Throttling, UnreadableFiles, names
from .clock import Clock, to_the_second
from .directory import AppRegistration, Directory
from .history import History
from .identity.access_tokens import issue, roles_of
from .identity.workload import Workload
from .licenses import MOST_APPS
from .members import MEMBERS, SOUND, UNSYNCED, State, Version, accepted, as_answered, blank, check, defaults
from .mobile_apps import MobileApp, apps_of
from .refusals import bad_request, intune_bad_request, not_found
from .revocation import check_parameters, end_by_state
from .throttle import Throttle
from .vpp_token import VppToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .odata import Query, Row

Graph = dict[str, Any]
"""A vppToken as Graph writes it."""

_MOST_TOKENS = 3_000  # learn.microsoft.com/intune: "You can upload up to 3,000 tokens"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of LIST; `after` continues it, None ends it; `count` is that of all pages, where it was asked for."""

    tokens: list[Graph]
    after: str | None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class AppPage:
    """A part of the LIST of apps."""

    apps: list[Graph]
    after: str | None
    count: int | None = None


@dataclass(kw_only=True)
class Tenant(Behavior):
    """All vppTokens of one tenant. Each public method is one request; all are safe among threads."""

    clock: Clock = field(default_factory=Clock)
    directory: Directory = field(default_factory=Directory.fresh, repr=False)
    workload: Workload = field(default_factory=Workload, repr=False)
    on_change: Callable[[], None] = field(default=lambda: None, repr=False)
    ends_of_syncs: list[Callable[[], str | None]] = field(default_factory=list, repr=False)
    """Called in turn when a sync starts; the first that returns `failed` or `hang` decides its end."""
    ends_of_revocations: list[Callable[[], Mapping[str, Any] | None]] = field(default_factory=list, repr=False)
    """Called in turn when a revocation starts; the first that returns members of its result decides its end."""
    _tokens: dict[str, VppToken] = field(default_factory=dict, init=False, repr=False)
    _lock: RLock = field(default_factory=RLock, init=False, repr=False)
    _session: int = field(default=0, init=False, repr=False)
    _newest: int = field(default=0, init=False, repr=False)
    _first: dict[tuple[str, ...], int] | None = field(default=None, init=False, repr=False)
    _history: History = field(default_factory=History, init=False, repr=False)
    _throttle: Throttle = field(default_factory=Throttle, init=False, repr=False)

    @property
    def tokens(self) -> list[VppToken]:
        """The tokens as stored, to keep them between runs."""
        with self._lock:
            return list(self._tokens.values())

    @tokens.setter
    def tokens(self, tokens: Iterable[VppToken]) -> None:
        with self._lock:
            self._tokens = {one.id: one for one in tokens}
            self._newest = max((one.number for one in self._tokens.values()), default=0)
            self._first = None

    def customer(self) -> Tenant:
        """Another tenant, with the clock and behavior of this one, in which the application of this one exists."""
        behavior = {name: getattr(self, name) for name in names()}
        return Tenant(clock=self.clock, directory=Directory.fresh(self.directory.app), **behavior)

    def find_app(self, client_id: str) -> AppRegistration | None:
        """The application of that id; None where the tenant has none, or has not consented to it."""
        found = self.directory.find(client_id)
        return None if found is self.directory.app and not self.app_consented else found

    def access_token(self, app: AppRegistration, audience: str) -> str:
        """A new access token for Graph at `audience`."""
        return issue(
            self.directory,
            app,
            audience=audience,
            now=self.clock.now(),
            seconds=self.access_token_seconds,
            roles=self.app_roles,
            session=self._session,
        )

    def roles_of(self, access_token: str, *, audiences: frozenset[str]) -> frozenset[str]:
        """The permissions of the bearer; raises AccessRefusedError."""
        return roles_of(self.directory, access_token, audiences=audiences, now=self.clock.now(), session=self._session)

    def revoke_access_tokens(self) -> None:
        """Let no access token that was issued until now be valid any longer."""
        with self._lock:
            self._session += 1

    def admit(self, app_id: str, *, is_write: bool) -> None:
        """Count a request for vppTokens by an application; raises Refusal where it is one too many."""
        if self.throttle is Throttling.DOCUMENTED:
            self._throttle.admit(app_id, self.clock.now(), is_write=is_write)

    def list_tokens(self, *, version: Version = Version.BETA, query: Query = odata.ALL) -> Page:
        """A page of the tokens that the query selects."""
        with self._lock:
            found = query.page(self._rows(version, query.first_number), self.page_size)
            return Page(found.entities, found.after, found.count)

    def get(self, token_id: str, *, version: Version = Version.BETA) -> Graph:
        """One token."""
        with self._lock:
            if self.get_lag_seconds:
                return self._answer_of_the_past(token_id, version)
            return self._answer(self._visible(token_id), version)

    def create(self, body: Mapping[str, Any], *, version: Version = Version.BETA) -> Graph:
        """A new token."""
        written = accepted(version, body)
        with self._lock:
            scope_tags.check_write(written.get("roleScopeTagIds"), (), self.allowed_scope_tags)
            return self._created(written, version)

    def patch(self, token_id: str, body: Mapping[str, Any], *, version: Version = Version.BETA) -> Graph:
        """A token with some members changed; with `token` it is renewed."""
        with self._lock:
            token, written = self._visible(token_id), accepted(version, body)
            before = token.members["roleScopeTagIds"]
            scope_tags.check_write(written.get("roleScopeTagIds"), before, self.allowed_scope_tags)
            return self._answer(self._keep(self._patched(token, written)), version)

    def delete(self, token_id: str) -> None:
        """Delete a token."""
        with self._lock:
            self._deleted(self._visible(token_id))

    def sync_licenses(self, token_id: str, *, version: Version = Version.BETA) -> Graph:
        """Start a sync, unless one runs."""
        with self._lock:
            token = self._visible(token_id)
            if token.is_syncing and not self.sync_restarts:
                return self._answer(self._keep(token), version)  # a guess: sync-while-syncing
            syncing = token.syncing(
                self.clock.now(),
                timedelta(seconds=self.sync_seconds),
                end=next((end for ask in self.ends_of_syncs if (end := ask()) is not None), None),
                dated=self.sync_date is SyncDate.START,
            )
            return self._answer(self._keep(syncing), version)

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Start a revocation."""
        check_parameters(body)
        with self._lock:
            token, now = self._visible(token_id), self.clock.now()
            scripted = next((end for ask in self.ends_of_revocations if (end := ask()) is not None), None)
            end = scripted or end_by_state(self._state(token, now))
            self._keep(token.revoking(now, timedelta(seconds=self.revoke_seconds), end))

    def sync_license_counts(self) -> None:
        """Count the licences in use at Apple, for each token that could be synced."""
        with self._lock:
            now = self.clock.now()
            settled = [self._settled(one, now) for one in self.tokens]
            # a guess: counts-at-once
            sound = [one for one in settled if self._state(one, now) in SOUND]
            self._tokens.update((one.id, one.counted_anew()) for one in sound)
            self._changed()

    def licenses_for_app(self, bundle_id: str) -> list[Graph]:
        """The licences of an app by each token that has it."""
        with self._lock:
            # a guess: licenses-for-app
            return [one.license_summary() for one in self._apps() if one.title.bundle_id == bundle_id]

    def expiring_before(self, date: str) -> int:
        """How many tokens expire before an Edm.DateTimeOffset; raises ValueError."""
        end = edm.ticks(date)
        with self._lock:
            # a guess: expiring-count
            return sum(edm.ticks(one["expirationDateTime"]) < end for _, one in self._rows(Version.BETA, 0))

    def list_apps(self, *, version: Version = Version.BETA, query: Query = odata.ALL) -> AppPage:
        """A page of the apps that the query selects."""
        with self._lock:
            rows = (
                (one.number, one.as_answered(version)) for one in self._apps(query.first_number)
            )  # a guess: app-order
            found = query.page(rows, self.page_size)
            return AppPage(found.entities, found.after, found.count)

    def get_app(self, app_id: str, *, version: Version = Version.BETA) -> Graph:
        """One app."""
        with self._lock:
            found = next((one for one in self._apps() if one.id == app_id), None)
            if found is None:
                raise not_found("app", app_id)
            return found.as_answered(version)

    def create_by_hand(self, members: Mapping[str, Any]) -> Graph:
        """A new token, uploaded in the admin centre, where the wizard requires the consent."""
        written = accepted(Version.BETA, {"dataSharingConsentGranted": True, **members})
        with self._lock:
            return self._created(written, Version.BETA)

    def edit_by_hand(self, token_id: str, members: Mapping[str, Any]) -> Graph:
        """A token with members changed as by an administrator, Apple or Intune itself, read-only ones included."""
        set_directly = {name: value for name, value in members.items() if name in MEMBERS and MEMBERS[name].read_only}
        sent = {name: value for name, value in members.items() if name not in set_directly}
        for name, value in set_directly.items():
            if MEMBERS[name].edm_type == edm.DATE:  # others may have values that Graph does not publish
                check(name, value)
        with self._lock:
            token = self._patched(self._find(token_id), accepted(Version.BETA, sent))
            edited = token.forced(set_directly | {"id": token.id}, self.clock.now())
            return self._answer(self._keep(edited), Version.BETA)

    def delete_by_hand(self, token_id: str) -> None:
        """Delete a token in the admin centre."""
        with self._lock:
            self._deleted(self._find(token_id))

    def use_licenses(self, token_id: str, used: Mapping[str, Any]) -> dict[str, int]:
        """That many licences in use, by bundle id; returns those of all apps of the token."""
        with self._lock:
            try:
                token = self._find(token_id).using(used)
            except ValueError as reason:
                raise bad_request(str(reason)) from None
            self._keep(token)
            return dict(token.used)

    def clock_moved(self) -> None:
        """Report that the clock was moved, to whatever keeps the tenant."""
        with self._lock:
            self.on_change()

    def _created(self, written: Graph, version: Version) -> Graph:
        _check_complete(written, version)
        scope_tags.check_exist(written.get("roleScopeTagIds", ()), self.scope_tags)
        if len(self._tokens) >= _MOST_TOKENS:
            # a guess: limit-refused
            raise intune_bad_request(f"The tenant has reached its limit of {_MOST_TOKENS} VPP tokens.")
        file = self._read(written["token"])
        token = self._new(file).changed(_kept(written, file), self.clock.now())
        return self._answer(self._keep(token), version)

    def _new(self, file: ContentToken) -> VppToken:
        self._newest += 1
        members = defaults() | {"id": str(uuid.uuid4())}
        if file.readable:
            # a guess: state-after-create
            members |= {"state": State.VALID.value, "expirationDateTime": to_the_second(file.expires)}
            members |= {"locationName": file.location}
        else:
            members |= {"state": State.INVALID.value, "expirationDateTime": UNSYNCED}  # a guess: unreadable-file
        return VppToken(number=self._newest, id=members["id"], file=file, members=members)

    def _read(self, posted: str) -> ContentToken:
        # a guess: file-refused
        try:
            file = read(posted, self.token_encoding)
        except UnreadableFileError:
            if self.unreadable_files is UnreadableFiles.INVALID:
                return unreadable(posted)
            raise intune_bad_request("The VPP token is invalid.") from None
        if file.expires <= self.clock.now():
            raise intune_bad_request("The VPP token has expired.")
        return replace(file, expires=self.stored_expiration(file.expires))

    def _patched(self, token: VppToken, written: Graph) -> VppToken:
        scope_tags.check_exist(written.get("roleScopeTagIds", ()), self.scope_tags)
        now = self.clock.now()
        if written.get("token") is None:
            return token.changed(_without_token(written), now)
        file = self._read(written["token"]).following(token.file)
        if not file.readable:  # a guess: unreadable-file
            return token.changed(_without_token(written) | {"state": State.INVALID.value}, now)
        state = _state_after_upload(token.members["state"], written)
        changed = token.changed(_kept(written, file) | {"state": state}, now)
        return changed.renewed(file, now, timedelta(seconds=self.renewal_lag_seconds))

    def _find(self, token_id: str) -> VppToken:
        token = self._tokens.get(token_id.lower())  # a guess: id-case
        if token is None:
            raise not_found("VPP token", token_id)
        return self._settled(token, self.clock.now())

    def _visible(self, token_id: str) -> VppToken:
        token = self._find(token_id)
        scope_tags.check_visible(token.members["roleScopeTagIds"], self.allowed_scope_tags)
        return token

    def _answer_of_the_past(self, token_id: str, version: Version) -> Graph:
        at = self.clock.now() - timedelta(seconds=self.get_lag_seconds)
        token = self._history.tokens(self._tokens, at).get(token_id.lower())  # a guess: lagging-reads
        if token is None:
            raise not_found("VPP token", token_id)
        scope_tags.check_visible(token.members["roleScopeTagIds"], self.allowed_scope_tags)
        return self._answer_at(token, at, version)

    def _rows(self, version: Version, first: int) -> Iterator[Row]:
        blanks = {name: blank(name) for name in self.list_blanks if name in MEMBERS}
        for token, answer in self._listed(version, first):  # a guess: list-order
            yield token.number, {name: blanks.get(name, value) for name, value in answer.items()} if blanks else answer

    def _listed(self, version: Version, first: int) -> Iterator[tuple[VppToken, Graph]]:
        lag, now = self.list_lag_seconds, self.clock.now()
        at = now - timedelta(seconds=lag)
        tokens = self._history.tokens(self._tokens, at) if lag else self._tokens
        for token in list(tokens.values()):
            tags = token.members["roleScopeTagIds"]
            if token.number >= first and scope_tags.is_visible(tags, self.allowed_scope_tags):
                yield token, self._answer_at(token, at, version) if lag else self._answer(token, version)

    def _apps(self, first: int = 0) -> Iterator[MobileApp]:
        now = self.clock.now()
        for token in list(self._tokens.values()):
            if token.number >= first // MOST_APPS:
                yield from (one for one in apps_of(self._settled(token, now)) if one.number >= first)

    def _settled(self, token: VppToken, now: datetime) -> VppToken:
        settled = token.settled(now, duplicate=self._is_duplicate(token))
        if settled is not token:
            self._history.note(now, token.id, token)
            self._tokens[token.id] = settled
        return settled

    def _is_duplicate(self, token: VppToken) -> bool:
        # The later one is flagged (Intune's documentation: "Duplicate"); deleting the other ends that.
        if self._first is None:
            self._first = {one.place: one.number for one in reversed(self._tokens.values())}
        return self._first.get(token.place, token.number) != token.number

    def _keep(self, token: VppToken) -> VppToken:
        self._history.note(self.clock.now(), token.id, self._tokens.get(token.id))
        self._tokens[token.id] = token
        self._changed()
        return token

    def _deleted(self, token: VppToken) -> None:
        self._history.note(self.clock.now(), token.id, self._tokens.pop(token.id))
        self._changed()

    def _changed(self) -> None:
        self._first = None
        self.on_change()

    def _answer(self, token: VppToken, version: Version) -> Graph:
        now = self.clock.now()
        return self._answer_at(self._settled(token, now), now, version)

    def _answer_at(self, token: VppToken, now: datetime, version: Version) -> Graph:
        settled = token.settled(now, duplicate=self._is_duplicate(token))
        own = {"state": self._state(settled, now), "tokenActionResults": settled.action_results_at(now)}
        return as_answered(version, {**settled.members, **own})

    def _state(self, token: VppToken, now: datetime) -> str:
        return token.state_at(now, duplicate=self._is_duplicate(token))


def _check_complete(written: Graph, version: Version) -> None:
    if not written.get("token") or not written.get("appleId"):
        # a guess: at-least-these
        raise intune_bad_request("A VPP token needs its token and its appleId.")
    if version is Version.BETA and written.get("dataSharingConsentGranted") is not True:
        # a guess: consent
        raise intune_bad_request("The consent to share data with Apple was not granted.")


def _without_token(written: Graph) -> Graph:
    return {name: value for name, value in written.items() if name != "token"}


def _kept(written: Graph, file: ContentToken) -> Graph:
    # The text of the file ends here; its organization prevails over the body's. a guess: organization-kept
    return _without_token(written) | ({"organizationName": file.organization} if file.readable else {})


def _state_after_upload(before: str, written: Graph) -> str:
    claimed = written.get("claimTokenManagementFromExternalMdm") is True
    if before == State.ASSIGNED_TO_EXTERNAL_MDM and not claimed:
        return before
    return State.VALID.value  # a guess: claim-heals
