"""The emulator on a socket: HTTP/1.1 over TLS, a thread for each connection.

Werkzeug's own server closes every connection after one answer and shakes hands in its accept loop, where one silent
client holds up all others; hence this small one.
"""

from __future__ import annotations

import io
import os
import socket
import sys
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_IDLE_SECONDS = 75.0
_GOODBYE_SECONDS = 2.0
_LARGEST_BODY = 16 * 1024 * 1024


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
        """Where it listens."""
        return int(self.server_address[1])

    @contextmanager
    def answering(self, app: WSGIApplication, tls: ssl.SSLContext) -> Iterator[None]:
        """Answer with `app` while the block runs; afterwards hang up on everybody."""
        self.app, self._tls = app, tls
        accepting = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="emulator", daemon=True)
        accepting.start()
        try:
            yield
        finally:
            self.shutdown()
            accepting.join()
            self._hang_up()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread; it dies with the process, if it must."""
        thread = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Shake hands here and not in the accept loop: a silent client then holds up nobody else."""
        try:
            super().process_request_thread(self._shaken(request), client_address)
        except OSError:  # no handshake: somebody who speaks no TLS, or not ours
            request.close()
        finally:
            with self._lock:
                del self._open[current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news; anything else is told."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def _shaken(self, raw: socket.socket) -> ssl.SSLSocket:
        raw.settimeout(_IDLE_SECONDS)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        shaken = self._tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open[current_thread()] = shaken
        try:
            shaken.do_handshake()
        except BaseException:
            shaken.close()
            raise
        return shaken

    def _hang_up(self) -> None:
        with self._lock:
            still_open = dict(self._open)
        for connection in still_open.values():
            with suppress(OSError):  # it may have hung up first
                # The plain socket's: the one of TLS would let the other thread go on in clear text.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in still_open:
            thread.join(timeout=_GOODBYE_SECONDS)


class Handler(BaseHTTPRequestHandler):
    """One connection: request after request, each handed to the WSGI application."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    wbufsize = -1  # an answer leaves in one piece
    server: Server

    def answer(self) -> None:
        """Answer the request whose head was just read."""
        body = self._body()
        if body is None:
            return
        status, headers, content = self._asked(body)
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Standard error is not a request log: GET /_emulator/requests is."""

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        refused = self._misfit(length)
        if refused is None:
            return self.rfile.read(int(length))
        self.send_error(refused)
        self.close_connection = True  # what follows cannot be told apart from a body
        return None

    def _misfit(self, length: str) -> HTTPStatus | None:
        if "Transfer-Encoding" in self.headers:
            return HTTPStatus.LENGTH_REQUIRED
        if not length.isdecimal():
            return HTTPStatus.BAD_REQUEST
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if int(length) > _LARGEST_BODY else None

    def _asked(self, body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
        environment = self._environment(body)
        answer = Response.from_app(self.server.app, environment, buffered=True)
        return answer.status, answer.get_wsgi_headers(environment).to_wsgi_list(), answer.get_data()

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
            environment[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environment


def _unquoted(path: str) -> str:
    # WSGI wants the bytes of the path as Latin-1.
    return unquote_to_bytes(path).decode("latin-1")
