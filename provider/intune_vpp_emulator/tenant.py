"""The pretend tenant: its vppTokens and the rules they live by, without any HTTP."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING, Any

from .apple import ContentToken, TokenEncoding, UnreadableFileError, read
from .clock import Clock, to_the_second
from .directory import Directory
from .licenses import MOST_APPS
from .members import MEMBERS, SOUND, State, Version, accepted, defaults, seen_through
from .mobile_apps import AppPage, MobileApp, apps_of
from .refusals import bad_request, intune_bad_request, not_found
from .revocation import check_parameters, end_by_state
from .vpp_token import VppToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Graph = dict[str, Any]
"""A vppToken as Graph writes it."""

_MOST_TOKENS = 3_000  # learn.microsoft.com/intune: "You can upload up to 3,000 tokens"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of LIST; `after` continues it, None ends it."""

    tokens: list[Graph]
    after: int | None


@dataclass(kw_only=True)
class Tenant:
    """All vppTokens of one tenant. Every public method is one request; all are safe among threads."""

    clock: Clock = field(default_factory=Clock)
    directory: Directory = field(default_factory=Directory.fresh, repr=False)
    page_size: int = 100
    sync_seconds: float = 1.0
    revoke_seconds: float = 1.0
    renewal_lag_seconds: float = 1.0
    token_encoding: TokenEncoding = TokenEncoding.VERBATIM
    on_change: Callable[[], None] = field(default=lambda: None, repr=False)
    ends_of_syncs: list[Callable[[], str | None]] = field(default_factory=list, repr=False)
    """Asked in turn when a sync starts; the first that says `failed` is obeyed."""
    ends_of_revocations: list[Callable[[], Mapping[str, Any] | None]] = field(default_factory=list, repr=False)
    """Asked in turn when a revocation starts; the first that names members of its result is obeyed."""
    _tokens: dict[str, VppToken] = field(default_factory=dict, init=False, repr=False)
    _lock: RLock = field(default_factory=RLock, init=False, repr=False)
    _newest: int = field(default=0, init=False, repr=False)
    _first: dict[tuple[str, str], int] | None = field(default=None, init=False, repr=False)

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

    def list_tokens(self, *, version: Version = Version.BETA, after: int = 0, most: int | None = None) -> Page:
        """The tokens created after number `after`: a page of them, or `most` if that is less."""
        with self._lock:
            size = min(most or self.page_size, self.page_size)
            rest = [one for one in self._tokens.values() if one.number > after]  # a guess: list-order
            shown = [self._answer(one, version) for one in rest[:size]]
            return Page(shown, rest[size - 1].number if len(rest) > size else None)

    def get(self, token_id: str, *, version: Version = Version.BETA) -> Graph:
        """One token."""
        with self._lock:
            return self._answer(self._find(token_id), version)

    def create(self, body: Mapping[str, Any], *, version: Version = Version.BETA) -> Graph:
        """A new token."""
        written = accepted(version, body)
        with self._lock:
            _check_complete(written, version)
            self._check_room()
            file = self._read(written["token"])
            token = self._new(file).changed(_kept(written, file), self.clock.now())
            return self._answer(self._keep(token), version)

    def patch(self, token_id: str, body: Mapping[str, Any], *, version: Version = Version.BETA) -> Graph:
        """A token with some members changed; with `token` it is renewed."""
        with self._lock:
            patched = self._patched(self._find(token_id), accepted(version, body))
            return self._answer(self._keep(patched), version)

    def delete(self, token_id: str) -> None:
        """Forget a token."""
        with self._lock:
            del self._tokens[self._find(token_id).id]
            self._changed()

    def sync_licenses(self, token_id: str, *, version: Version = Version.BETA) -> Graph:
        """Start a sync, unless one runs."""
        with self._lock:
            token = self._find(token_id)
            if token.is_syncing:
                return self._answer(self._keep(token), version)  # a guess: sync-while-syncing
            duration = timedelta(seconds=self.sync_seconds)
            syncing = token.syncing(self.clock.now(), duration, fails=self._is_to_fail())
            return self._answer(self._keep(syncing), version)

    def revoke_licenses(self, token_id: str, body: Mapping[str, Any]) -> None:
        """Start a revocation."""
        check_parameters(body)
        with self._lock:
            token, now = self._find(token_id), self.clock.now()
            end = self._scripted_end() or end_by_state(self._state(token, now))
            self._keep(token.revoking(now, timedelta(seconds=self.revoke_seconds), end))

    def sync_license_counts(self) -> None:
        """Ask Apple how many licences are in use, for every token that could be synced."""
        with self._lock:
            now = self.clock.now()
            settled = [self._settled(one, now) for one in self.tokens]
            # a guess: counts-at-once
            sound = [one for one in settled if self._state(one, now) in SOUND]
            self._tokens.update((one.id, one.counted_anew()) for one in sound)
            self._changed()

    def licenses_for_app(self, bundle_id: str) -> list[Graph]:
        """What each token that has the app knows of its licences."""
        with self._lock:
            # a guess: licenses-for-app
            return [one.license_summary() for one in self._apps() if one.title.bundle_id == bundle_id]

    def list_apps(self, *, version: Version = Version.BETA, after: int = 0, most: int | None = None) -> AppPage:
        """The apps with a number beyond `after`: a page of them, or `most` if that is less."""
        with self._lock:
            size = min(most or self.page_size, self.page_size)
            found = list(islice(self._apps(after), size + 1))  # a guess: app-order
            shown = [one.seen_through(version) for one in found[:size]]
            return AppPage(shown, found[size - 1].number if len(found) > size else None)

    def get_app(self, app_id: str, *, version: Version = Version.BETA) -> Graph:
        """One app."""
        with self._lock:
            found = next((one for one in self._apps() if one.id == app_id), None)
            if found is None:
                raise not_found("app", app_id)
            return found.seen_through(version)

    def create_by_hand(self, members: Mapping[str, Any]) -> Graph:
        """A new token, uploaded in the portal, whose wizard does not go on without the consent."""
        return self.create({"dataSharingConsentGranted": True, **members})

    def edit_by_hand(self, token_id: str, members: Mapping[str, Any]) -> Graph:
        """A token with members as a person, Apple or Intune itself would change them, read-only ones included."""
        with self._lock:
            token = self._patched(self._find(token_id), accepted(Version.BETA, members))
            forced = {name: members[name] for name in members if name in MEMBERS and MEMBERS[name].read_only}
            try:
                edited = token.forced(forced | {"id": token_id}, self.clock.now())
            except (TypeError, ValueError):
                raise bad_request("Cannot convert the value of 'expirationDateTime' to a date.") from None
            return self._answer(self._keep(edited), Version.BETA)

    def use_licenses(self, token_id: str, used: Mapping[str, Any]) -> dict[str, int]:
        """So many licences in use, by bundle id, as by people and their devices; tells those of all its apps."""
        with self._lock:
            try:
                token = self._find(token_id).using(used)
            except ValueError as reason:
                raise bad_request(str(reason)) from None
            self._keep(token)
            return dict(token.used)

    def clock_moved(self) -> None:
        """Let whoever keeps the tenant know how far its clock is ahead."""
        with self._lock:
            self.on_change()

    def _check_room(self) -> None:
        if len(self._tokens) >= _MOST_TOKENS:
            # a guess: limit-refused
            raise intune_bad_request(f"The tenant has reached its limit of {_MOST_TOKENS} VPP tokens.")

    def _new(self, file: ContentToken) -> VppToken:
        self._newest += 1
        token_id = str(uuid.uuid4())
        # a guess: state-after-create
        own = {"id": token_id, "state": State.VALID.value, "expirationDateTime": to_the_second(file.expires)}
        members = defaults() | own | {"locationName": file.location}
        return VppToken(number=self._newest, id=token_id, file=file, members=members)

    def _read(self, posted: str) -> ContentToken:
        # a guess: file-refused
        try:
            file = read(posted, self.token_encoding)
        except UnreadableFileError:
            raise intune_bad_request("The VPP token is invalid.") from None
        if file.expires <= self.clock.now():
            raise intune_bad_request("The VPP token has expired.")
        return file

    def _patched(self, token: VppToken, written: Graph) -> VppToken:
        now = self.clock.now()
        if written.get("token") is None:
            return token.changed(_without_token(written), now)
        file = self._read(written["token"]).following(token.file)
        state = _state_after_upload(token.members["state"], written)
        changed = token.changed(_kept(written, file) | {"state": state}, now)
        return changed.renewed(file, now, timedelta(seconds=self.renewal_lag_seconds))

    def _is_to_fail(self) -> bool:
        return any(ask() == "failed" for ask in self.ends_of_syncs)

    def _scripted_end(self) -> Mapping[str, Any] | None:
        return next((end for ask in self.ends_of_revocations if (end := ask()) is not None), None)

    def _find(self, token_id: str) -> VppToken:
        token = self._tokens.get(token_id.lower())  # a guess: id-case
        if token is None:
            raise not_found("VPP token", token_id)
        return self._settled(token, self.clock.now())

    def _apps(self, after: int = 0) -> Iterator[MobileApp]:
        now = self.clock.now()
        for token in list(self._tokens.values()):
            if token.number >= after // MOST_APPS:
                yield from (one for one in apps_of(self._settled(token, now)) if one.number > after)

    def _settled(self, token: VppToken, now: datetime) -> VppToken:
        settled = token.settled(now, duplicate=self._is_duplicate(token))
        self._tokens[token.id] = settled
        return settled

    def _is_duplicate(self, token: VppToken) -> bool:
        # The later one is flagged (Intune's documentation: "Duplicate"); deleting the other heals it.
        if self._first is None:
            self._first = {one.place: one.number for one in reversed(self._tokens.values())}
        return self._first.get(token.place, token.number) != token.number

    def _keep(self, token: VppToken) -> VppToken:
        self._tokens[token.id] = token
        self._changed()
        return token

    def _changed(self) -> None:
        self._first = None
        self.on_change()

    def _answer(self, token: VppToken, version: Version) -> Graph:
        now = self.clock.now()
        settled = self._settled(token, now)
        own = {"state": self._state(settled, now), "tokenActionResults": settled.action_results_at(now)}
        return seen_through(version, {**settled.members, **own})

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
    # The text of the file ends here; its organization beats the body's. a guess: organization-kept
    return _without_token(written) | {"organizationName": file.organization}


def _state_after_upload(before: str, written: Graph) -> str:
    claimed = written.get("claimTokenManagementFromExternalMdm") is True
    if before == State.ASSIGNED_TO_EXTERNAL_MDM and not claimed:
        return before
    return State.VALID.value  # a guess: claim-heals
