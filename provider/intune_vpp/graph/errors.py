"""Graph's refusals as our errors: the one place where HTTP becomes sentences.

Intune puts a JSON document into `error.message` as a string; Graph's gateway puts a sentence there.
Nothing else of an answer reaches a message.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import httpx

from intune_vpp.core.errors import (
    Conflict,
    GraphError,
    GraphUnavailable,
    GraphUnreachable,
    NotFound,
    PermissionMissing,
    RequestNotSent,
    SignInRefused,
    Throttled,
)
from intune_vpp.graph.body import parse

if TYPE_CHECKING:
    from intune_vpp.graph.redaction import KnownSecrets

PERMISSION = "DeviceManagementServiceConfig.ReadWrite.All"
"""The one permission that all of Microsoft's lists name for vppTokens."""

READING_APPS = "DeviceManagementApps.Read.All"
"""The least permission for an app: https://learn.microsoft.com/graph/api/intune-apps-iosvppapp-get."""

_SUPPORT_TAIL = re.compile(r"\s*-\s*Operation ID \(for customer support\).*", re.DOTALL)
_SEALED = re.compile(r"[A-Za-z0-9+/_=]{40,}")
"""What may be a secret that is not known here, such as the file of another run."""
_MAX_TOLD = 300
_MOST_SEARCHED = 64 * 1024
"""Characters of a text that are searched for secrets; no more than `_MAX_TOLD` of them are shown."""
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_SERVER_ERRORS = 500
_NOT_FOUND = 404
_RESOURCE_NOT_FOUND = "resourcenotfound"
_ACCESS = re.compile(r"tag|role|scope|<html", re.IGNORECASE)
"""Intune's 404 "Resource does not contain a tag allowed by the current role" is about what the caller may see. The
words may be parts of others (`roleScopeTagIds`): one found by mistake makes a 404 an error that changes nothing."""

UPLOADING = "uploading a file"
"""How `doing` begins where a token file goes along."""

READING_APP = "reading app"
"""How `doing` begins where an app is asked for, and no token."""

_OTHER_ENCODING = (
    "If this is about the file and the file is good, try the other tokenEncoding (INTUNE_VPP_TOKEN_ENCODING)."
)

_GRANT = "Grant the app registration the application permission {}, with admin consent."

_BY_DOING = {
    (UPLOADING, 400): (GraphError, "refused", _OTHER_ENCODING),
    (READING_APP, 403): (PermissionMissing, "does not allow this", _GRANT.format(READING_APPS)),
}
"""What a status means where a certain thing was asked."""

_BY_STATUS: dict[int, tuple[type[GraphError], str, str]] = {
    401: (SignInRefused, "did not accept the access token", "Check that the app registration belongs to this tenant."),
    403: (PermissionMissing, "does not allow this", _GRANT.format(PERMISSION)),
    408: (GraphUnavailable, "timed out", "Run it again."),
    409: (Conflict, "reported a conflict", "Refresh and try again."),
    429: (Throttled, "is throttling requests", "Run it again in a minute."),
}


def refusal(response: httpx.Response, doing: str, secrets: KnownSecrets) -> GraphError:
    """The error for an answer that is no success; `doing` says in words what was asked."""
    status = response.status_code
    code, told, request_id = _read(response, secrets)
    if status == _NOT_FOUND:
        return _not_found(response, doing, code, told, request_id)
    by_server = (GraphUnavailable, "failed", "This is usually temporary: run it again.")
    otherwise = by_server if status >= _SERVER_ERRORS else (GraphError, "refused", "")
    special = next(
        (found for (what, when), found in _BY_DOING.items() if when == status and doing.startswith(what)), None
    )
    kind, verb, cure = special or _BY_STATUS.get(status) or otherwise
    sentence = f"Microsoft Graph {verb} ({doing}: {status}{f' {code}' if code else ''}){f': {told}' if told else ''}."
    return kind(
        f"{sentence} {cure}".rstrip(),
        status=status,
        code=code,
        request_id=request_id,
        retry_after=_seconds(response.headers.get("Retry-After")),
    )


