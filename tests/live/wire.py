"""Sends the requests of the kit through the provider's signed-in client, and refuses to send what it must not."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import httpx

from intune_vpp import assembly
from intune_vpp.graph.request import Request, RequestKind
from intune_vpp.graph.vpp_tokens import GraphVppTokens
from intune_vpp.settings import GraphVersion
from live.vocabulary import CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from intune_vpp.core.ports import Clock, Reporter
    from intune_vpp.core.sent_request import SentRequest
    from intune_vpp.graph.client import GraphClient
    from intune_vpp.settings import Settings

TOKENS: Final = "/deviceAppManagement/vppTokens"
APPS: Final = "/deviceAppManagement/mobileApps"
BETA: Final = GraphVersion.BETA
V1: Final = GraphVersion.V1
MOST_PAGES: Final = 300
THROTTLED: Final = 429
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/-]+")


class OutsideFence(Exception):
    """The kit was about to write something else than its own token. Nothing was sent."""


@dataclass(slots=True)
class Fence:
    """What the kit may write: the named token, and what it has created itself. Without both it only reads."""

    named: str | None = None
    may_create: bool = False
    created: list[str] = field(default_factory=list)

    def check(self, method: str, path: str) -> None:
        """Raise OutsideFence for a request that writes anything else, or to a path that may lead elsewhere, as `..`."""
        own = "|".join(map(re.escape, filter(None, [self.named, *self.created])))
        made = "|".join(map(re.escape, self.created))
        allowed = [("GET", r".*")]
        allowed += [("PATCH", f"{TOKENS}/({own})"), ("POST", f"{TOKENS}/({own})/syncLicenses")] if own else []
        allowed += [("DELETE", f"{TOKENS}/({made})")] if made else []
        allowed += [("POST", TOKENS)] if self.may_create else []
        is_allowed = any(method == verb and re.fullmatch(pattern, path) for verb, pattern in allowed)
        if not is_allowed or (method != "GET" and not _PLAIN_PATH.fullmatch(path)):
            raise OutsideFence(f"{method} {path} would write something else than the token of this run.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer as it arrived; `repr` shows neither body.

    `path` begins with the version and has the query. `statuses` are those of all attempts, None for one without an
    answer. `body` is the JSON of the answer; the text, if it is not JSON; None if the answer is empty.
    """

    method: str
    path: str
    sent: Mapping[str, object] | None = field(default=None, repr=False)
    headers_sent: Mapping[str, str] = field(default_factory=dict)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    statuses: tuple[int | None, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether Graph took the request."""
        return httpx.codes.is_success(self.status)

    @property
    def throttled(self) -> bool:
        """Whether an attempt was answered with 429."""
        return THROTTLED in self.statuses

    @property
    def entity(self) -> Mapping[str, Any]:
        """The entity of an answer, also where it is wrapped in `value`; empty if there is none."""
        body = self.body if isinstance(self.body, dict) else {}
        inner = body.get("value")
        return inner if isinstance(inner, dict) else body

    @property
    def items(self) -> list[Mapping[str, Any]]:
        """The entities on a page of a collection."""
        found = self.body.get("value") if isinstance(self.body, dict) else None
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @property
    def words(self) -> str:
        """The status, and the code of an error if it is a known one."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        code = error.get("code") if isinstance(error, dict) else None
        shown = code if isinstance(code, str) and code in CODES else ""
        return f"{self.status} {shown}".strip()


class Wire:
    """The connection of a run. `record` is called with each exchange; without `http` the provider opens its client."""

    def __init__(  # noqa: PLR0913 - the parts, wired in one place
        self,
        settings: Settings,
        clock: Clock,
        reporter: Reporter,
        *,
        fence: Fence,
        record: Callable[[Exchange], None],
        http: httpx.Client | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._reporter = reporter
        self._record = record
        self._http = http
        self._clients: dict[GraphVersion, GraphClient] = {}
        self._attempts: list[int | None] = []
        self._gzip = False
        self.fence = fence

    def keep_secret(self, *secrets: str) -> None:
        """Keep texts that will be sent out of the errors of the provider."""
        for one in secrets:
            self._client(BETA).secrets.add(one)

    def quotes_secret(self, text: str) -> bool:
        """Whether a text has a piece of an access token, of a credential or of a file that was sent."""
        return any(client.secrets.remove_from(text) != text for client in self._clients.values())

    def get(self, path: str, version: GraphVersion = BETA) -> Exchange:
        """GET the entity or the page at a path."""
        return self.send("GET", path, version=version)

    def pages(self, path: str) -> Iterator[Exchange]:
        """GET the pages of a collection of beta, up to the one that is refused or has no link to another."""
        root = f"{self._settings.graph_endpoint}/{BETA}"
        following: object = path
        for _ in range(MOST_PAGES):
            page = self.get(str(following))
            yield page
            link = page.body.get("@odata.nextLink") if isinstance(page.body, dict) else None
            if not isinstance(link, str) or not link.startswith(f"{root}/"):
                return
            following = link.removeprefix(root)

    def listed(self, path: str) -> tuple[list[Mapping[str, Any]], bool]:
        """All entities of a collection, and whether all of its pages could be read."""
        pages = list(self.pages(path))
        last = pages[-1]
        complete = last.ok and isinstance(last.body, dict) and not last.body.get("@odata.nextLink")
        return [one for page in pages for one in page.items], complete

    def send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, version: GraphVersion = BETA
    ) -> Exchange:
        """Send a request, and return the answer whatever its status.

        Raises OutsideFence, and GraphError if there was no answer.
        """
        self.fence.check(method, path)
        self._attempts.clear()
        client = self._client(version)
        # Not one of its public methods, which raise an error in place of a refusal.
        answer = client._send(method, f"{client._root}{path}", _request(method, path), body)
        exchange = Exchange(
            method=method,
            path=f"/{version}{path}",
            sent=body,
            headers_sent={"Content-Encoding": "gzip"} if self._gzip else {},
            status=answer.status_code,
            headers=dict(answer.headers),
            body=_body(answer),
            statuses=tuple(self._attempts),
        )
        self._record(exchange)
        return exchange

    @contextmanager
    def compressed(self) -> Iterator[None]:
        """Send the bodies of the block in gzip."""
        self._gzip = True
        try:
            yield
        finally:
            self._gzip = False

    def _client(self, version: GraphVersion) -> GraphClient:
        if version not in self._clients:
            settings = replace(self._settings, graph_version=version)
            tokens = assembly.connect_to_graph(
                settings, self._clock, self._reporter, http=self._http, record=self._attempted
            )
            assert isinstance(tokens, GraphVppTokens)
            client = self._clients[version] = tokens.client
            client._http.event_hooks = {**client._http.event_hooks, "request": [self._compress]}
        return self._clients[version]

    def _attempted(self, sent: SentRequest) -> None:
        if TOKENS in sent.path or APPS in sent.path:
            self._attempts.append(sent.status)

    def _compress(self, request: httpx.Request) -> None:
        # A request that is repeated is compressed already.
        if self._gzip and TOKENS in request.url.path and "Content-Encoding" not in request.headers:
            content = gzip.compress(request.read())
            # Both: a connection sends the stream, and a transport inside the process the content.
            request.stream, request._content = httpx.ByteStream(content), content
            request.headers["Content-Encoding"] = "gzip"
            request.headers["Content-Length"] = str(len(content))


def _request(method: str, path: str) -> Request:
    kinds = {"GET": RequestKind.READ_TOKEN, "PATCH": RequestKind.UPDATE_TOKEN, "DELETE": RequestKind.DELETE_TOKEN}
    token_id = path.removeprefix(TOKENS).strip("/").partition("/")[0].partition("?")[0]
    if path.startswith(APPS):
        return Request(RequestKind.READ_APP)
    if method == "POST":
        return Request(RequestKind.SYNC_LICENSES, token_id) if token_id else Request(RequestKind.CREATE_TOKEN)
    return Request(kinds[method], token_id) if token_id else Request(RequestKind.LIST_TOKENS)


def _body(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return answer.text
