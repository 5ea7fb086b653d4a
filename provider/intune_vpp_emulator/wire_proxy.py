"""Lets the server act as an HTTP CONNECT proxy to itself, on its TLS port (RFC 9110, section 9.3.6)."""

from __future__ import annotations

import re
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

_HANDSHAKE: Final = b"\x16"
"""The first byte of TLS, with which no request begins."""
_LONGEST_HEAD: Final = 8_192
_CONNECT: Final = re.compile(rb"CONNECT ([^\s:]+):(\d{1,5}) HTTP/1\.[01]\r\n", re.IGNORECASE)
_HTTPS: Final = "443"


def accept_tunnel(connection: socket.socket, roots: Collection[str]) -> None:
    """Open the tunnel that a client asks for; nothing where it begins with TLS.

    Only `roots` (`https://host[:port]`) are reached, and nothing leaves the machine. Whatever else is asked for in
    clear text is refused, and raises ConnectionError.
    """
    if connection.recv(1, socket.MSG_PEEK) in {_HANDSHAKE, b""}:
        return
    wanted = _CONNECT.match(_head(connection))
    status = HTTPStatus.OK if wanted is not None else HTTPStatus.BAD_REQUEST
    if wanted is not None and not _addresses(wanted) & set(roots):
        status = HTTPStatus.FORBIDDEN
    connection.sendall(_answer(status))
    if status != HTTPStatus.OK:
        raise ConnectionError(status.phrase)


def _head(connection: socket.socket) -> bytes:
    """The request without what follows it, which is TLS; byte by byte, since no byte of that may be taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _LONGEST_HEAD:
        one = connection.recv(1)
        if not one:
            break
        head += one
    return head


def _addresses(wanted: re.Match[bytes]) -> set[str]:
    host, port = wanted[1].decode("latin-1").lower(), wanted[2].decode()
    return {f"https://{host}:{port}"} | ({f"https://{host}"} if port == _HTTPS else set())


def _answer(status: HTTPStatus) -> bytes:
    headers = "" if status == HTTPStatus.OK else "Content-Length: 0\r\nConnection: close\r\n"
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{headers}\r\n".encode()
