"""The interfaces that the lifecycle depends on; `assembly` wires their implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from intune_vpp.core.token_encoding import Encoding

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.vpp_token import AppLicenses, Listing, VppToken


T = TypeVar("T")


class VppTokens(Protocol):
    """Graph's collection of vppTokens in one tenant. Each method sends one request (a listing one for each page).

    A GET of the token follows a write that returns no entity, and an action that returns 404. All raise GraphError; for
    a 404 it is NotFound, which alone does not prove that the token was deleted.
    """

    def tenant_id(self) -> str:
        """Return the GUID of the tenant that the credentials belong to."""

    def list(self) -> Listing:
        """Return all tokens. An entry that cannot be read is skipped, and the listing is then not complete."""

    def get(self, token_id: str) -> VppToken:
        """Read one token by its id."""

    def create(
        self, members: Mapping[str, object], stoken: SToken, *, encoding: Encoding = Encoding.VERBATIM
    ) -> VppToken:
        """Create a token: upload its file in an encoding, with these members."""

    def update(
        self,
        token_id: str,
        members: Mapping[str, object],
        stoken: SToken | None,
        *,
        encoding: Encoding = Encoding.VERBATIM,
    ) -> VppToken:
        """Change these members and, unless it is None, the token file, which is sent in an encoding."""

    def delete(self, token_id: str) -> None:
        """Delete a token, and with it its apps and their assignments."""

    def sync_licenses(self, token_id: str) -> VppToken:
        """Start a licence sync, and return the token as it is at the start."""

    def revoke_licenses(self, token_id: str, *, notify_managed_devices: bool, revoke_untracked_licenses: bool) -> None:
        """Start to revoke all licences; `token_action_results` shows the progress. Raises SettingsError on v1.0."""

    def sync_license_counts(self) -> None:
        """Start a new count of the licences of all tokens. Raises SettingsError on v1.0."""

    def licenses_for_app(self, bundle_id: str) -> builtins.list[AppLicenses]:
        """Return the licences for an app, an entry for each token that has some. Raises SettingsError on v1.0."""

    def token_id_of_app(self, mobile_app_id: str) -> str | None:
        """Return the id of the token that a VPP app comes from (`iosVppApp.vppTokenId`), None if it names none."""


class Reporter(Protocol):
    """Sends messages to the user of the engine."""

    def info(self, sentence: str) -> None:
        """Report what the provider does or will do."""

    def warn(self, sentence: str) -> None:
        """Report what may go wrong."""


class Clock(Protocol):
    """The time and all waits; injected, so that tests control them."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Sleep. Raises WaitInterrupted when the engine asks to stop."""

    def time_limit(self, allowed: timedelta) -> AbstractContextManager[None]:
        """Limit the time of the operation in the `with` block, and in the threads that it starts with `start`."""

    def time_left(self) -> float | None:
        """Return the seconds that the operation has left, negative after its deadline; None if it has no limit."""

    def request(self, call: Callable[[], T], timeout: float) -> T:
        """Send a request and return its answer. Raises what `unless_stopped` raises.

        When the engine asks to stop, it waits a moment longer for the answer, which may have the id of a new token.
        """

    def start(self, call: Callable[[], T]) -> Future[T]:
        """Run a call in another thread."""

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """Return the result of a started call, or raise its error. Stops waiting as `unless_stopped` does."""

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """Run a call, and return its result. Raises WaitInterrupted when the engine asks to stop.

        The error's `asked` says whether the call was made: it then continues, and its result is dropped. Raises
        TimeoutError after `timeout` seconds.
        """
