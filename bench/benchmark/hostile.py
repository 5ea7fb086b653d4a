"""Answers that are made to exhaust the memory of a client, and an emulated tenant that gives them."""

from __future__ import annotations

import gzip
import itertools
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from werkzeug.test import run_wsgi_app

from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.serve import serve
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from intune_vpp_emulator.serve import Service

MEGABYTE = 1_000_000
_BLOCK = 64 * 1024
_DEPTH = 400
"""Below the depth at which Python refuses to read JSON."""

_SIZES = tuple(MEGABYTE // 4 * 2**power for power in range(6))
"""Bytes of a body, from a quarter to 8 MB: the largest body that the client accepts takes most memory."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that is answered: the address of its path, its entity, and its bearer, which an answer may quote."""

    url: str
    entity: str
    authorization: str

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> Asked:
        """Read a request."""
        path = environ["PATH_INFO"]
        return cls(
            url=f"https://{environ['HTTP_HOST']}{path}",
            entity=path.rpartition("/")[2],
            authorization=environ.get("HTTP_AUTHORIZATION", ""),
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of answer: a rule of the emulator, or a body of a size of which each of `sizes` is tried."""

    rule: Mapping[str, Any] = field(default_factory=dict)
    body: Callable[[Asked, int], Iterator[bytes]] | None = None
    sizes: tuple[int, ...] = (0,)
    encoding: str = ""
    only_lists: bool = False


def _entries(entry: str, begin: str = "") -> Callable[[Asked, int], Iterator[bytes]]:
    """A page that repeats one entry."""

    def body(asked: Asked, size: int) -> Iterator[bytes]:
        yield f'{{{begin.replace("BEARER", asked.authorization)}"value":['.encode()
        yield from _repeated(entry, size)
        yield b"]}"

    return body


def _results(asked: Asked, size: int) -> Iterator[bytes]:
    """A token with very many results of actions, alone or on a page."""
    token = f'{{"id":"{asked.entity}","tokenActionResults":['
    yield f'{{"value":[{token}'.encode() if asked.entity == "vppTokens" else token.encode()
    yield from _repeated("{}", size)
    yield b"]}]}" if asked.entity == "vppTokens" else b"]}"


def _pages(asked: Asked, size: int) -> Iterator[bytes]:
    """A page that is full of tokens and links to a further one."""
    yield f'{{"@odata.nextLink":"{asked.url}?page={next(_page_numbers)}","value":['.encode()
    yield from _repeated('{"id":"1"}', size)
    yield b"]}"


def _repeated(entry: str, size: int) -> Iterator[bytes]:
    """The entry and commas up to a size, in blocks."""
    one = f"{entry},".encode()
    in_a_block = max(1, _BLOCK // len(one))
    for _ in range(size // (in_a_block * len(one))):
        yield one * in_a_block
    yield entry.encode()


def _blob(pack: Callable[[bytes], bytes]) -> Callable[[Asked, int], Iterator[bytes]]:
    """A compressed body of so many bytes in one piece, which decompresses to a thousand times its size."""
    return lambda _asked, size: iter([pack(b" " * size)])


_page_numbers = itertools.count(1)
_nested_objects = '{"":' * _DEPTH + "0" + "}" * _DEPTH
_nested_lists = "[" * _DEPTH + "]" * _DEPTH

KINDS: dict[str, Kind] = {
    "ordinary": Kind(),
    "200 MB of JSON": Kind({"bytes": 200 * MEGABYTE}),
    "300 MB in gzip": Kind({"bytes": 300 * MEGABYTE, "encoding": "gzip"}),
    "300 MB in one piece of gzip": Kind(body=_blob(gzip.compress), sizes=(300 * MEGABYTE,), encoding="gzip"),
    "300 MB in one piece of deflate": Kind(body=_blob(zlib.compress), sizes=(300 * MEGABYTE,), encoding="deflate"),
    "300 MB in gzip in gzip": Kind(
        body=_blob(lambda content: gzip.compress(gzip.compress(content))),
        sizes=(300 * MEGABYTE,),
        encoding="gzip, gzip",
    ),
    "1,000,000 deep": Kind({"depth": 1_000_000}),
    "endless pages": Kind({"pages": "endless"}, only_lists=True),
    "endless full pages": Kind(body=_pages, sizes=(9 * MEGABYTE // 10,), only_lists=True),
    "objects": Kind(body=_entries('{"":0}'), sizes=_SIZES),
    "lists": Kind(body=_entries("[]"), sizes=_SIZES),
    "nested objects": Kind(body=_entries(_nested_objects), sizes=_SIZES),
    "nested lists": Kind(body=_entries(_nested_lists), sizes=_SIZES),
    "tokens": Kind(body=_entries('{"id":"1"}'), sizes=_SIZES),
    "results of actions": Kind(body=_results, sizes=_SIZES),
    # A character beyond U+FFFF makes Python use four bytes for each character; a quoted secret makes it copy the text.
    "nested objects, wide, secret": Kind(body=_entries(_nested_objects, '"😀":"BEARER",'), sizes=_SIZES),
}
"""All kinds. In the last ones, each entry takes many times its size in the memory of Python."""


@dataclass(slots=True)
class Hostile:
    """The answers of a tenant to the requests of one method and path; an ordinary one to all others."""

    faults: Faults = field(default_factory=Faults)
    method: str = "GET"
    path: str = ""
    status: int = 200
    kind: Kind = field(default_factory=Kind)
    size: int = 0

    def answer(self, method: str, path: str, kind: Kind, *, status: int = 200, size: int = 0) -> None:
        """Give this kind of answer to these requests from now on."""
        self.faults.clear()
        self.method, self.path, self.status, self.kind, self.size = method, path, status, kind, size
        if kind.rule:
            answer = {} if status == 200 else {"status": status}  # noqa: PLR2004 - the tenant's own answer
            self.faults.add([{"method": method, "path": path, "times": "always", **answer, **kind.rule}])

    def around(self, app: WSGIApplication) -> WSGIApplication:
        """Wrap the application of the emulator."""

        def answering(environ: WSGIEnvironment, start: StartResponse) -> Any:
            body = self.kind.body
            is_meant = environ["REQUEST_METHOD"] == self.method and fnmatchcase(environ["PATH_INFO"], self.path)
            if body is None or not is_meant:
                return app(environ, start)
            if self.method == "POST":
                # The tenant creates the token, so that the provider finds it when it looks for it.
                run_wsgi_app(app, environ)
            encoding = [("Content-Encoding", self.kind.encoding)] if self.kind.encoding else []
            start(f"{self.status} Hostile", [("Content-Type", "application/json"), *encoding])
            return body(Asked.of(environ), self.size)

        return answering


@contextmanager
def hostile_tenant() -> Iterator[tuple[Service, Hostile]]:
    """Serve an emulated tenant in this process."""
    hostile = Hostile()
    with serve(Tenant(), faults=hostile.faults, around=hostile.around) as service:
        yield service, hostile
