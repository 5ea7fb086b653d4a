"""The envelopes of answers: OData's, and the two shapes of Graph's errors."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response, g, request

from .refusals import IntuneRefusal, Refusal, scripted

if TYPE_CHECKING:
    from datetime import datetime

    from .fault_rules import Rule

_JSON = "application/json"
_ODATA = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_NO_OPERATION = "00000000-0000-0000-0000-000000000000"
_REALM = 'Bearer realm="urn:intune:service,c3998d6e-2e37-4c56-87b5-7b444ee1cb26,f0f3c450-59bf-4f0d-b1b2-0ef84ddfe3c7"'


def request_id() -> str:
    """Graph's id of the current request."""
    if "request_id" not in g:
        g.request_id = str(uuid.uuid4())
    known: str = g.request_id
    return known


def client_request_id() -> str:
    """The caller's id of the current request; Graph's id where the caller has sent none."""
    return request.headers.get("client-request-id") or request_id()


def json_answer(document: object, status: int = 200, content_type: str = _JSON) -> Response:
    """JSON with the members in the order of `document`."""
    text = json.dumps(document, ensure_ascii=False).encode(errors="replace")  # JSON may contain half a surrogate pair
    return Response(text, status, content_type=content_type)


def graph_answer(document: object, status: int = 200) -> Response:
    """JSON with the content type of Graph's gateway."""
    return json_answer(document, status, _ODATA)


def text_answer(text: str) -> Response:
    """A value in plain text, as `$count` is."""
    return Response(text, content_type="text/plain")


def no_content(status: int = 204) -> Response:
    """An answer without a body, which therefore has no type."""
    answer = Response(status=status)
    del answer.headers["Content-Type"]
    return answer


def refused(refusal: Refusal, now: datetime) -> Response:
    """Graph's error envelope."""
    message = _intune_document(refusal) if isinstance(refusal, IntuneRefusal) else refusal.sentence
    inner = {
        "date": f"{now:%Y-%m-%dT%H:%M:%S}",
        "request-id": request_id(),
        "client-request-id": client_request_id(),
    }
    answer = json_answer({"error": {"code": refusal.code, "message": message, "innerError": inner}}, refusal.status)
    answer.headers.update(refusal.headers)
    return answer


def faulted(rule: Rule, now: datetime) -> Response:
    """The answer of a rule that replaces the tenant's; without a status it is empty, for the rule to drop."""
    if rule.status is None:
        return no_content()
    answer = _scripted(rule.status, rule.body, now)
    for name, text in (rule.headers or {}).items():
        answer.headers[name] = text
    return answer


def _scripted(status: int, body: object, now: datetime) -> Response:
    if isinstance(body, str):
        return Response(body.encode(errors="replace"), status, content_type="text/plain; charset=utf-8")
    if body is not None:
        return json_answer(body, status)
    if status < HTTPStatus.BAD_REQUEST:  # not an error, so no envelope of Intune's
        return no_content(status)
    return refused(scripted(status), now)


def _intune_document(refusal: Refusal) -> str:
    # As administrators quote it since 2022: a document in a string, with CRLF, and in it another document in a string.
    url = f"https://fef.msuc01.manage.microsoft.com/AppLifecycle_2205/{_service()}{_service_path()}"
    document: dict[str, Any] = {
        "_version": 3,
        "Message": f"{refusal.sentence} - Operation ID (for customer support): {_NO_OPERATION} - "
        f"Activity ID: {request_id()} - Url: {url}?api-version=2020-08-04",
        "CustomApiErrorPhrase": "",
        "RetryAfter": None,
        "ErrorSourceService": "",
        "HttpHeaders": json.dumps({"WWW-Authenticate": _REALM} if refusal.status == HTTPStatus.FORBIDDEN else {}),
    }
    return json.dumps(document, indent=2).replace("\n", "\r\n")


def _service() -> str:
    return "StatelessAppMetadataFEService" if "/mobileApps" in request.path else "StatelessVppFEService"


def _service_path() -> str:
    return "/" + request.path.split("/", 2)[-1]
