"""Sends requests to Graph: adds the access token, signs in again after a 401, and follows pages on the same host.

All requests go through `_send`; the `Request` says whether one may be repeated.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from intune_vpp.core.errors import GraphError, GraphUnreachable
from intune_vpp.core.sent_request import ignore
from intune_vpp.graph import errors, sent
from intune_vpp.graph.body import parse

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from intune_vpp.core.sent_request import Record
    from intune_vpp.graph.credentials.cached import Credential
    from intune_vpp.graph.redaction import KnownSecrets
    from intune_vpp.graph.request import Request

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds: 10 to connect, 60 for everything else, because a write in Intune may take long."""

_UNAUTHORIZED = 401
_log = logging.getLogger(__name__)


class Bearer(httpx.Auth):
    """Adds the access token to a request, and replaces it once if Graph answers 401."""

    def __init__(self, credential: Credential, secrets: KnownSecrets) -> None:
        self._credential = credential
        self._secrets = secrets

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request; after a 401, once more with a new access token, because the first may have been revoked."""
        access_token = self._access_token()
        request.headers["Authorization"] = f"Bearer {access_token}"
        response = yield request
        if response.status_code == _UNAUTHORIZED:
            self._credential.forget(access_token)
            request.headers["Authorization"] = f"Bearer {self._access_token()}"
            yield request

    def _access_token(self) -> str:
        access_token = self._credential.access_token()
        # It stays there after it was replaced, because a later answer may still quote it.
        self._secrets.add(access_token)
        return access_token


def unexpected(request: Request, why: str, *, written: bool = False) -> GraphUnreachable:
    """Return the error for a success that does not contain what was asked for; `written` for a request that writes."""
    what = f"Microsoft Graph returned an unexpected answer ({request}: {why})."
    doubt = " The request may have been processed." if written else ""
    return GraphUnreachable(
        f"{what}{doubt} A proxy may have answered: check graphEndpoint and the network, then try again."
    )


class GraphClient:
    """Sends and receives JSON under one root, such as `https://graph.microsoft.com/beta`.

    `secrets` are removed from all text of an answer that is shown or stored: a caller that sends another secret adds it
    there first. Each method raises GraphError: NotFound for a 404, RequestNotSent if nothing was sent,
    GraphUnreachable if there was no readable answer, and the class of its status otherwise.
    """

    def __init__(
        self, http: httpx.Client, *, root: str, credential: Credential, secrets: KnownSecrets, record: Record = ignore
    ) -> None:
        self._http = http
        self._record = record
        self._root = httpx.URL(root)
        self._auth = Bearer(credential, secrets)
        self.secrets = secrets

    def get(self, path: str, request: Request) -> Mapping[str, Any]:
        """GET the entity at `path`."""
        return self._json(self._send("GET", f"{self._root}{path}", request), request)

    def pages(self, path: str, request: Request) -> Iterator[object]:
        """GET the items of a collection, one page after the other as needed; an item may be any JSON value.

        Yields None in place of the remaining items if the link to the next page is not a string, or leads to a page
        that was already read. Raises GraphUnreachable for a page that is not a list, and GraphError for a link to
        another host.
        """
        url = f"{self._root}{path}"
        shown = url
        seen: set[str] = set()
        while url not in seen:
            seen.add(url)
            page = self._json(self._send("GET", url, request, shown=shown), request)
            items = page.get("value")
            if not isinstance(items, list):
                raise unexpected(request, "not a list")
            yield from items
            link = page.get("@odata.nextLink")
            if link is None or link == "":
                return
            if not isinstance(link, str):
                break
            self._require_own_host(link, request)
            url = link
            # The link comes from an answer, so it may quote a secret.
            shown = self.secrets.remove_from(url)
        yield None

    def post(self, path: str, request: Request, body: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """POST: create an entity, or call an action, which may have no body. An empty answer is an empty mapping."""
        return self._json(self._send("POST", f"{self._root}{path}", request, body), request)

    def patch(self, path: str, request: Request, body: Mapping[str, object]) -> Mapping[str, Any]:
        """PATCH the members in `body` and no others. An empty answer is an empty mapping."""
        return self._json(self._send("PATCH", f"{self._root}{path}", request, body), request)

    def delete(self, path: str, request: Request) -> None:
        """DELETE the entity at `path`."""
        self._send("DELETE", f"{self._root}{path}", request)

    def _send(
        self,
        method: str,
        url: str,
        request: Request,
        body: Mapping[str, object] | None = None,
        *,
        shown: str | None = None,
    ) -> httpx.Response:
        """Send one request; `shown` is the URL for the debug line, if it differs."""
        try:
            response = sent.send(
                lambda built: self._http.send(built, auth=self._auth),
                self._http.build_request(method, url, json=body),
                self.secrets,
                self._record,
            )
        except httpx.HTTPError as error:
            _log.debug("%s %s: %s", method, shown or url, type(error).__name__)
            problem: GraphError = errors.unreachable(error, request, self._root.host)
        else:
            _log.debug("%s %s: %s", method, shown or url, response.status_code)
            if response.is_success:
                return response
            problem = errors.refusal(response, request, self.secrets)
        # Not inside `except`: the error would have the first one as its context, with the request and its secrets.
        raise problem

    def _json(self, response: httpx.Response, request: Request) -> Mapping[str, Any]:
        if not response.content:
            return {}
        answer = parse(response.content)
        if not isinstance(answer, dict):
            raise unexpected(request, "not a JSON object", written=response.request.method != "GET")
        # The members of an entity are stored and shown, so a quoted secret is removed here.
        return self._without_secrets(answer) if self.secrets.quoted_in(response.text) else answer

    def _without_secrets(self, found: Any) -> Any:
        if isinstance(found, str):
            return self.secrets.remove_from(found)
        if isinstance(found, list):
            return [self._without_secrets(item) for item in found]
        if isinstance(found, dict):
            return {name: self._without_secrets(item) for name, item in found.items()}
        return found

    def _require_own_host(self, link: str, request: Request) -> None:
        """Refuse a next page on another host: the access token must not be sent there. Raises GraphError."""
        url = None
        # The error quotes the link, so ours must not have it as its context.
        with suppress(httpx.InvalidURL):
            url = httpx.URL(link)
        if url is None:
            raise GraphError(f"Microsoft Graph returned no valid URL for the next page ({request}).")
        if (url.scheme, url.host, url.port) != (self._root.scheme, self._root.host, self._root.port):
            raise GraphError(
                f"Microsoft Graph returned another host for the next page ({request}); it was not followed."
            )
