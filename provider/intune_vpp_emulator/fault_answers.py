"""The answers of scripted faults: linked, nested, filled up, compressed, slowed down and cut, as a stream."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlencode

from flask import Response, request

from .answers import request_id
from .fault_rules import BODILESS, Drop, Pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .fault_rules import Rule

_BLOCK: Final = 64 * 1024
_GZIP_FORMAT: Final = 16 + zlib.MAX_WBITS
_PAGE: Final = "page"
"""A query option of no meaning, as OData lets a service have them: it makes each link another one."""


class ConnectionDroppedError(ConnectionResetError):
    """The connection ends here, by a reset or by an orderly close.

    It is raised out of the application, or out of the body of its answer, to whatever serves it.
    """

    def __init__(self, *, reset: bool) -> None:
        super().__init__("A scripted fault ended the connection.")
        self.reset = reset


class Dropped(Response):
    """No answer."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self._reset = reset

    def __call__(self, *_: object) -> NoReturn:
        """End the connection."""
        raise ConnectionDroppedError(reset=self._reset)


def spoiled(answer: Response, rule: Rule, sleep: Callable[[float], None]) -> Response:
    """The answer as the rule spoils it: the same one, or none. Its body is generated as it is sent."""
    has_body = request.method != "HEAD" and answer.status_code not in BODILESS
    if rule.drop and (rule.sent is None or not has_body):
        return Dropped(reset=rule.drop == Drop.RESET)
    if rule.pages:
        _link_on(answer, rule.pages)
    if rule.depth or rule.bytes or rule.encoding:
        del answer.headers["Content-Length"]
    if rule.encoding:
        answer.headers["Content-Encoding"] = rule.encoding
    answer.response = _stream(answer.get_data(), rule, sleep)
    return answer


def _stream(body: bytes, rule: Rule, sleep: Callable[[float], None]) -> Iterable[bytes]:
    """The body in parts, each made when it is sent."""
    parts: Iterable[bytes] = [body]
    if rule.depth:
        parts = _nested(parts, rule.depth)
    if rule.bytes:
        parts = _filled_up(parts, rule.bytes)
    if rule.encoding:
        parts = _compressed(parts)
    if rule.drip:
        parts = _dripping(parts, rule.drip, sleep)
    if rule.sent is not None:
        parts = _cut(parts, rule.sent, reset=rule.drop == Drop.RESET)
    return parts


def _link_on(answer: Response, pages: str) -> None:
    document = answer.get_json(silent=True)
    if not isinstance(document, dict) or not isinstance(document.get("value"), list):
        return
    link = request.url if pages == Pages.SAME else _another(document.get("@odata.nextLink") or _first_page())
    content: dict[str, Any] = {**document, "@odata.nextLink": link}
    answer.set_data(json.dumps(content))


def _first_page() -> str:
    options = {name: value for name, value in request.args.items() if name not in {"$skiptoken", _PAGE}}
    return f"{request.base_url}?{urlencode(options, safe='$,()=')}"


def _another(link: str) -> str:
    """The same page under an address that it did not have yet."""
    return f"{link}&{_PAGE}={request_id()}"


def _blocks(one: bytes, count: int) -> Iterator[bytes]:
    while count > 0:
        yield one * min(count, _BLOCK)
        count -= _BLOCK


def _nested(parts: Iterable[bytes], depth: int) -> Iterator[bytes]:
    yield from _blocks(b"[", depth)
    yield from parts
    yield from _blocks(b"]", depth)


def _filled_up(parts: Iterable[bytes], size: int) -> Iterator[bytes]:
    left = size
    for part in parts:
        yield part
        left -= len(part)
    yield from _blocks(b" ", left)


def _compressed(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP_FORMAT)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()


def _dripping(parts: Iterable[bytes], speed: float, sleep: Callable[[float], None]) -> Iterator[bytes]:
    size = max(1, int(speed))
    for part in parts:
        for start in range(0, len(part), size):
            drop = part[start : start + size]
            yield drop
            sleep(len(drop) / speed)


def _cut(parts: Iterable[bytes], sent: int, *, reset: bool) -> Iterator[bytes]:
    left = sent
    for part in parts:
        if len(part) >= left:
            yield part[:left]
            break
        yield part
        left -= len(part)
    raise ConnectionDroppedError(reset=reset)
