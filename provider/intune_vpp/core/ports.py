"""What the lifecycle needs from the world; the rooms that give it are wired together in `assembly`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from datetime import datetime

    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.vpp_token import AppLicenses, Listing, VppToken


T = TypeVar("T")


class VppTokens(Protocol):
    """Graph's collection of vppTokens in one tenant. Each method is one request (a listing: one for each page).

    A write that is answered without an entity, or an action that is answered with 404, is followed by a GET of the
    token. All raise GraphError; a 404 is NotFound, which alone does not prove that the token was deleted.
    """

    def tenant_id(self) -> str:
        """The GUID of the tenant that the credentials belong to."""

    def list(self) -> Listing:
        """All tokens of the tenant. An entry that cannot be read is skipped: then the listing is not complete."""

    def get(self, token_id: str) -> VppToken:
        """One token."""

    def create(self, members: Mapping[str, object], stoken: SToken) -> VppToken:
        """Upload a token file with these members beside it."""

    def update(self, token_id: str, members: Mapping[str, object], stoken: SToken | None) -> VppToken:
        """Change these members and, where given, the token file."""

    def delete(self, token_id: str) -> None:
        """Delete a token, and with it its apps and their assignments."""

    def sync_licenses(self, token_id: str) -> VppToken:
        """Ask for a licence sync; the answer shows the token at its start."""

    def revoke_licenses(self, token_id: str, *, notify_managed_devices: bool, revoke_untracked_licenses: bool) -> None:
        """Ask to revoke all licences of a token; it goes on in `token_action_results`. SettingsError on v1.0."""

    def sync_license_counts(self) -> None:
        """Ask to count the licences of all tokens anew. SettingsError on v1.0."""

    def licenses_for_app(self, bundle_id: str) -> builtins.list[AppLicenses]:
        """The licences for an app, of each token that has some. SettingsError on v1.0."""

    def token_id_of_app(self, mobile_app_id: str) -> str | None:
        """The id of the token that a VPP app comes from (`iosVppApp.vppTokenId`), None where it names none."""


class Reporter(Protocol):
    """How the provider speaks to the person who runs the engine."""

    def info(self, sentence: str) -> None:
        """Say what is being done."""

    def warn(self, sentence: str) -> None:
        """Say what may go wrong."""


class Clock(Protocol):
    """Time, so that tests can pass it."""

    def now(self) -> datetime:
        """The instant, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Sleep. Raises WaitInterrupted when the engine asks to stop."""

    def start(self, call: Callable[[], T]) -> Future[T]:
        """Run a call beside the caller."""

    def wait_for(self, answer: Future[T], timeout: float | None = None) -> T:
        """The answer of a call that was started. Raises what `unless_stopped` raises."""

    def unless_stopped(self, call: Callable[[], T], timeout: float | None = None) -> T:
        """The answer of a call, which is left alone where the engine asks to stop: then raises WaitInterrupted.

        The error's `asked` says whether the call was made, and goes on unheard. Raises TimeoutError after `timeout`
        seconds.
        """
