"""Every error the provider raises on purpose.

    IntuneVppError
    ├─ TokenFileError          unreadable, truncated, expired before it was ever applied
    ├─ RenewalRefused          older file, other organization
    ├─ WrongLocation           the observed location is not the expected one
    ├─ WrongTenant             the state belongs to another tenant
    ├─ DeletionRefused         deletionProtection is on
    ├─ SettingsError           missing or contradictory configuration
    ├─ AdoptionRefused         not there, ambiguous, already another resource's
    ├─ DuplicateToken          another token of the tenant is for the same file or location
    ├─ InvalidRequest          what a function or import asks for does not exist, or is not one thing
    ├─ StateError              the state holds a member of the wrong type
    ├─ SyncFailed              the sync ended badly, or the token cannot sync
    │  └─ SyncTimedOut         the sync did not end in time
    ├─ RevocationFailed        licences could not be revoked
    │  └─ RevocationTimedOut   the revocation did not end in time
    ├─ WaitInterrupted         the engine asked to stop
    └─ GraphError              Graph or Entra refused, or did not answer
       ├─ SignInRefused 401
       ├─ PermissionMissing 403
       ├─ NotFound 404          a word, and no proof that anything was deleted
       ├─ TokenGone             404 for the token's own path, and a listing without the token
       ├─ Conflict 409
       ├─ Throttled 429
       ├─ GraphUnavailable 5xx
       └─ GraphUnreachable     no answer, or none that can be read
          └─ RequestNotSent    and no request either

A message is one printable line: a sentence of what happened, one of what to do, the request id where there is one. No
body, header or secret is ever part of it.
"""

from __future__ import annotations

from intune_vpp.core.printable import printable


class IntuneVppError(Exception):
    """The base of all errors raised on purpose; its text is meant for the person at the terminal."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(printable(sentence))


class TokenFileError(IntuneVppError):
    """The `.vpptoken` file cannot be used."""


class RenewalRefused(IntuneVppError):
    """A renewal would go backwards (an older file) or sideways (another organization)."""


class WrongLocation(IntuneVppError):
    """The token belongs to another location than `expectedLocationName`."""


class WrongTenant(IntuneVppError):
    """The state belongs to another tenant than the credentials."""


class DeletionRefused(IntuneVppError):
    """`deletionProtection` is on."""


class SettingsError(IntuneVppError):
    """The provider's configuration is missing something or contradicts itself."""


class AdoptionRefused(IntuneVppError):
    """The token to adopt does not exist, or is not clearly this one."""


class DuplicateToken(IntuneVppError):
    """Another token of the tenant was made from the same file, or is for the same location."""


class InvalidRequest(IntuneVppError):
    """What a function asks for is not there, or not one thing."""


class StateError(IntuneVppError):
    """The state of a resource holds a member of the wrong type: it was edited by hand, or nobody knows how."""


class SyncFailed(IntuneVppError):
    """A licence sync ended badly, or Intune will not sync this token."""


class SyncTimedOut(SyncFailed):
    """A licence sync did not end within the time allowed."""


class RevocationFailed(IntuneVppError):
    """Licences could not be revoked, or not all of them."""


class RevocationTimedOut(RevocationFailed):
    """A revocation did not end within the time allowed."""


class WaitInterrupted(IntuneVppError):
    """The engine asked to stop while something was waited for.

    `asked` says whether what was waited for is the answer of a call that was made: it goes on, unheard.
    """

    def __init__(self, sentence: str, *, asked: bool = False) -> None:
        super().__init__(sentence)
        self.asked = asked


class GraphError(IntuneVppError):
    """Graph (or Entra, on its behalf) did not do what was asked.

    `status` is the HTTP status (None without an answer), `code` and `request_id` are Graph's, `retry_after` is in
    seconds.
    """

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{sentence} (request id {request_id})" if request_id else sentence)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after


class SignInRefused(GraphError):
    """The credentials were not accepted (401)."""


class PermissionMissing(GraphError):
    """The app registration may not do this (403)."""


class NotFound(GraphError):
    """A 404. `from_graph` says that Graph itself says so of the entity that the path names.

    That is: in Graph's or Intune's error envelope, with the code ResourceNotFound, and without a word of scope tags or
    roles. It is no proof of a deletion alone (see TokenGone).
    """

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        from_graph: bool = False,
    ) -> None:
        super().__init__(sentence, status=status, code=code, request_id=request_id)
        self.from_graph = from_graph


class TokenGone(GraphError):
    """The vppToken was deleted: Graph answers 404 for its path, and a listing lacks it."""


class Conflict(GraphError):
    """The request conflicts with another one (409)."""


class Throttled(GraphError):
    """Graph throttles requests (429)."""


class GraphUnavailable(GraphError):
    """Graph failed on its side (5xx)."""


class GraphUnreachable(GraphError):
    """There was no response, or an unreadable one: the request may have been processed."""


class RequestNotSent(GraphUnreachable):
    """The request was not sent, because the connection or the sign-in failed."""
