"""Builds the errors for answers of Graph; those of a sign-in are in `credentials/errors.py`.

Intune sends a JSON document in `error.message`, as a string; Graph's gateway sends a sentence. Besides that message,
only the code and the request id of an answer are quoted. The functions return an error, and the caller raises it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx

from intune_vpp.core.errors import (
    Conflict,
    FileRefused,
    GraphError,
    GraphUnavailable,
    GraphUnreachable,
    NotFound,
    PermissionMissing,
    RequestNotSent,
    SignInRefused,
    Throttled,
)
from intune_vpp.core.vpp_token import VPP_TOKEN
from intune_vpp.graph import bounded, claims, tls
from intune_vpp.graph.body import parse
from intune_vpp.graph.request import RequestKind

if TYPE_CHECKING:
    from intune_vpp.graph.redaction import KnownSecrets
    from intune_vpp.graph.request import Request

PERMISSION = "DeviceManagementServiceConfig.ReadWrite.All"
"""The only permission that all of Microsoft's lists name for vppTokens."""

READING_APPS = "DeviceManagementApps.Read.All"
"""The least permission for an app: https://learn.microsoft.com/graph/api/intune-apps-iosvppapp-get."""

_SUPPORT_TAIL = re.compile(r"\s*-\s*Operation ID \(for customer support\).*", re.DOTALL)
_SEALED = re.compile(r"[A-Za-z0-9+/_=]{40,}")
"""A run of characters that may be a secret unknown to this process, such as the token file of another run."""
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)*")
"""A JSON Web Token, such as an assertion, or its first part."""
_MAX_QUOTED = 300
"""The most characters of an answer that a message quotes."""
_PERMISSION_NAME = re.compile(r"[A-Za-z][\w.-]{0,79}")
"""What a message shows of an access token: nothing but names."""
_MAX_PERMISSIONS = 10
_MAX_SEARCHED = 64 * 1024
"""The most characters of an answer that are searched for secrets; nothing after them is quoted."""
BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""The errors of a request of which nothing was sent."""
_FAILURES: tuple[tuple[type[httpx.HTTPError], str], ...] = (
    (bounded.AnswerTooLarge, f"sent an answer of more than {bounded.MOST_BYTES // 2**20} MB, which was not read"),
    (bounded.AnswerTooSlow, "did not finish its answer in time"),
    (httpx.DecodingError, "sent an answer that cannot be decompressed"),
    (httpx.HTTPError, "did not respond"),
)
_SERVER_ERRORS = 500
_THROTTLED = 429
_THROTTLES = re.compile(rb"too many requests|rate ?limit|throttl", re.IGNORECASE)
"""Intune answers 500 "Rate limit reached because of too many requests to query broker" (rknightion/graph2otel,
docs/graph-api-gotchas.md), and 503 with such a text."""
_THROTTLES_BY_TEXT = (500, 503)
_DAY = 86_400
"""Seconds."""
_NO_TIME = (
    "The next attempt would be in {}, but the time allowed for the operation ends before: allow more with the resource"
    " option customTimeouts."
)
_NOT_FOUND = 404
_ACCESS_REFUSED = (400, 403)
_RESOURCE_NOT_FOUND = "resourcenotfound"
_ACCESS = re.compile(r"tag|role|scope|<html", re.IGNORECASE)
"""Intune answers 404 "Resource does not contain a tag allowed by the current role" for a token that exists and that the
caller may not see (microsoft/Intune-PowerShell-SDK#119). The words may be parts of others (`roleScopeTagIds`): a false
match makes the 404 an error that changes nothing."""

_BAD_REQUEST = 400
_UPLOADS = {RequestKind.CREATE_TOKEN, RequestKind.RENEW_TOKEN}
_OTHER_MEMBERS = re.compile(
    r"\b(?:(?:role ?)?scope ?tags?|roles?|permissions?|scopes|"
    rf"{'|'.join(prop.name for prop in VPP_TOKEN.members)})\b",
    re.IGNORECASE,
)
"""What a refusal names that is not about the file: a scope tag, a role, a permission, or a member beside `token`.

A tag alone may be another one, such as `@odata.type`; Intune's refusals of scope tags also name them or the role.
"""

_ABOUT_ACCESS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"\bscope tags?\b|\btags?\b.*\brole\b|\brole ?scope", re.IGNORECASE | re.DOTALL),
        "Set roleScopeTagIds to existing scope tags that the Intune role of the app registration allows, or change it.",
    ),
    (
        # Entra's application permissions are roles too: a message that names permissions has their cure.
        re.compile(r"^(?!.*(?:permission|\.Read(?:Write)?\b)).*\broles?\b", re.IGNORECASE | re.DOTALL),
        "Change the Intune role of the app registration so that it allows this.",
    ),
    (
        re.compile(r"not applicable to target tenant", re.IGNORECASE),
        "This tenant has no Intune licence: check tenantId (ARM_TENANT_ID).",
    ),
)
"""The cures of a 400 or 403 by the words of its message.

Intune refuses a write with 400 "Must define one or more tags allowed by the current role" or "Added a tag which is not
allowed by the current role" (maurice-daly/DriverAutomationTool#864, Micke-K/IntuneManagement#401). Requests to a
tenant without an Intune licence get 400 "Request not applicable to target tenant." (msgraph-beta-sdk-go#198).
"""

_MAY_BE_PROCESSED = "The request may have been processed; the next run checks before repeating it."

_GRANT = (
    "Grant the app registration the application permission {}, with admin consent (in Entra: App registrations > API"
    " permissions), or grant it to the managed identity."
)
_FOR_A_USER = (
    "The Azure CLI cannot get this permission for a user: use az login --service-principal, or another method."
)
"""Microsoft does not let the Azure CLI ask for Intune's permissions (Azure/azure-cli#22775)."""

_BY_KIND: dict[tuple[RequestKind, int], tuple[type[GraphError], str, str]] = {
    (RequestKind.READ_APP, 403): (PermissionMissing, "does not allow this", _GRANT.format(READING_APPS)),
}
"""Class, verb and cure of a status for one kind of request; `_BY_STATUS` has them for all others."""

_REDIRECTED = (
    GraphError,
    "redirected the request",
    "It was not followed, because the access token is for one host: check graphEndpoint and any proxy on the way.",
)

_BY_STATUS: dict[int, tuple[type[GraphError], str, str]] = {
    **dict.fromkeys((301, 302, 303, 307, 308), _REDIRECTED),
    401: (SignInRefused, "did not accept the access token", "Check that the app registration belongs to this tenant."),
    403: (PermissionMissing, "does not allow this", _GRANT.format(PERMISSION)),
    408: (GraphUnavailable, "timed out", "Run it again."),
    409: (Conflict, "reported a conflict", "Another change may be in progress: run it again."),
    429: (Throttled, "is throttling requests", "Run it again later."),
}


def refusal(response: httpx.Response, request: Request, secrets: KnownSecrets) -> GraphError:
    """Return the error for an answer that is not a success, with Graph's code, message and request id."""
    status = response.status_code
    code, message, request_id = _read(response, secrets)
    if status == _NOT_FOUND:
        return _not_found(response, request, code, message, request_id)
    by_server = (GraphUnavailable, "failed", "This is usually temporary: run it again.")
    otherwise = by_server if status >= _SERVER_ERRORS else (GraphError, "refused", "")
    error, verb, cure = _BY_KIND.get((request.kind, status)) or _BY_STATUS.get(status) or otherwise
    if is_throttled(response):
        error, verb, cure = _BY_STATUS[_THROTTLED]
    if status in _ACCESS_REFUSED:
        # The whole message is searched, beyond the part that is quoted.
        words = _SUPPORT_TAIL.sub("", str(_message(response))[:_MAX_SEARCHED])
        advice = next((advice for about, advice in _ABOUT_ACCESS if about.search(words)), None)
        about_file = request.kind in _UPLOADS and code and advice is None and not _OTHER_MEMBERS.search(words)
        if status == _BAD_REQUEST and about_file:
            error = FileRefused
        elif error is PermissionMissing and advice is None:
            cure = _about_permissions(cure, response.request)
        cure = advice or cure
    sentence = f"Microsoft Graph {verb} {_answer(request, status, code, message)}"
    return error(
        f"{sentence} {cure}".rstrip() + tried(response),
        status=status,
        code=code,
        request_id=request_id,
        tries=tries(response),
    )


def is_throttled(response: httpx.Response) -> bool:
    """Whether an answer refuses a request because there were too many."""
    return response.status_code == _THROTTLED or (
        response.status_code in _THROTTLES_BY_TEXT and bool(_THROTTLES.search(response.content, 0, _MAX_SEARCHED))
    )


def _about_permissions(cure: str, request: httpx.Request) -> str:
    """Add to the cure of a 403 which permissions the access token of the request has, if it can be read."""
    found = claims.permissions(request.headers.get("Authorization", "").removeprefix("Bearer "))
    if found is None:
        return cure
    # A user's access token has dozens. Only what is a name is shown.
    names = [name for name in found.names if _PERMISSION_NAME.fullmatch(name)]
    more = f" and {len(names) - _MAX_PERMISSIONS} more" if len(names) > _MAX_PERMISSIONS else ""
    shown = f"{', '.join(names[:_MAX_PERMISSIONS]) or 'no permission'}{more}"
    return f"{_FOR_A_USER if found.of_user else cure} The access token has {shown}."


def _answer(request: Request, status: int, code: str, message: str) -> str:
    return f"({request}: {status}{f' {code}' if code else ''}){f': {message}' if message else ''}."


def _not_found(response: httpx.Response, request: Request, code: str, message: str, request_id: str) -> NotFound:
    """Return the error for a 404, which may also mean that the caller may not see the token, or come from a proxy."""
    # The whole answer is searched: the words may be in any member, and beyond the part that is quoted.
    from_graph = code.casefold() == _RESOURCE_NOT_FOUND and _ACCESS.search(response.text) is None
    reason = (
        "Nothing was changed."
        if from_graph
        else "This does not prove that it was deleted, so nothing was changed. Check the scope tags and the Intune "
        "role of the app registration, graphEndpoint, and any proxy on the way."
    )
    what = f"Microsoft Graph found nothing {_answer(request, _NOT_FOUND, code, message)}"
    return NotFound(
        f"{what} {reason}",
        status=_NOT_FOUND,
        code=code,
        request_id=request_id,
        tries=tries(response),
        from_graph=from_graph,
    )


def unreachable(error: httpx.HTTPError, request: Request, host: str) -> GraphUnreachable:
    """Return the error for a request without an answer: RequestNotSent if the connection failed.

    The cause is named by its type only, because its text may quote the request.
    """
    cure = f"{tls.advice(error, 'graphEndpoint') or 'Check the network and graphEndpoint'}, then run it again."
    if isinstance(error, BEFORE_SENDING):
        what = f"Microsoft Graph at {host} could not be reached ({request}: {type(error).__name__})."
        return RequestNotSent(f"{what} Nothing was sent. {cure}{tried(error)}")
    what = f"Microsoft Graph at {host} {failure(error)} ({request}: {type(error).__name__})."
    doubt = "" if request.idempotent else f" {_MAY_BE_PROCESSED}"
    return GraphUnreachable(f"{what}{doubt} {cure}{tried(error)}")


def failure(error: httpx.HTTPError) -> str:
    """Return the words for a request without a readable answer; the subject of the sentence is the server."""
    return next(words for kind, words in _FAILURES if isinstance(error, kind))


def record_attempts(answer: httpx.Response | httpx.HTTPError, *, tries: int, wait: float | None) -> None:
    """Attach the number of attempts, and the seconds until the next one if the operation has no time for it."""
    _attached(answer).update(tries=tries, wait=wait)


def tries(answer: httpx.Response | httpx.HTTPError) -> int:
    """Return the number of attempts of a request."""
    return int(_attached(answer).get("tries", 1))


def tried(answer: httpx.Response | httpx.HTTPError) -> str:
    """Return the sentences about the attempts of a request, and about a wait that was too long for the operation.

    They begin with a space. Empty if there was one attempt and no such wait.
    """
    often = f" It was tried {tries(answer)} times." if tries(answer) > 1 else ""
    wait = _attached(answer).get("wait")
    if wait is None:
        return often
    after = f"{wait:.0f} seconds" if wait < _DAY else "more than a day"
    return f"{often} {_NO_TIME.format(after)}"


def _attached(answer: httpx.Response | httpx.HTTPError) -> dict[str, Any]:
    return answer.extensions if isinstance(answer, httpx.Response) else vars(answer)


def _read(response: httpx.Response, secrets: KnownSecrets) -> tuple[str, str, str]:
    """Return code, message and request id of an error answer; each is empty if the answer has none."""
    error = _error(response)
    inner = _object(error.get("innerError") or error.get("innererror"))
    request_id = response.headers.get("request-id") or inner.get("request-id")
    return quotable(error.get("code"), secrets), quotable(_message(response), secrets), quotable(request_id, secrets)


def _error(response: httpx.Response) -> dict[str, Any]:
    return _object(_object(parse(response.content)).get("error"))


def _message(response: httpx.Response) -> object:
    """Return the message of an error answer: the innermost one, where Intune sends a JSON document in a string."""
    message = _error(response).get("message")
    nested = _object(parse(message)) if isinstance(message, str) else {}
    return nested.get("Message") or (message if not nested else "")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def quotable(value: object, secrets: KnownSecrets, *, tail: re.Pattern[str] = _SUPPORT_TAIL) -> str:
    """Return text of an answer for a message: without secrets and `tail`, on one line of at most 300 characters.

    Empty if `value` is not a string.
    """
    # Secrets are removed before the text is cut: half a secret might be too short to be found.
    text = tail.sub("", secrets.remove_from(value[:_MAX_SEARCHED])) if isinstance(value, str) else ""
    return _SEALED.sub("…", _JWT.sub("…", " ".join(text.split())))[:_MAX_QUOTED].rstrip(".")
