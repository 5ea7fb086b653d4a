"""The body of a request: taken out of gzip, as Microsoft's Go client sends it, and read as a JSON object."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any, Final

from .behavior import Gzip
from .refusals import GatewayRefusal, bad_request

if TYPE_CHECKING:
    from flask import Request

LARGEST: Final = 16 * 1024 * 1024
"""The most bytes of a body, in gzip or out of it."""

_GZIP_FORMAT: Final = 16 + zlib.MAX_WBITS


def decode(request: Request, gzip: Gzip) -> None:
    """Replace a body in gzip by its content; raises GatewayRefusal where that cannot be."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return
    # a guess: gzip-accepted
    if encoding != "gzip" or gzip is Gzip.UNSUPPORTED:
        raise GatewayRefusal(415, "UnsupportedMediaType", f"The content encoding '{encoding}' is not supported.")
    if gzip is Gzip.UNREADABLE:
        raise _unreadable()
    sent = request.environ["wsgi.input"].read(request.content_length or 0)
    _replace(request, b"")  # so that nobody reads a body that is refused
    _replace(request, _inflated(sent))


def json_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body; raises GatewayRefusal."""
    if not request.content_type:
        raise bad_request("Write requests (excluding DELETE) must contain the Content-Type header declaration.")
    if request.mimetype != "application/json":
        raise GatewayRefusal(415, "UnsupportedMediaType", f"The media type '{request.mimetype}' is not supported.")
    document = request.get_json(silent=True)
    if not isinstance(document, dict):
        raise _unreadable()
    return document


def _replace(request: Request, body: bytes) -> None:
    request.environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _inflated(body: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP_FORMAT)
    try:
        content = stream.decompress(body, LARGEST)
    except zlib.error:
        raise _unreadable() from None
    if stream.unconsumed_tail:
        raise GatewayRefusal(413, "RequestEntityTooLarge", f"The body is larger than {LARGEST} bytes.")
    if not stream.eof:
        raise _unreadable()
    return content


def _unreadable() -> GatewayRefusal:
    return bad_request(
        "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON "
        "format."
    )
