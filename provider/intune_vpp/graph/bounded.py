"""Reads an answer within bounds: its size as it arrives and unpacked, and the time until its end.

A proxy or a server that fails may send anything. Graph's pages have less than 1 MB.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES: Final = 2 * 1024 * 1024
"""The largest body that is read. Parsed as JSON, the worst of this size takes 70 MB."""

REQUEST_TIMEOUT: Final = 60.0
"""Seconds from the beginning of a request to the end of its answer: a write in Intune may take long."""

ENCODINGS: Final = "gzip"
"""What requests ask for in `Accept-Encoding`."""

_BY_HEADER: Final = zlib.MAX_WBITS | 32
"""Lets zlib tell gzip from deflate."""


class AnswerTooLarge(httpx.TransportError):
    """The body has more bytes than are read."""


class AnswerTooSlow(httpx.TimeoutException):
    """The body did not end in time."""


def read(response: httpx.Response, ends: float) -> httpx.Response:
    """Return a response whose body was read and unpacked; `ends` is the limit by `time.monotonic`.

    Raises AnswerTooLarge, AnswerTooSlow, and httpx.DecodingError if the body cannot be unpacked.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    chunks = _in_time(response, ends)
    content = b"".join(_limited(chunks if encoding in {"", "identity"} else _unpacked(chunks, encoding)))
    headers = [(name, value) for name, value in response.headers.multi_items() if name not in _OF_THE_TRANSFER]
    return httpx.Response(response.status_code, headers=headers, content=content, request=response.request)


_OF_THE_TRANSFER: Final = {"content-encoding", "content-length", "transfer-encoding"}


def _in_time(response: httpx.Response, ends: float) -> Iterator[bytes]:
    arrived = 0
    # Not `iter_raw`, which refuses a body that is in memory already.
    for chunk in response.stream:  # type: ignore[union-attr]  # a client without `async` has this kind
        if time.monotonic() > ends:
            raise AnswerTooSlow("")
        arrived += len(chunk)
        # What arrives is counted too: a stream of empty blocks has no end and unpacks to nothing.
        if arrived > MOST_BYTES:
            raise AnswerTooLarge("")
        yield chunk


def _unpacked(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise httpx.DecodingError("")
    decoder = zlib.decompressobj(_BY_HEADER)
    try:
        for chunk in chunks:
            # A chunk of zeros unpacks to a thousand times its size.
            yield decoder.decompress(chunk, MOST_BYTES + 1)
            if decoder.unconsumed_tail:
                raise AnswerTooLarge("")
    except zlib.error:
        raise httpx.DecodingError("") from None


def _limited(chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MOST_BYTES:
            raise AnswerTooLarge("")
        yield chunk
