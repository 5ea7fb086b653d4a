"""Describes a request that was sent, without the secrets in it and in its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx

from intune_vpp.core.sent_request import SentRequest

if TYPE_CHECKING:
    from datetime import datetime

    from intune_vpp.graph.redaction import KnownSecrets

_REQUEST_ID_HEADERS = ("request-id", "x-ms-request-id")
"""Graph's header, then Entra's."""

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Request ids are GUIDs today. Any other text in the header is not shown."""


def sent_request(  # noqa: PLR0913 - the values of one record
    request: httpx.Request,
    answer: httpx.Response | httpx.HTTPError,
    secrets: KnownSecrets,
    *,
    tries: int,
    started: datetime,
    ended: datetime,
) -> SentRequest:
    """Describe one attempt of a request by its answer, or by its error if there was no answer."""
    response = answer if isinstance(answer, httpx.Response) else None
    return SentRequest(
        method=request.method,
        host=request.url.host,
        # The path of a next page comes from an answer, so it may quote a secret.
        path=secrets.remove_from(request.url.raw_path.partition(b"?")[0].decode("ascii")),
        status=response.status_code if response is not None else None,
        request_id=_request_id(response, secrets) if response is not None else "",
        tries=tries,
        started=started,
        ended=ended,
        # Not its text, which may quote the request.
        error="" if response is not None else type(answer).__name__,
    )


def _request_id(response: httpx.Response, secrets: KnownSecrets) -> str:
    found = next(filter(None, map(response.headers.get, _REQUEST_ID_HEADERS)), "")
    return found if _REQUEST_ID.fullmatch(found) and secrets.remove_from(found) == found else ""
