"""One request to Graph and its answer: bearer, one new sign-in on 401, timeouts, pages within one host.

All requests pass `_send`: whoever adds pacing or retries adds them there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import httpx

from intune_vpp.core.errors import GraphError, GraphUnreachable
from intune_vpp.graph import errors
from intune_vpp.graph.body import parse

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from intune_vpp.graph.credentials import Credential
    from intune_vpp.graph.redaction import KnownSecrets

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds. A write of Intune's may take long; a host that does not answer the phone in ten seconds is not there."""

_UNAUTHORIZED = 401
_log = logging.getLogger(__name__)


class Bearer(httpx.Auth):
    """Puts the access token on a request, and asks for a new one, once, when Graph does not take it."""

    def __init__(self, credential: Credential, secrets: KnownSecrets) -> None:
        self._credential = credential
        self._secrets = secrets

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send with a bearer; on 401 once more with a new one (the first may have been revoked)."""
        request.headers["Authorization"] = self._authorization()
        response = yield request
        if response.status_code == _UNAUTHORIZED:
            self._credential.forget()
            request.headers["Authorization"] = self._authorization()
            yield request

    def _authorization(self) -> str:
        access_token = self._credential.access_token()
        # Also one that is given up later: an answer may quote it at any time.
        self._secrets.add(access_token)
        return f"Bearer {access_token}"


class GraphClient:
    """JSON in, JSON out, under one root such as `https://graph.microsoft.com/beta`.

    `secrets` are removed from whatever is told of an answer; who sends another secret adds it there first.
    """

    def __init__(self, http: httpx.Client, *, root: str, credential: Credential, secrets: KnownSecrets) -> None:
        self._http = http
        self._root = httpx.URL(root)
        self._auth = Bearer(credential, secrets)
        self.secrets = secrets

    def get(self, path: str, *, doing: str) -> Mapping[str, Any]:
        """Read one entity."""
        return self._json(self._send("GET", f"{self._root}{path}", doing), doing)

    def pages(self, path: str, *, doing: str) -> Iterator[object]:
        """Read the items of a collection, page by page; an item may be anything that JSON can hold.

        Where the way to the next page is no text, or leads back to a page that was read, None stands for what follows.
        """
        url = f"{self._root}{path}"
        shown = url
        seen: set[str] = set()
        while url not in seen:
            seen.add(url)
            page = self._json(self._send("GET", url, doing, shown=shown), doing)
            items = page.get("value")
            if not isinstance(items, list):
                raise GraphError(f"Microsoft Graph returned something that is not a list ({doing}).")
            yield from items
            link = page.get("@odata.nextLink")
            if link is None or link == "":
                return
            if not isinstance(link, str):
                break
            self._require_own_host(link, doing)
            url = link
            # Graph named this address, and may have put anything into it.
            shown = self.secrets.remove_from(url)
        yield None

    def post(self, path: str, body: Mapping[str, object] | None = None, *, doing: str) -> Mapping[str, Any]:
        """Create an entity, or call an action (which has no body)."""
        return self._json(self._send("POST", f"{self._root}{path}", doing, body), doing)

    def patch(self, path: str, body: Mapping[str, object], *, doing: str) -> Mapping[str, Any]:
        """Change the members in `body` and no others."""
        return self._json(self._send("PATCH", f"{self._root}{path}", doing, body), doing)

    def delete(self, path: str, *, doing: str) -> None:
        """Delete an entity."""
        self._send("DELETE", f"{self._root}{path}", doing)

    def _send(
        self,
        method: str,
        url: str,
        doing: str,
        body: Mapping[str, object] | None = None,
        *,
        shown: str | None = None,
    ) -> httpx.Response:
        """Send one request; `shown` is the URL for the debug line where that is another."""
        try:
            response = self._http.request(method, url, json=body, auth=self._auth)
        except httpx.HTTPError as error:
            # `from None`: the cause's traceback would show the request, whose body is the secret.
            _log.debug("%s %s: %s", method, shown or url, type(error).__name__)
            raise errors.unreachable(error, doing, self._root.host) from None
        _log.debug("%s %s: %s", method, shown or url, response.status_code)
        if not response.is_success:
            raise errors.refusal(response, doing, self.secrets)
        return response

    def _json(self, response: httpx.Response, doing: str) -> Mapping[str, Any]:
        if not response.content:
            return {}
        answer = parse(response.content)
        if not isinstance(answer, dict):
            raise GraphUnreachable(f"Microsoft Graph returned something that is not a JSON object ({doing}).")
        # What an entity says is stored and shown.
        return self._without_secrets(answer) if self.secrets.quoted_in(response.text) else answer

    def _without_secrets(self, found: Any) -> Any:
        if isinstance(found, str):
            return self.secrets.remove_from(found)
        if isinstance(found, list):
            return [self._without_secrets(item) for item in found]
        if isinstance(found, dict):
            return {name: self._without_secrets(item) for name, item in found.items()}
        return found

    def _require_own_host(self, link: str, doing: str) -> None:
        """The next page may only be where our bearer may go. Raises GraphError."""
        try:
            url = httpx.URL(link)
        except httpx.InvalidURL:
            raise GraphError(f"Microsoft Graph returned no valid address for the next page ({doing}).") from None
        if (url.scheme, url.host, url.port) != (self._root.scheme, self._root.host, self._root.port):
            raise GraphError(f"Microsoft Graph returned another host for the next page ({doing}); it was not followed.")
