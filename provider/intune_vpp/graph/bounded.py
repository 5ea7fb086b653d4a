"""Reads an answer with limits: of its size, before and after decompression, and of the time until its end.

A proxy or a failing server may send anything. Graph's pages have less than 1 MB.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES: Final = 2 * 1024 * 1024
"""The largest body that is read."""

REQUEST_TIMEOUT: Final = 60.0
"""Seconds from the start of a request to the end of its answer, by default. A write in Intune may take long."""

ENCODINGS: Final = "gzip"
"""The value of `Accept-Encoding`."""

_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
"""zlib detects the format by its header."""

_TRANSFER_HEADERS: Final = {b"content-encoding", b"content-length", b"transfer-encoding"}
"""The headers that do not hold for the decompressed body."""


class AnswerTooLarge(httpx.TransportError):
    """The body has more than `MOST_BYTES`, compressed or decompressed."""


class AnswerTooSlow(httpx.TimeoutException):
    """The body did not end in time."""


def read(response: httpx.Response, ends: float) -> httpx.Response:
    """Return the response with its body read and decompressed; `ends` is the deadline in seconds of `time.monotonic`.

    Raises AnswerTooLarge, AnswerTooSlow, and httpx.DecodingError if the body cannot be decompressed.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    chunks = _in_time(response, ends)
    content = b"".join(_limited(chunks if encoding in {"", "identity"} else _unpacked(chunks, encoding)))
    # As bytes, because a proxy may send headers that are not ASCII.
    headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _TRANSFER_HEADERS]
    read = httpx.Response(response.status_code, headers=headers, content=content, request=response.request)
    # JSON is UTF-8 (RFC 8259). The header may name a codec that is not for text, which raises errors of its own.
    read.encoding = "utf-8"
    return read


def _in_time(response: httpx.Response, ends: float) -> Iterator[bytes]:
    arrived = 0
    # Not `iter_raw`, which raises an error for a body that is already in memory.
    for chunk in response.stream:  # type: ignore[union-attr]  # a synchronous client has this type of stream
        if time.monotonic() > ends:
            raise AnswerTooSlow("")
        arrived += len(chunk)
        # The compressed size is limited too: an endless stream of empty blocks decompresses to nothing.
        if arrived > MOST_BYTES:
            raise AnswerTooLarge("")
        yield chunk


def _unpacked(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise httpx.DecodingError("")
    decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for chunk in chunks:
            # A chunk of zeros decompresses to a thousand times its size.
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
