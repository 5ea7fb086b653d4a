"""Removes known secrets from text that Graph or Entra sent."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REMOVED = "…"
_PIECE = 8
"""The number of consecutive characters of a secret that count as a piece of it, and not as a coincidence."""

_STEP = 4
_SEED = _PIECE - _STEP + 1
"""Each piece contains a seed: a run of this length that begins at a multiple of `_STEP` in the secret. Only seeds are
indexed, because one process may know hundreds of token files of 3 kB."""

_ESCAPE = re.compile(
    rb'%([0-9A-Fa-f]{2})|((?:\\u[0-9A-Fa-f]{4})+)|\\(["\\/bfnrt])|(&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);)'
)
"""An escape of a URL, of JSON or of HTML."""

_DEEPEST = 3
"""Levels of escapes that are undone: a JSON document in a JSON string, and a URL in it."""

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
"""Runs that may contain a piece: 8 characters are at least 11 in base64."""

_NEVER_IN_A_PIECE = bytes([*range(0x21), 0x7F])
"""White space and control characters."""

_URL_SAFE = bytes.maketrans(b"-_", b"+/")


class KnownSecrets:
    """The secrets of one connection: client secret, access tokens and token files. Thread-safe.

    A secret is never dropped, because an answer may quote an access token that was replaced.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._to_index: list[str] = []
        self._seeds: set[bytes] = set()
        self._long = b""
        self._short: re.Pattern[str] | None = None
        self._short_spellings: set[str] = set()

    def __repr__(self) -> str:
        return f"KnownSecrets({len(self._known)})"

    def add(self, text: str) -> None:
        """Add a secret. This is cheap: the index is built by the next search."""
        with self._lock:
            if text and text not in self._known:
                self._known.add(text)
                self._to_index.append(text)

    def quoted_in(self, text: str) -> bool:
        """Whether a text contains a whole secret, unescaped. This is cheap."""
        with self._lock:
            return any(secret in text for secret in self._known)

    def remove_from(self, text: str) -> str:
        """The text with `…` in place of each secret, and of each piece of a secret of 8 or more characters.

        Finds secrets as they are, URL-encoded, JSON-escaped and in base64, also with white space or unprintable
        characters in between. A secret of fewer than 8 characters is only found whole.
        """
        with self._lock:
            self._prepare()
            seeds, known, short = self._seeds, self._long, self._short
        spans = [
            view.span(start, start + _PIECE)
            for view in _views(text)
            for start in _pieces(view.data, seeds=seeds, known=known)
        ]
        for start, end in reversed(_merged(spans)):
            text = text[:start] + _REMOVED + text[end:]
        return short.sub(_REMOVED, text) if short else text

    def _prepare(self) -> None:
        """Index the secrets that were added since the last search."""
        added = []
        for secret in self._to_index:
            # A form writes a space as `+`; the search ignores white space.
            for spelling in {secret, secret.replace(" ", "+")}:
                compact = _view(spelling).data
                if len(compact) < _PIECE:
                    self._short_spellings |= _spellings(secret)
                else:
                    added.append(compact)
                    self._seeds.update(compact[at : at + _SEED] for at in range(0, len(compact) - _SEED + 1, _STEP))
        self._to_index.clear()
        if added:
            self._long = b"\0".join([self._long, *added])
        if self._short_spellings:
            longest_first = sorted(self._short_spellings, key=len, reverse=True)
            self._short = re.compile("|".join(map(re.escape, longest_first)))


class _View(NamedTuple):
    """One reading of a text; `span` maps a range of `data` to start and end in the text."""

    data: bytes
    span: Callable[[int, int], tuple[int, int]]


def _views(text: str) -> Iterator[_View]:
    """The text as it is, with its escapes undone, and each of these with base64 decoded; all without white space."""
    view = _view(text)
    for _ in range(_DEEPEST):
        yield view
        yield from _out_of_base64(view)
        if not _ESCAPE.search(view.data):
            return
        view = _unescaped(view)
    yield view


def _view(text: str) -> _View:
    if text.isascii() and text.isprintable() and " " not in text:
        return _View(text.encode(), lambda start, end: (start, end))
    shown = ((at, character) for at, character in enumerate(text) if character.isprintable() and character != " ")
    kept = [(at, character.encode()) for at, character in shown]
    places = [at for at, encoded in kept for _ in encoded]
    return _View(b"".join(encoded for _, encoded in kept), lambda start, end: (places[start], places[end - 1] + 1))


def _unescaped(outer: _View) -> _View:
    data, starts, ends, done = bytearray(), list[int](), list[int](), 0
    for found in _ESCAPE.finditer(outer.data):
        meaning = _meaning(found)
        data += outer.data[done : found.start()] + meaning
        starts += [*range(done, found.start()), *[found.start()] * len(meaning)]
        ends += [*range(done + 1, found.start() + 1), *[found.end()] * len(meaning)]
        done = found.end()
    data += outer.data[done:]
    starts += range(done, len(outer.data))
    ends += range(done + 1, len(outer.data) + 1)
    return _View(bytes(data), lambda start, end: outer.span(starts[start], ends[end - 1]))


def _meaning(escape: re.Match[bytes]) -> bytes:
    """The characters that an escape means, without white space."""
    by_url, by_json, single, by_html = escape.groups()
    if by_url:
        meaning = bytes.fromhex(by_url.decode())
    elif by_html:
        meaning = html.unescape(by_html.decode()).encode(errors="ignore")
    elif by_json:
        meaning = str(json.loads(f'"{by_json.decode()}"')).encode(errors="ignore")
    else:
        meaning = single if single in b'"\\/' else b""
    return meaning.translate(None, _NEVER_IN_A_PIECE)


def _out_of_base64(outer: _View) -> Iterator[_View]:
    """Each run of base64 decoded, from each of the four offsets at which a group may begin."""
    for run in _BASE64.finditer(outer.data):
        for shift in range(4):
            yield _decoded(outer, run.start() + shift, run.end())


def _decoded(outer: _View, first: int, last: int) -> _View:
    coded = outer.data[first:last].translate(_URL_SAFE)
    decoded = base64.b64decode(coded + b"A" * (-len(coded) % 4))[: len(coded) * 6 // 8]
    kept = [at for at, byte in enumerate(decoded) if byte not in _NEVER_IN_A_PIECE]

    def span(start: int, end: int) -> tuple[int, int]:
        # A character of base64 has six bits, a byte of `data` has eight.
        return outer.span(first + kept[start] * 8 // 6, first + (kept[end - 1] * 8 + 7) // 6 + 1)

    return _View(decoded.translate(None, _NEVER_IN_A_PIECE), span)


def _pieces(data: bytes, *, seeds: set[bytes], known: bytes) -> Iterator[int]:
    """The positions in `data` at which pieces of secrets begin."""
    for at in range(len(data) - _SEED + 1):
        if data[at : at + _SEED] in seeds:
            for start in range(max(at - _STEP + 1, 0), min(at, len(data) - _PIECE) + 1):
                if data[start : start + _PIECE] in known:
                    yield start


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, with overlapping ones merged."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _spellings(secret: str) -> set[str]:
    """The secret as it is, and as it is written in a URL, a form, JSON and base64."""
    return {
        secret,
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode(errors="replace")).decode(),
    }
