"""The emulator on a socket: HTTP/1.1 over TLS, a thread for each connection.

Werkzeug's own server closes every connection after one answer and does the handshake in its accept loop, where one
silent client blocks all others; hence this one.
"""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import sys
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from werkzeug.test import run_wsgi_app
from werkzeug.wsgi import ClosingIterator

from .fault_answers import ConnectionDroppedError
from .wire_body import UnreadableBodyError, request_body
from .wire_proxy import accept_tunnel

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection, Iterable, Iterator

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from werkzeug.datastructures import Headers

_IDLE_SECONDS = 75.0
_CLOSING_SECONDS = 2.0
_NO_LINGERING = ("HH" if os.name == "nt" else "ii", 1, 0)
"""SO_LINGER on, for no time: closing the socket resets the connection."""
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class Server(ThreadingMixIn, TCPServer):
    """Listens on 127.0.0.1 from its construction on, and answers once it has an application."""

    allow_reuse_address = os.name == "posix"  # elsewhere it would let two servers share a port
    request_queue_size = 256

    def __init__(self, port: int) -> None:
        self._open: dict[Thread, socket.socket] = {}
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    @contextmanager
    def answering(self, app: WSGIApplication, tls: ssl.SSLContext, roots: Collection[str] = ()) -> Iterator[None]:
        """Answer with `app` while the block runs, then close all connections.

        `roots` (`https://host[:port]`) are what clients that have this server as their proxy may connect to.
        """
        self.app, self._tls, self._roots = app, tls, roots
        accepting = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="emulator", daemon=True)
        accepting.start()
        try:
            yield
        finally:
            self.shutdown()
            accepting.join()
            self._close_all()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread, which does not keep the process alive."""
        thread = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Do the handshake here and not in the accept loop, where a silent client would block all others."""
        try:
            super().process_request_thread(self._handshaken(request), client_address)
        except OSError:  # no handshake: not TLS, or a client that does not trust the certificate
            request.close()
        finally:
            with self._lock:
                del self._open[current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report all but a client that closes the connection."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def _handshaken(self, raw: socket.socket) -> ssl.SSLSocket:
        raw.settimeout(_IDLE_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        accept_tunnel(raw, self._roots)
        secured = self._tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open[current_thread()] = secured
        try:
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured

    def _close_all(self) -> None:
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open.values():
            with suppress(OSError):  # the client may have closed it
                # The plain socket's method: that of TLS would let the other thread go on in clear text.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in still_open:
            thread.join(timeout=_CLOSING_SECONDS)


class Handler(BaseHTTPRequestHandler):
    """One connection: request after request, each handed to the WSGI application."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    wbufsize = -1  # an answer is sent in one piece
    server: Server

    def answer(self) -> None:
        """Answer the request whose head was just read."""
        try:
            body = request_body(self.headers, self.rfile)
        except UnreadableBodyError as reason:
            self.send_error(reason.status, str(reason))
            return
        try:
            parts, status, headers = run_wsgi_app(self.server.app, self._environment(body))
            with closing(ClosingIterator(parts)) as closed:
                self._send(status, headers, closed)
        except ConnectionDroppedError as fault:
            self._drop(reset=fault.reset)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = answer  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what cannot be read, in Graph's envelope; what follows could be part of a body."""
        del explain
        status = HTTPStatus(code)
        name = "".join(letter for letter in status.phrase if letter.isalpha())
        error = {"code": name, "message": message or status.description or status.phrase, "innerError": {}}
        content = json.dumps({"error": error}).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")  # which also closes it
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: `GET /_emulator/requests` is the log."""

    def _send(self, status: str, headers: Headers, parts: Iterable[bytes]) -> None:
        """Send each part as soon as it is produced, the head together with the first part."""
        code, _, reason_phrase = status.partition(" ")
        framed = self._framed(int(code), headers)
        self.send_response_only(int(code), reason_phrase)
        for name, value in headers.to_wsgi_list():
            self.send_header(name, value)
        self.end_headers()
        for part in parts:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if framed and part else part)
            self.wfile.flush()
        if framed:
            self.wfile.write(b"0\r\n\r\n")

    def _framed(self, code: int, headers: Headers) -> bool:
        """Whether the body is sent in chunks, since its length is not known.

        Before HTTP/1.1 there are no chunks: the body ends with the connection.
        """
        if "Content-Length" in headers or self.command == "HEAD" or code in _WITHOUT_BODY:
            return False
        if self.request_version != "HTTP/1.1":
            self.close_connection = True
            return False
        headers["Transfer-Encoding"] = "chunked"
        return True

    def _drop(self, *, reset: bool) -> None:
        """End the connection without a word of TLS, as a broken network does."""
        self.wfile.flush()
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(*_NO_LINGERING))
        # Not `close`: the files of this handler would keep it open, and the server would send an orderly end first.
        socket.close(self.connection.detach())

    def _environment(self, body: bytes) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        environment: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": _unquoted(path),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": "localhost",
            "SERVER_PORT": str(self.server.port),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            if name.lower() == "transfer-encoding":  # which is undone
                continue
            environment[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environment


def _unquoted(path: str) -> str:
    # WSGI has the bytes of the path as Latin-1.
    return unquote_to_bytes(path).decode("latin-1")
