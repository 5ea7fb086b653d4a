"""Answers that are too large, too slow, compressed or endless: each is an error, in bounded time and memory."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import tracemalloc
import zlib
from contextlib import contextmanager, suppress
from itertools import repeat
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from graph.fake_graph import ROOT, Quiet, client, graph_client, http
from intune_vpp.clock import SystemClock
from intune_vpp.core.errors import GraphError, GraphUnreachable
from intune_vpp.core.retry import RetryPolicy
from intune_vpp.graph import bounded
from intune_vpp.graph.client import MOST_BYTES_LISTED, MOST_ENTRIES, MOST_PAGES
from intune_vpp.graph.http import open_http
from intune_vpp.graph.redaction import KnownSecrets
from intune_vpp.graph.request import Request, RequestKind
from intune_vpp.graph.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LIST = Request(RequestKind.LIST_TOKENS)
READ = Request(RequestKind.READ_TOKEN, "1")
UPDATE = Request(RequestKind.UPDATE_TOKEN, "1")
CREATE = Request(RequestKind.CREATE_TOKEN)
MB = 2**20
TOO_LARGE = (
    r"^Microsoft Graph at graph\.example sent an answer of more than 2 MB, which was not read \(.*: AnswerTooLarge\)\."
)
DAMAGED = r"^Microsoft Graph at graph\.example sent an answer that cannot be decompressed \(.*: DecodingError\)\."
SECRET = "tell-nobody-of-this"


class Stream(httpx.SyncByteStream):
    """A body that arrives in pieces; `sent` counts them, and `closed` is whether the connection was closed."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.sent, self.closed = 0, False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.sent += 1
            yield piece

    def close(self) -> None:
        """Record it."""
        self.closed = True


def answered(pieces: Iterable[bytes], **headers: str) -> tuple[Stream, Callable[[httpx.Request], httpx.Response]]:
    """The stream of an answer, and a transport that gives it once."""
    stream = Stream(pieces)
    return stream, lambda _: httpx.Response(200, headers=headers, stream=stream)


def document(size: int) -> bytes:
    """A JSON object of exactly this many bytes."""
    empty = b'{"id":"1","x":""}'
    return empty[:-2] + b"a" * (size - len(empty)) + b'"}'


@pytest.mark.parametrize("packed", [True, False])
def test_the_largest_body_is_read(*, packed: bool) -> None:
    """A body of 2 MB is an answer, compressed or not."""
    body = document(bounded.MOST_BYTES)
    if packed:
        stream, send = answered([gzip.compress(body)], **{"Content-Encoding": "gzip"})
    else:
        stream, send = answered([body])

    assert client(send).get("/x", READ)["id"] == "1"
    assert stream.closed