def _not_found(response: httpx.Response, doing: str, code: str, told: str, request_id: str) -> NotFound:
    """The error for a 404, which Intune also answers for what the caller may not see, and proxies with a page."""
    # All of the answer, since the words may stand in any member, and beyond what is quoted.
    from_graph = code.casefold() == _RESOURCE_NOT_FOUND and _ACCESS.search(response.text) is None
    reason = (
        "Nothing was changed."
        if from_graph
        else "This does not prove that it was deleted, so nothing was changed. Check the scope tags and the Intune "
        "role of the app registration, graphEndpoint, and any proxy on the way."
    )
    what = f"Microsoft Graph did not find it ({doing}: 404{f' {code}' if code else ''}){f': {told}' if told else ''}."
    return NotFound(f"{what} {reason}", status=_NOT_FOUND, code=code, request_id=request_id, from_graph=from_graph)


def unreachable(error: httpx.HTTPError, doing: str, host: str) -> GraphUnreachable:
    """The error where no answer came. The cause is named by its type only: its text may quote the request."""
    cure = f"{_untrusted(error) or 'Check the network and graphEndpoint'}, then run it again"
    if isinstance(error, _BEFORE_SENDING):
        what = f"Microsoft Graph at {host} could not be reached ({doing}: {type(error).__name__})."
        return RequestNotSent(f"{what} {cure}. Nothing was sent.")
    what = f"Microsoft Graph at {host} did not respond ({doing}: {type(error).__name__})."
    return GraphUnreachable(
        f"{what} {cure}. The request may have been processed; the next run checks before repeating it."
    )


def sign_in_unreachable(error: httpx.HTTPError, authority: str) -> RequestNotSent:
    """The error where the sign-in got no answer."""
    what = f"{authority.removeprefix('https://')} did not respond to the sign-in ({type(error).__name__})."
    return RequestNotSent(f"{what} {_untrusted(error) or 'Check the network and authorityHost'}.")


def _untrusted(error: httpx.HTTPError) -> str | None:
    """The cure where it is the certificate that keeps us from being answered."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return None
    return "Its certificate is signed by an unknown CA: set caBundlePath to the CA's file"


def sign_in_failed(authority: str, why: str, *, status: int | None = None) -> RequestNotSent:
    """The error where what answered the sign-in failed, or is not Entra (a proxy's page)."""
    what = f"{authority.removeprefix('https://')} could not complete the sign-in ({why})."
    return RequestNotSent(f"{what} If this persists, check the network and authorityHost.", status=status)


def sign_in_unreadable(authority: str) -> RequestNotSent:
    """The error where what answered the sign-in is not a JSON object; it may be anybody's page, or a damaged token."""
    what = f"{authority.removeprefix('https://')} answered the sign-in with something that is not a JSON object."
    return RequestNotSent(f"{what} Check the network (a proxy may have answered) and authorityHost, then run it again.")


def issuer(content: bytes) -> str:
    """The issuer in an OpenID discovery document, empty where there is none."""
    found = _object(parse(content)).get("issuer")
    return found if isinstance(found, str) else ""


def _read(response: httpx.Response, secrets: KnownSecrets) -> tuple[str, str, str]:
    """Code, sentence and request id of an error answer; each empty where it is not there."""
    error = _object(_object(parse(response.content)).get("error"))
    inner = _object(error.get("innerError") or error.get("innererror"))
    request_id = response.headers.get("request-id") or inner.get("request-id")
    code, message = error.get("code"), _innermost(error.get("message"))
    return quotable(code, secrets), quotable(message, secrets), quotable(request_id, secrets)


def _innermost(message: object) -> object:
    nested = _object(parse(message)) if isinstance(message, str) else {}
    return nested.get("Message") or (message if not nested else "")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def is_object(content: str) -> bool:
    """Whether an answer is a JSON object that MSAL, which reads it strictly, can read."""
    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False


def quotable(value: object, secrets: KnownSecrets, *, tail: re.Pattern[str] = _SUPPORT_TAIL) -> str:
    """What an answer says, for a sentence: without secrets, without `tail`, on one line of at most 300 characters.

    Empty where it is no text.
    """
    # Secrets first: of one that was cut in two, the rest might be too short to be known.
    text = tail.sub("", secrets.remove_from(value[:_MOST_SEARCHED])) if isinstance(value, str) else ""
    return _SEALED.sub("…", " ".join(text.split()))[:_MAX_TOLD].rstrip(".")


def _seconds(header: str | None) -> float | None:
    try:
        seconds = float(header or "nan")
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None
