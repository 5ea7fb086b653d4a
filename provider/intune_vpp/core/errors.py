"""All errors that the provider raises on purpose.

    IntuneVppError
    ├─ TokenFileError          the token file is unreadable, truncated, expired, or not available
    ├─ RenewalRefused          the file is older, or of another organization
    ├─ WrongLocation           the token is for another location than expected
    ├─ WrongTenant             the resource was created in another tenant
    ├─ DeletionRefused         deletionProtection is on
    ├─ SettingsError           the configuration is incomplete or contradictory
    ├─ AdoptionRefused         the token to adopt does not exist, is ambiguous, or is another resource's
    ├─ DuplicateToken          another token of the tenant has the same file or location
    ├─ InvalidRequest          what a function or an import asks for does not exist, or is ambiguous
    ├─ StateError              the state has a missing member, or one of the wrong type
    ├─ SyncFailed              the sync failed, or the token cannot be synced
    │  └─ SyncTimedOut         the sync did not end in time
    ├─ RevocationFailed        licences could not be revoked
    │  └─ RevocationTimedOut   the revocation did not end in time
    ├─ WaitInterrupted         the engine asked to stop
    └─ GraphError              Graph or Entra refused, failed, or did not answer
       ├─ SignInRefused        400, 401
       ├─ PermissionMissing    403
       ├─ NotFound             404, which does not prove a deletion
       │  └─ NotYetVisible        404 for a token that was just created
       ├─ TokenGone            404 for the token's path, and a listing without the token
       ├─ FileRefused          400 to an upload that names no other member than the file
       ├─ Conflict             409
       ├─ Throttled            429, or a 500 or 503 whose text says that there were too many requests
       ├─ GraphUnavailable     408, 5xx
       └─ GraphUnreachable     no answer, or an unreadable one
          └─ RequestNotSent    the request was not sent

A message is one printable line: what happened, what to do, and the request id if there is one. If
what to do is a command of the engine, the error has a `Cure`, which each door puts into words. No body, header or
secret is ever part of a message.
"""

from __future__ import annotations

from enum import Enum, auto

from intune_vpp.core.printable import printable


class Cure(Enum):
    """What to do about an error if the words depend on the door: in Pulumi they are commands (engine/cures.py)."""

    GIVE_FILE = auto()
    """Run again with the program, because only the program names the token file."""

    LIST_TOKENS = auto()
    """Look up the id in the list of all tokens."""

    UNPROTECT = auto()
    """Turn `deletionProtection` off before the deletion."""

    DELETE_WITHOUT_REVOKING = auto()
    """Turn `revokeLicensesOnDelete` off before the deletion."""

    WAIT_AGAIN = auto()
    """Run again to wait for what has not ended in time."""

    RESUME = auto()
    """Nothing: the next update waits again for what was interrupted."""

    CORRECT_STATE = auto()
    """Correct or remove the member that the message names, in the state."""

    ADD_TO_STATE = auto()
    """Add the member that the message names to the state."""


class IntuneVppError(Exception):
    """The base of all errors that are raised on purpose.

    `str()` is the message for the user, `cure` is what to do if the message does not say it.
    """

    def __init__(self, sentence: str = "", *, cure: Cure | None = None) -> None:
        super().__init__(printable(sentence))
        self.cure = cure


class TokenFileError(IntuneVppError):
    """The `.vpptoken` file cannot be used, or is not available."""


class RenewalRefused(IntuneVppError):
    """A renewal would apply an older token file, or that of another organization."""


class WrongLocation(IntuneVppError):
    """The token is for another location than `expectedLocationName`."""


class WrongTenant(IntuneVppError):
    """The resource was created in another tenant than that of the credentials."""


class DeletionRefused(IntuneVppError):
    """The token must not be deleted, because `deletionProtection` is on."""


class SettingsError(IntuneVppError):
    """The provider's configuration is incomplete or contradictory."""


class AdoptionRefused(IntuneVppError):
    """The token to adopt does not exist, is ambiguous, or already belongs to another resource."""


class DuplicateToken(IntuneVppError):
    """Another token of the tenant was created from the same file, or is for the same location."""


class InvalidRequest(IntuneVppError):
    """What a function or an import asks for does not exist, or is ambiguous."""


class StateError(IntuneVppError):
    """The state of a resource has a missing member, or one of the wrong type: it was probably edited."""


class SyncFailed(IntuneVppError):
    """A licence sync failed, or Intune does not sync this token."""


class SyncTimedOut(SyncFailed):
    """A licence sync did not end within the time allowed."""


class RevocationFailed(IntuneVppError):
    """Some or all licences could not be revoked."""


class RevocationTimedOut(RevocationFailed):
    """A revocation did not end within the time allowed."""


class WaitInterrupted(IntuneVppError):
    """The engine asked to stop during a wait.

    `asked` says whether the wait was for a call that had been made: the call continues, and its answer is dropped.
    """

    def __init__(self, sentence: str, *, asked: bool = False, cure: Cure | None = None) -> None:
        super().__init__(sentence, cure=cure)
        self.asked = asked


class GraphError(IntuneVppError):
    """Graph or Entra refused a request, failed, or did not answer.

    `status` is the HTTP status (None without an answer), `code` and `request_id` are those of the answer (empty where
    it has none), `tries` is the number of attempts.
    """

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        tries: int = 1,
    ) -> None:
        super().__init__(f"{sentence} (request id {request_id})" if request_id else sentence)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.tries = tries


class SignInRefused(GraphError):
    """The credentials were not accepted (401)."""


class PermissionMissing(GraphError):
    """The app registration lacks a permission (403)."""


class NotFound(GraphError):
    """A 404, which alone does not prove that the entity was deleted (see TokenGone).

    `from_graph` says that the answer is Graph's own, about the entity in the path: an error envelope with the code
    ResourceNotFound and no mention of scope tags or roles.
    """

    def __init__(  # noqa: PLR0913 - the members of an error answer
        self,
        sentence: str,
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        tries: int = 1,
        from_graph: bool = False,
    ) -> None:
        super().__init__(sentence, status=status, code=code, request_id=request_id, tries=tries)
        self.from_graph = from_graph


class NotYetVisible(NotFound):
    """A 404 for a token that this process has just created: Graph may not show it yet."""


class TokenGone(GraphError):
    """The vppToken was deleted: Graph answers 404 for its path and does not list it."""


class FileRefused(GraphError):
    """Graph refused to upload a token file (400), and the refusal is not about tags, roles or another member."""


class Conflict(GraphError):
    """The request conflicts with another one (409)."""


class Throttled(GraphError):
    """Graph throttles requests. The request was not processed."""


class GraphUnavailable(GraphError):
    """Graph failed on its side (5xx)."""


class GraphUnreachable(GraphError):
    """There was no answer, or an unreadable one: the request may have been processed."""


class RequestNotSent(GraphUnreachable):
    """The request was not sent, because the connection or the sign-in failed."""
