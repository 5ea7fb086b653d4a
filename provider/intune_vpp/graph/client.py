"""Sends requests to Graph: adds the access token, signs in again after a 401, and follows pages on the same host.

All requests pass `_send`, and then the `Sender`, which repeats them; the `Request` says whether that is allowed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from intune_vpp.core.errors import GraphError, GraphUnreachable
from intune_vpp.graph import errors
from intune_vpp.graph.body import EXCESSIVE, parse
from intune_vpp.graph.sent import OWN_PATH, is_plain_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from intune_vpp.graph.credentials.cached import Credential
    from intune_vpp.graph.pacing import Pacing
    from intune_vpp.graph.redaction import KnownSecrets
    from intune_vpp.graph.request import Request
    from intune_vpp.graph.sender import Sender

MOST_PAGES = 1000
MOST_ENTRIES = 10_000
MOST_BYTES_LISTED = 16 * 1024 * 1024
"""The limits of a collection. A tenant has at most 3,000 tokens."""
_BOUNDS = f"{MOST_PAGES:,} pages, {MOST_ENTRIES:,} entries or {MOST_BYTES_LISTED // 2**20} MB"

_UNAUTHORIZED = 401


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

    def __init__(  # noqa: PLR0913 - the parts, wired in one place
        self,
        http: httpx.Client,
        *,
        root: str,
        credential: Credential,
        secrets: KnownSecrets,
        sender: Sender,
        pacing: Pacing,
    ) -> None:
        self._http = http
        self._root = httpx.URL(root)
        self._credential = credential
        self._sender = sender
        self._pacing = pacing
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
        seen: set[str] = set()
        entries = size = 0
        while url not in seen:
            seen.add(url)
            response = self._send("GET", url, request, linked=len(seen) > 1)
            page = self._json(response, request)
            items = page.get("value")
            if not isinstance(items, list):
                raise unexpected(request, "not a list")
            entries, size = entries + len(items), size + len(response.content)
            if len(seen) > MOST_PAGES or entries > MOST_ENTRIES or size > MOST_BYTES_LISTED:
                raise unexpected(request, f"more than {_BOUNDS}")
            yield from items
            link = page.get("@odata.nextLink")
            if link is None or link == "":
                return
            if not isinstance(link, str):
                break
            self._require_own_host(link, request)
            url = link
        yield None

    def post(self, path: str, request: Request, body: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """POST: create an entity, or call an action, which may have no body. An empty answer is an empty mapping."""
        return self._json(self._send("POST", f"{self._root}{path}", request, body), request)

    def patch(self, path: str, request: Request, body: Mapping[str, object]) -> Mapping[str, Any]:
        """PATCH the members in `body` and no others. An empty answer is an empty mapping."""
        return self._json(self._send("PATCH", f"{self._root}{path}", request, body), request)

    def delete(self, path: str, request: Request) -> None:
        """DELETE the entity at `path`."""
        # A page of a proxy is no deletion.
        self._json(self._send("DELETE", f"{self._root}{path}", request), request)

    def _send(
        self,
        method: str,
        url: str,
        request: Request,
        body: Mapping[str, object] | None = None,
        *,
        linked: bool = False,
    ) -> httpx.Response:
        """Send a request, once more with a new access token if Graph answers 401, because it may have been revoked.

        Returns the answer whatever its status; `_json` raises the error of a refusal. `linked` says that the URL comes
        from an answer.
        """
        response, access_token = self._signed(method, url, request, body, linked=linked)
        if response.status_code == _UNAUTHORIZED:
            self._credential.forget(access_token)
            response, _ = self._signed(method, url, request, body, linked=linked)
        return response

    def _signed(
        self, method: str, url: str, request: Request, body: Mapping[str, object] | None, *, linked: bool
    ) -> tuple[httpx.Response, str]:
        access_token = self._credential.access_token()
        # It stays there after it was replaced, because a later answer may still quote it.
        self.secrets.add(access_token)
        headers = {"Authorization": f"Bearer {access_token}"}
        own = {OWN_PATH: not linked and is_plain_id(request.subject)}
        built = self._http.build_request(method, url, json=body, headers=headers, extensions=own)
        try:
            response = self._sender.send(
                self._http, built, what=str(request), idempotent=request.idempotent, pacing=self._pacing
            )
        except httpx.HTTPError as error:
            problem = errors.unreachable(error, request, self._root.host)
        else:
            return response, access_token
        # Not inside `except`: the error would have the first one as its context, with the request and its secrets.
        raise problem

    def _json(self, response: httpx.Response, request: Request) -> Mapping[str, Any]:
        if not response.is_success:
            raise errors.refusal(response, request, self.secrets)
        if not response.content:
            return {}
        answer = parse(response.content)
        if not isinstance(answer, dict):
            why = "JSON with too many objects, or nested too deeply" if answer is EXCESSIVE else "not a JSON object"
            raise unexpected(request, why, written=response.request.method != "GET")
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
        origin = None
        # The error quotes the link, so ours must not have it as its context. `host` decodes an internationalized name,
        # and raises a ValueError for a damaged one.
        with suppress(httpx.InvalidURL, ValueError):
            url = httpx.URL(link)
            origin = url.scheme, url.host, url.port
        if origin is None:
            raise GraphError(f"Microsoft Graph returned no valid URL for the next page ({request}).")
        if origin != (self._root.scheme, self._root.host, self._root.port):
            raise GraphError(
                f"Microsoft Graph returned another host for the next page ({request}); it was not followed."
            )
