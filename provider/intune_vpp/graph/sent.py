"""Describes a request that was sent, without the secrets in it and in its answer.

Each request is described, so the ordinary ones must not need the index of `KnownSecrets`, which has hundreds of entries
for each token file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx

from intune_vpp.core.check import GUID
from intune_vpp.core.sent_request import SentRequest

if TYPE_CHECKING:
    from datetime import datetime

    from intune_vpp.graph.redaction import KnownSecrets

_REQUEST_ID_HEADERS = ("request-id", "x-ms-request-id")
"""Graph's header, then Entra's."""

_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
"""Any other text in the header is not shown. Today request ids are GUIDs, and so are the ids of tokens."""

OWN_PATH = "intune_vpp.own_path"
"""The extension of a request whose path this package has made, without text from an answer (`is_plain_id`)."""


def is_plain_id(entity_id: str) -> bool:
    """Whether an id is empty or a GUID. An answer may have chosen any other one, so as to quote a secret."""
    return not entity_id or GUID.fullmatch(entity_id) is not None


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
        path=_path(request, secrets),
        status=response.status_code if response is not None else None,
        request_id=_request_id(response, secrets) if response is not None else "",
        tries=tries,
        started=started,
        ended=ended,
        # Not its text, which may quote the request.
        error="" if response is not None else type(answer).__name__,
    )


def _path(request: httpx.Request, secrets: KnownSecrets) -> str:
    """Return the path without secrets: that of a next page may quote one in any form, our own only whole."""
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    is_plain = request.extensions.get(OWN_PATH) and not secrets.quoted_in(unquote(path))
    return path if is_plain else secrets.remove_from(path)


def _request_id(response: httpx.Response, secrets: KnownSecrets) -> str:
    found = next(filter(None, map(response.headers.get, _REQUEST_ID_HEADERS)), "")
    is_plain = GUID.fullmatch(found) and not secrets.quoted_in(found)
    return found if is_plain or (_REQUEST_ID.fullmatch(found) and secrets.remove_from(found) == found) else ""
