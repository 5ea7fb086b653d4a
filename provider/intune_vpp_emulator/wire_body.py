"""The body of a request on the wire: of a stated length, or in chunks (RFC 9112, sections 6 and 7)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from .request_body import LARGEST

if TYPE_CHECKING:
    from email.message import Message
    from io import BufferedIOBase

_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,15})\s*(?:;.*)?\r?\n")
_LONGEST_LINE: Final = 8_192
_MOST_TRAILERS: Final = 100


class UnreadableBodyError(Exception):
    """A body that cannot be read, so that the connection cannot go on; the text is a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def request_body(headers: Message, stream: BufferedIOBase) -> bytes:
    """The body behind these headers; raises UnreadableBodyError."""
    coding, length = headers.get("Transfer-Encoding"), headers.get("Content-Length")
    if coding is None:
        return _of_length(length or "0", stream)
    if length is not None:  # a proxy could take the one and a server the other
        raise _bad_request("A request has either a Content-Length or a Transfer-Encoding.")
    if coding.strip().lower() != "chunked":
        raise UnreadableBodyError(HTTPStatus.NOT_IMPLEMENTED, f"The transfer encoding '{coding}' is not supported.")
    return _chunked(stream)


def _of_length(text: str, stream: BufferedIOBase) -> bytes:
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise _bad_request("The Content-Length is not a number.")
    _check_size(int(text))
    return stream.read(int(text))


def _chunked(stream: BufferedIOBase) -> bytes:
    body = bytearray()
    while size := _chunk_size(stream):
        _check_size(len(body) + size)
        body += stream.read(size)
        if stream.readline(_LONGEST_LINE).strip():
            raise _bad_request("A chunk is longer than its size.")
    for _ in range(_MOST_TRAILERS):
        if not stream.readline(_LONGEST_LINE).strip():
            return bytes(body)
    raise _bad_request("The body has too many trailers.")


def _chunk_size(stream: BufferedIOBase) -> int:
    size = _CHUNK_SIZE.fullmatch(stream.readline(_LONGEST_LINE))
    if size is None:
        raise _bad_request("The size of a chunk is not a hexadecimal number.")
    return int(size[1], 16)


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise UnreadableBodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {LARGEST} bytes.")


def _bad_request(sentence: str) -> UnreadableBodyError:
    return UnreadableBodyError(HTTPStatus.BAD_REQUEST, sentence)