@pytest.mark.parametrize("packed", [True, False])
def test_a_larger_body_is_not(*, packed: bool) -> None:
    """A body with one byte more is an error that names the limit, and the request is not repeated."""
    body = document(bounded.MOST_BYTES + 1)
    content = gzip.compress(body) if packed else body
    requests: list[httpx.Request] = []

    def send(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        headers = {"Content-Encoding": "gzip"} if packed else {}
        return httpx.Response(200, headers=headers, stream=Stream([content]))

    with pytest.raises(GraphUnreachable, match=TOO_LARGE):
        client(send).get("/x", READ)

    assert len(requests) == 1


def test_a_larger_body_after_a_write_leaves_doubt() -> None:
    """An upload whose answer is too large may have been processed."""
    _, send = answered([document(3 * MB)])

    with pytest.raises(GraphUnreachable, match=r"The request may have been processed; the next run checks"):
        client(send).post("/x", CREATE, {})


@pytest.mark.parametrize("status", [400, 404, 429, 503])
def test_a_larger_refusal(status: int) -> None:
    """The body of a refusal has the same limit."""
    with pytest.raises(GraphUnreachable, match=TOO_LARGE):
        client(lambda _: httpx.Response(status, stream=Stream(repeat(b"a" * 65_536)))).get("/x", READ)


@pytest.mark.parametrize("encoding", ["", "identity", " Identity ", "gzip", "GZIP", "x-gzip", "deflate"])
def test_the_encodings(encoding: str) -> None:
    """An answer may be sent as it is, or compressed by gzip or deflate, in any spelling."""
    body = b'{"id": "1"}'
    packed = {"gzip": gzip.compress(body), "x-gzip": gzip.compress(body), "deflate": zlib.compress(body)}
    content = packed.get(encoding.strip().lower(), body)
    # Byte by byte: the pieces need not end where the compression has a border.
    _, send = answered([content[n : n + 1] for n in range(len(content))], **{"Content-Encoding": encoding})

    assert client(send).get("/x", READ) == {"id": "1"}


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip, br", "none", "ü"])
def test_an_encoding_that_is_not_known(encoding: str) -> None:
    """A body in an unknown encoding is an error, and the request is not repeated."""
    stream = Stream([b"x"])
    requests: list[httpx.Request] = []

    def send(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, headers=[(b"Content-Encoding", encoding.encode())], stream=stream)

    with pytest.raises(GraphUnreachable, match=DAMAGED):
        client(send).get("/x", READ)

    assert (len(requests), stream.closed) == (1, True)


@pytest.mark.parametrize(
    "content",
    [
        b"not gzip at all",
        gzip.compress(b'{"id": "1"}')[:10] + b"\xff" * 40,
        gzip.compress(b'{"id": "1"}')[:-8] + bytes(8),
        zlib.compress(b'{"id": "1"}')[:-1] + b"\x00",
    ],
    ids=["text", "damaged", "wrong checksum", "wrong checksum of zlib"],
)
def test_a_damaged_packed_body(content: bytes) -> None:
    """A damaged compressed body is an error."""
    _, send = answered([content], **{"Content-Encoding": "gzip"})

    with pytest.raises(GraphUnreachable, match=DAMAGED):
        client(send).get("/x", READ)


def test_a_packed_body_that_ends_early() -> None:
    """The first half of a compressed document is not a JSON object."""
    body = json.dumps({"id": "1", "x": list(range(9999))}).encode()
    packed = gzip.compress(body)
    _, send = answered([packed[: len(packed) // 2]], **{"Content-Encoding": "gzip"})

    with pytest.raises(GraphUnreachable, match=r"not a JSON object"):
        client(send).get("/x", READ)


def test_an_empty_packed_body() -> None:
    """An empty body has no encoding to undo, whatever its header says."""
    _, send = answered([], **{"Content-Encoding": "gzip"})

    assert client(send).patch("/x", UPDATE, {}) == {}


def zeros(size: int) -> Iterator[bytes]:
    """So many bytes of zeros as gzip, made piece by piece."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    block = bytes(MB)
    for _ in range(size // MB):
        yield packer.compress(block)
    yield packer.flush()


def flat(size: int) -> Iterator[bytes]:
    """So many bytes that are not compressed."""
    block = b"a" * 65_536
    for _ in range(size // len(block)):
        yield block


HUGE: dict[str, tuple[Callable[[], Iterator[bytes]], dict[str, str]]] = {
    "300 MB in gzip": (lambda: zeros(300 * MB), {"Content-Encoding": "gzip"}),
    "300 MB in deflate": (lambda: zeros(300 * MB), {"Content-Encoding": "deflate"}),
    "200 MB": (lambda: flat(200 * MB), {}),
}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("name", HUGE)
def test_a_huge_body_takes_little_memory(name: str, *, whole: bool) -> None:
    """However large an answer is, reading it takes a few times the limit, whether it arrives in pieces or at once."""
    pieces, headers = HUGE[name]
    body = [b"".join(pieces())] if whole and headers else pieces()
    _, send = answered(body, **headers)
    graph = client(send)
    tracemalloc.start()
    try:
        with pytest.raises(GraphUnreachable, match=TOO_LARGE):
            graph.get("/x", READ)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 12 * MB


def empty_blocks() -> Iterator[bytes]:
    """A gzip stream that never ends, and decompresses to nothing."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    yield packer.flush(zlib.Z_SYNC_FLUSH)
    while True:
        # An empty stored block.
        yield b"\x00\x00\x00\xff\xff" * 1000


def test_endless_empty_blocks() -> None:
    """The compressed size is limited too: an endless stream that decompresses to nothing is an error."""
    stream, send = answered(empty_blocks(), **{"Content-Encoding": "gzip"})

    with pytest.raises(GraphUnreachable, match=TOO_LARGE):
        client(send).get("/x", READ)

    assert (stream.sent < 1000, stream.closed) == (True, True)


def test_an_endless_body() -> None:
    """The connection of an endless body is closed as soon as the body is too large."""
    stream, send = answered(repeat(b"a" * 65_536))

    with pytest.raises(GraphUnreachable, match=TOO_LARGE):
        client(send).get("/x", READ)

    assert stream.sent == bounded.MOST_BYTES // 65_536 + 1


class Ticking:
    """A clock for `time.monotonic` that moves by a second with each call."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """A second later."""
        self.seconds += 1.0
        return self.seconds


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_a_body_that_drips(monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    """A body that arrives byte by byte, each byte in time, ends at the deadline of its request."""
    monkeypatch.setattr(time, "monotonic", Ticking())
    body = gzip.compress(bytes(MB)) if headers else b"[" * MB
    streams: list[Stream] = []

    def send(_: httpx.Request) -> httpx.Response:
        streams.append(Stream(body[n : n + 1] for n in range(len(body))))
        return httpx.Response(200, headers=headers, stream=streams[-1])

    says = r"did not finish its answer in time \(reading token 1: AnswerTooSlow\)\. .* It was tried 5 times\.$"
    with pytest.raises(GraphUnreachable, match=says):
        client(send).get("/x", READ)

    # One second for each byte, and the limit is 60.
    assert [55 < one.sent < 65 for one in streams] == [True] * 5
    assert [one.closed for one in streams] == [True] * 5


def test_an_upload_whose_answer_drips_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload whose answer does not end in time may have been processed."""
    monkeypatch.setattr(time, "monotonic", Ticking())
    stream, send = answered(repeat(b" "))

    says = r"did not finish its answer in time .*AnswerTooSlow\)\. The request may have been processed"
    with pytest.raises(GraphUnreachable, match=says):
        client(send).post("/x", CREATE, {})

    assert stream.closed


@contextmanager
def loopback(pieces: Callable[[], Iterable[bytes]], *, pause: float) -> Iterator[tuple[str, list[None]]]:
    """A server that sends these bytes after each request, with pauses; its URL, and an item for each connection."""
    accepted: list[None] = []
    done = threading.Event()

    def answer(connection: socket.socket) -> None:
        # The client gives up at any moment.
        with connection, suppress(OSError):
            if not connection.recv(65_536):
                return
            for piece in pieces():
                connection.sendall(piece)
                if done.wait(pause):
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    accepted.append(None)
                    threads.append(threading.Thread(target=answer, args=(connection,)))
                    threads[-1].start()

        threads = [threading.Thread(target=serve)]
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", accepted
        finally:
            done.set()
            listening.shutdown(socket.SHUT_RDWR)
            for one in threads:
                one.join(timeout=20)


def drip(name: str) -> Iterator[bytes]:
    """An answer of which one part has no end."""
    if name == "header":
        yield b"HTTP/1.1 200 OK\r\nX-Long: "
    elif name == "body":
        yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    elif name == "interim answers":
        while True:
            yield b"HTTP/1.1 100 Continue\r\n\r\n"
    while True:
        yield b"1\r\na\r\n" if name == "body" else b"a"


@pytest.mark.parametrize("name", ["header", "body", "status line", "interim answers"])
def test_an_answer_that_drips_over_a_socket(name: str) -> None:
    """Whatever part of an answer drips, the request ends at its deadline, though each byte is in time."""
    with loopback(lambda: drip(name), pause=0.01) as (url, _), open_http(None, proxies=False) as opened:
        policy = RetryPolicy(attempts=2, wait_initial=0.01, wait_jitter=0.0)
        sending = Sender(SystemClock(), Quiet(), KnownSecrets(), timeout=0.3, policy=policy)
        graph = graph_client(opened, root=f"{url}/beta", sending=sending)
        began = time.monotonic()

        with pytest.raises(GraphUnreachable, match=r"127\.0\.0\.1 did not (finish its answer|respond) "):
            graph.get("/x", READ)

        # Far from the minutes that it would take otherwise.
        assert time.monotonic() - began < 30


def test_a_header_without_end_over_a_socket() -> None:
    """A header of megabytes is not read to its end."""

    def endless() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX-Long: "
        yield from repeat(b"a" * 65_536, 320)

    with loopback(endless, pause=0.0) as (url, accepted), open_http(None, proxies=False) as opened:
        policy = RetryPolicy(attempts=2, wait_initial=0.01, wait_jitter=0.0)
        sending = Sender(SystemClock(), Quiet(), KnownSecrets(), policy=policy)
        with pytest.raises(GraphUnreachable, match=r"did not respond \(reading token 1: (RemoteProtocol|Read)Error\)"):
            graph_client(opened, root=f"{url}/beta", sending=sending).get("/x", READ)

        assert len(accepted) == 2


def test_a_body_that_is_cut_over_a_socket() -> None:
    """A request is repeated if the body of its answer is shorter than the header says."""

    def half() -> Iterator[bytes]:
        yield b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "1"}'

    with loopback(half, pause=0.0) as (url, accepted), open_http(None, proxies=False) as opened:
        policy = RetryPolicy(attempts=3, wait_initial=0.01, wait_jitter=0.0)
        sending = Sender(SystemClock(), Quiet(), KnownSecrets(), policy=policy)
        with pytest.raises(GraphUnreachable, match=r"did not respond .* It was tried 3 times\.$"):
            graph_client(opened, root=f"{url}/beta", sending=sending).get("/x", READ)

        assert len(accepted) == 3


def listing(answer: Callable[[int], dict[str, Any]]) -> tuple[list[object], list[int]]:
    """The entries of a collection whose pages a function makes, until it fails; and the numbers of the pages."""
    pages: list[int] = []

    def send(_: httpx.Request) -> httpx.Response:
        pages.append(len(pages))
        return httpx.Response(200, json=answer(pages[-1]))

    found: list[object] = []
    says = (
        r"^Microsoft Graph returned an unexpected answer \(listing the tokens: more than 1,000 pages, 10,000 entries "
        r"or 16 MB\)\. A proxy may have answered: check graphEndpoint and the network, then try again\.$"
    )
    with pytest.raises(GraphUnreachable, match=says):
        found.extend(client(send).pages("/tokens", LIST))
    return found, pages


def test_endless_pages() -> None:
    """A collection with a link to a further page on each page ends after 1,000 pages."""
    _, pages = listing(lambda number: {"value": [], "@odata.nextLink": f"{ROOT}/tokens?{number}"})

    assert len(pages) == MOST_PAGES + 1


def test_endless_entries() -> None:
    """A collection with ever more entries ends after 10,000."""
    page = [{"id": "1"}] * 999
    _, pages = listing(lambda number: {"value": page, "@odata.nextLink": f"{ROOT}/tokens?{number}"})

    assert len(pages) == MOST_ENTRIES // 999 + 1


def test_large_pages() -> None:
    """A collection whose pages are each within the limit, and large together, ends after 16 MB."""
    page = [{"id": "1", "x": "a" * (MB + 2**19)}]
    _, pages = listing(lambda number: {"value": page, "@odata.nextLink": f"{ROOT}/tokens?{number}"})

    assert len(pages) == MOST_BYTES_LISTED // (MB + 2**19) + 1


def test_the_largest_collection_is_read() -> None:
    """A collection of 10,000 entries on many pages is a collection."""
    left = [{"value": [{"id": "1"}] * 100, "@odata.nextLink": f"{ROOT}/tokens?{n}"} for n in range(99)]
    left.append({"value": [{"id": "1"}] * 100})

    assert len(list(client(lambda _: httpx.Response(200, json=left.pop(0))).pages("/tokens", LIST))) == MOST_ENTRIES


def nested(levels: int, inside: str, *, lists: bool) -> bytes:
    """An object with a member in which this is nested so deeply; the object is a level, too."""
    begin, end = ("[", "]") if lists else ('{"a":', "}")
    return f'{{"id":"1","x":{begin * (levels - 1)}"{inside}"{end * (levels - 1)}}}'.encode()


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("levels", [65, 500, 900, 990, 1000, 5000, 100_000])
@pytest.mark.parametrize("request_", [READ, UPDATE], ids=["read", "update"])
def test_an_answer_that_is_nested_too_deeply(levels: int, request_: Request, *, lists: bool) -> None:
    """JSON of more than 64 levels is an error of ours, also where it quotes a secret, which is not shown."""
    graph = client(lambda _: httpx.Response(200, content=nested(levels, SECRET, lists=lists)))
    graph.secrets.add(SECRET)

    with pytest.raises(GraphUnreachable) as caught:
        graph.get("/x", READ) if request_ is READ else graph.patch("/x", UPDATE, {})

    assert f"({request_}: JSON with too many objects, or nested too deeply)." in str(caught.value)
    assert ("The request may have been processed." in str(caught.value)) is (request_ is UPDATE)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("lists", [True, False])
def test_the_deepest_answer_is_read(*, lists: bool) -> None:
    """JSON of 64 levels is an answer, and a secret that it quotes is removed at every level."""
    graph = client(lambda _: httpx.Response(200, content=nested(64, SECRET, lists=lists)))
    graph.secrets.add(SECRET)

    answer = graph.get("/x", READ)

    assert answer["id"] == "1"
    assert SECRET not in json.dumps(answer)


@pytest.mark.parametrize("in_message", [True, False])
@pytest.mark.parametrize("levels", [65, 990, 100_000])
def test_a_refusal_that_is_nested_too_deeply(levels: int, *, in_message: bool) -> None:
    """A refusal whose body, or the document in its message, is nested too deeply raises the error of its status."""
    deep = "[" * levels + "]" * levels
    body = json.dumps({"error": {"code": "x", "message": deep}}) if in_message else deep
    with pytest.raises(GraphError, match=r"^Microsoft Graph refused \(reading token 1: 400"):
        client(lambda _: httpx.Response(400, content=body)).get("/x", READ)


CODECS = ["zlib_codec", "rot13", "base64", "idna", "undefined", "utf-16", "hex", "bz2", "no-such-codec", "\xff"]


@pytest.mark.parametrize("charset", CODECS)
@pytest.mark.parametrize("status", [200, 400, 404, 503])
def test_the_charset_of_an_answer_is_not_used(charset: str, status: int) -> None:
    """JSON is UTF-8, whatever the header says, and a codec that is not for text does no harm."""
    body = {"id": "1", "x": "ü", "error": {"code": "ResourceNotFound", "message": "Größe"}}
    content = json.dumps(body, ensure_ascii=False).encode()

    def send(_: httpx.Request) -> httpx.Response:
        headers = [(b"Content-Type", f"application/json; charset={charset}".encode())]
        return httpx.Response(status, headers=headers, content=content)

    if status == 200:
        assert client(send).get("/x", READ)["x"] == "ü"
        return
    with pytest.raises(GraphError, match="Größe"):
        client(send).get("/x", READ)


def test_a_header_that_is_not_ascii() -> None:
    """An answer with a header that is not ASCII is read."""
    headers = [(b"X-Proxy", "Größe".encode()), (b"X-Proxy", b"\xff\xfe")]

    assert client(lambda _: httpx.Response(200, headers=headers, json={"id": "1"})).get("/x", READ) == {"id": "1"}


def test_headers_of_the_transfer_are_not_kept() -> None:
    """The headers of an answer that was read do not say that it is compressed, so that it is not decompressed again."""
    body = gzip.compress(b"{}")
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(body)), "request-id": "r"}
    opened = http(lambda _: httpx.Response(200, headers=headers, stream=Stream([body])))

    answer = Sender(SystemClock(), Quiet(), KnownSecrets()).send(opened, opened.build_request("GET", ROOT), what="x")

    assert (answer.headers.get("Content-Encoding"), answer.headers["request-id"], answer.text) == (None, "r", "{}")
    assert answer.headers["Content-Length"] == "2"


def test_a_request_whose_time_is_over_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is made after the deadline sends nothing: the upload may have been repeated by then."""
    resolve, resolved = socket.getaddrinfo, threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        resolved.wait(20)
        return resolve(*arguments, **options)

    def answer() -> Iterator[bytes]:
        received.append(None)
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    received: list[None] = []
    with loopback(answer, pause=0.0) as (url, _), open_http(None, proxies=False) as opened:
        others = set(threading.enumerate())
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        sending = Sender(SystemClock(), Quiet(), KnownSecrets(), timeout=0.1)
        with pytest.raises(GraphUnreachable, match=r"did not finish its answer in time .*may have been processed"):
            graph_client(opened, root=f"{url}/beta", sending=sending).post("/x", CREATE, {})
        resolved.set()
        for late in set(threading.enumerate()) - others:
            late.join(timeout=20)

    assert received == []
