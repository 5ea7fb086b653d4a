"""Scripted faults of the answer itself: large, nested, packed and endless bodies, slow answers, dropped connections."""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
import tracemalloc
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from emulator.client import FAULTS, NOW, TOKENS, TOKENS_V1, a_body, a_client, a_tenant, bearer, graph
from intune_vpp_emulator.fault_answers import ConnectionDroppedError
from intune_vpp_emulator.faults import Faults
from intune_vpp_emulator.serve import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from intune_vpp_emulator.tenant import Tenant


def spoiled(tenant: Tenant, *rules: dict[str, Any]) -> httpx.Client:
    """A client that may write, of a tenant with these faults, whose delays pass by its clock."""
    client = a_client(tenant, faults=Faults(rules, sleep=tenant.clock.advance))
    client.headers.update(bearer(tenant))
    return client


@contextmanager
def served(
    tenant: Tenant, *rules: dict[str, Any], sleep: Callable[[float], None] | None = None
) -> Iterator[httpx.Client]:
    """A client over a socket of a tenant with these faults, whose delays pass by its clock."""
    with serve(tenant, faults=Faults(rules, sleep=sleep or tenant.clock.advance)) as service:
        context = ssl.create_default_context(cafile=str(service.ca_bundle_path))
        headers = bearer(tenant, audience=service.url)
        with httpx.Client(base_url=service.url, headers=headers, verify=context, trust_env=False) as client:
            yield client


def log_of(client: httpx.Client) -> list[tuple[str, int | None]]:
    """The methods of the requests and the statuses that were answered."""
    return [(one["method"], one["status"]) for one in client.get("/_emulator/requests").json()]


def test_a_body_is_filled_up() -> None:
    """With `bytes` the tenant's own answer, and a scripted one, has exactly that size and means the same."""
    client = spoiled(a_tenant(), {"bytes": 200_001}, {"status": 503, "body": {"error": {}}, "bytes": 70_000})

    own, scripted = client.get(TOKENS), client.get(TOKENS)

    assert (own.status_code, len(own.content), own.json()["value"]) == (200, 200_001, [])
    assert (scripted.status_code, len(scripted.content), scripted.json()) == (503, 70_000, {"error": {}})


def test_a_body_that_is_larger_stays() -> None:
    """`bytes` shortens nothing."""
    client = spoiled(a_tenant(), {"bytes": 1})

    assert client.get(TOKENS).json()["value"] == []


def test_a_body_is_nested() -> None:
    """With `depth` the body lies in so many arrays, more of them than a reader of JSON takes."""
    client = spoiled(a_tenant(), {"depth": 3}, {"status": 200, "body": 7, "depth": 100_000})

    assert client.get(TOKENS).json()[0][0][0]["value"] == []
    deep = client.get(TOKENS)
    assert deep.text == "[" * 100_000 + "7" + "]" * 100_000
    with pytest.raises(RecursionError):
        deep.json()


def test_a_body_is_packed() -> None:
    """With `encoding` the body is sent in gzip, whether the client asked for it or not."""
    client = spoiled(a_tenant(), {"encoding": "gzip", "bytes": 1_000_000})

    with client.stream("GET", TOKENS, headers={"Accept-Encoding": "identity"}) as answer:
        packed = b"".join(answer.iter_raw())

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(packed) < 10_000


def test_a_packed_body_can_be_read() -> None:
    """A client unpacks it into what the tenant answered."""
    client = spoiled(a_tenant(), {"encoding": "gzip", "bytes": 1_000_000})

    answer = client.get(TOKENS)

    assert (len(answer.content), answer.json()["value"]) == (1_000_000, [])


@pytest.mark.parametrize("packed", [{}, {"encoding": "gzip"}], ids=["plain", "gzip"])
def test_a_large_body_needs_no_memory(packed: dict[str, str]) -> None:
    """The emulator generates a body of any size while it sends it."""
    client = spoiled(a_tenant(), {"bytes": 100_000_000, **packed}, {"depth": 5_000_000})
    tracemalloc.start()
    try:
        for _ in range(2):
            with client.stream("GET", TOKENS) as answer:
                size = sum(len(part) for part in answer.iter_raw())
            assert size > 90_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 10_000_000


def pages_of(client: httpx.Client, path: str, most: int) -> list[httpx.Response]:
    """A collection, page by page, at most so many."""
    pages = [client.get(path)]
    while len(pages) < most and "@odata.nextLink" in pages[-1].json():
        pages.append(client.get(pages[-1].json()["@odata.nextLink"]))
    return pages


@pytest.mark.parametrize("path", [TOKENS, f"{TOKENS_V1}?$top=1&$orderby=appleId"])
def test_pages_never_end(path: str) -> None:
    """With `endless` each page has a link that no page had, through all tokens and then again from the first."""
    tenant = a_tenant(page_size=1)
    made = [tenant.create(a_body(location))["id"] for location in ("Lincoln", "Denver")]
    client = spoiled(tenant, {"pages": "endless", "times": "always"})

    pages = pages_of(client, path, 7)

    assert [one["id"] for page in pages for one in page.json()["value"]] == [*made * 3, made[0]]
    assert len({page.json()["@odata.nextLink"] for page in pages}) == 7


def test_an_empty_page_may_go_on() -> None:
    """Where there is no token, each page is empty and has a link; a rule that is used up ends it."""
    client = spoiled(a_tenant(), {"pages": "endless", "times": 3})

    assert [page.json()["value"] for page in pages_of(client, TOKENS, 9)] == [[], [], [], []]


def test_a_page_may_link_to_itself() -> None:
    """With `same` the link of a page is its own address, also of one in the middle."""
    tenant = a_tenant(page_size=1)
    for location in ("Lincoln", "Denver", "Boston"):
        tenant.create(a_body(location))
    second = graph(tenant).get(TOKENS).json()["@odata.nextLink"]
    client = spoiled(tenant, {"pages": "same", "times": "always"})

    assert client.get(second).json()["@odata.nextLink"] == second
    assert client.get(TOKENS).json()["@odata.nextLink"].endswith(TOKENS)


def test_what_is_no_page_has_no_link() -> None:
    """A single token, a refusal and a text are answered as ever."""
    tenant = a_tenant()
    made = tenant.create(a_body())["id"]
    client = spoiled(tenant, {"pages": "endless", "times": 3})

    answers = [client.get(f"{TOKENS}/{made}"), client.get(f"{TOKENS}/x"), client.get(f"{TOKENS}/$count")]

    assert [one.status_code for one in answers] == [200, 404, 200]
    assert not any("nextLink" in one.text for one in answers)


def test_an_answer_drips() -> None:
    """With `drip` the body takes its time, is whole, and has the length that it would have had."""
    tenant = a_tenant()
    client = spoiled(tenant, {"drip": 4})

    answer = client.get(TOKENS)

    assert answer.json()["value"] == []
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert (tenant.clock.now() - NOW).total_seconds() == pytest.approx(len(answer.content) / 4)


def test_an_answer_may_drip_less_than_a_byte_a_second() -> None:
    """A speed may be a fraction, and may be that of a scripted answer."""
    tenant = a_tenant()

    spoiled(tenant, {"status": 502, "body": "sorry", "drip": 0.5}).get(TOKENS)

    assert (tenant.clock.now() - NOW).total_seconds() == 10


def test_an_answer_drips_on_the_wire() -> None:
    """Served, each part arrives when it is sent, before the next one is waited for."""
    arrived, waits = threading.Semaphore(0), []

    def wait(_seconds: float) -> None:
        waits.append(arrived.acquire(timeout=10))

    with (
        served(a_tenant(), {"status": 200, "body": "abc", "drip": 1}, sleep=wait) as client,
        client.stream("GET", TOKENS) as answer,
    ):
        parts = []
        for part in answer.iter_raw():
            parts.append(part)
            arrived.release()

    assert parts == [b"a", b"b", b"c"]
    assert all(waits)


@pytest.mark.parametrize("rule", [{"bytes": 300_000}, {"encoding": "gzip"}, {"depth": 2}])
def test_a_body_of_unknown_length_is_sent_in_chunks(rule: dict[str, Any]) -> None:
    """Served, a generated body is in chunks, and the connection goes on."""
    with served(a_tenant(), rule) as client:
        generated, next_one = client.get(TOKENS), client.get(TOKENS)

    assert generated.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in generated.headers
    assert generated.json() == next_one.json() or generated.json()[0][0] == next_one.json()
    assert int(next_one.headers["Content-Length"]) == len(next_one.content)


def test_before_chunks_a_body_ends_with_its_connection() -> None:
    """A client of HTTP/1.0 gets a generated body as it is, and the connection is closed behind it."""
    with serve(a_tenant(), faults=Faults([{"status": 200, "body": "x", "bytes": 100_000}])) as service:
        address = ("127.0.0.1", int(service.url.rpartition(":")[2]))
        plain = socket.create_connection(address, timeout=5)
        with service.trusted().wrap_socket(plain, server_hostname=address[0]) as secured:
            secured.sendall(b"GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n")
            answer = b"".join(iter(lambda: secured.recv(65_536), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert body == b"x" + b" " * 99_999


@pytest.mark.parametrize("method", ["HEAD", "DELETE"])
def test_an_answer_without_a_body_stays_so(method: str) -> None:
    """What HTTP gives no body gets none from a rule."""
    tenant = a_tenant()
    made = tenant.create(a_body())["id"]
    with served(tenant, {"bytes": 300_000, "encoding": "gzip"}) as client:
        spoilt = client.request(method, f"{TOKENS}/{made}")
        after = client.get(TOKENS)

    assert (spoilt.content, after.status_code) == (b"", 200)


@pytest.mark.parametrize("drop", [True, "close", "reset"])
@pytest.mark.parametrize(("when", "tokens"), [("before", 0), ("after", 1)])
def test_a_connection_is_dropped(*, drop: str | bool, when: str, tokens: int) -> None:
    """The client gets no answer, the tenant has executed the request or not, and the log has it without a status."""
    tenant = a_tenant()
    with served(tenant, {"method": "POST", "drop": drop, "when": when}) as client:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.post(TOKENS, json=a_body())
        assert len(client.get(TOKENS).json()["value"]) == tokens
        assert log_of(client) == [("POST", None), ("GET", 200)]


@pytest.mark.parametrize(("drop", "is_reset"), [(True, False), ("close", False), ("reset", True)])
def test_a_reset_is_one_of_tcp(*, drop: str | bool, is_reset: bool) -> None:
    """Below TLS, whose libraries tell them apart or not, a reset is an error and a close the end of the data."""
    with serve(a_tenant(), faults=Faults([{"drop": drop}])) as service:
        address = ("127.0.0.1", int(service.url.rpartition(":")[2]))
        plain = socket.create_connection(address, timeout=5)
        with service.trusted().wrap_socket(plain, server_hostname=address[0]) as secured:
            secured.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with socket.socket(fileno=os.dup(secured.fileno())) as below:
                below.settimeout(5)
                ended = pytest.raises(ConnectionResetError) if is_reset else nullcontext()
                with ended:
                    while below.recv(65_536):
                        pass


def test_the_answer_to_a_delete_is_lost() -> None:
    """An answer that has no body is dropped as any other, whatever part of it was to be sent."""
    tenant = a_tenant()
    made = [tenant.create(a_body(location))["id"] for location in ("Lincoln", "Denver")]
    client = spoiled(tenant, {"drop": True, "when": "after"}, {"drop": True, "sent": 9})

    for one in made:
        with pytest.raises(ConnectionDroppedError):
            client.delete(f"{TOKENS}/{one}")

    assert tenant.tokens == []


def test_a_drop_may_be_delayed() -> None:
    """The tenant waits before it drops the connection, as a gateway does."""
    tenant = a_tenant()
    with pytest.raises(ConnectionDroppedError) as dropped:
        spoiled(tenant, {"drop": "reset", "delay": 90}).get(TOKENS)

    assert dropped.value.reset
    assert (tenant.clock.now() - NOW).total_seconds() == 90


@pytest.mark.parametrize("drop", ["close", "reset"])
@pytest.mark.parametrize("size", [{}, {"bytes": 300_000}], ids=["known length", "in chunks"])
def test_a_connection_is_dropped_within_the_answer(drop: str, size: dict[str, int]) -> None:
    """With `sent` the head arrives and the body does not, although the tenant has executed the request."""
    tenant = a_tenant()
    with served(tenant, {"method": "POST", "drop": drop, "sent": 20, **size}) as client:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.post(TOKENS, json=a_body())
        assert log_of(client) == [("POST", 201)]
    assert len(tenant.tokens) == 1


def received(client: httpx.Client) -> tuple[list[bytes], httpx.Response]:
    """The parts of an answer that arrive before its connection is dropped, and its head."""
    parts = []
    with client.stream("GET", TOKENS) as answer, suppress(httpx.RemoteProtocolError, ConnectionDroppedError):
        for part in answer.iter_raw():
            parts.append(part)  # noqa: PERF402 - a list of what came before the error
    return parts, answer


def test_exactly_so_many_bytes_are_sent() -> None:
    """An orderly close within a body comes after so many bytes of it, of however many parts it is made."""
    with served(a_tenant(), {"status": 200, "body": "x", "bytes": 200_000, "drop": True, "sent": 131_075}) as client:
        parts, _ = received(client)

    assert b"".join(parts) == b"x" + b" " * 131_074


def test_a_body_that_is_shorter_is_sent_whole() -> None:
    """Where the body ends before so many bytes, the connection ends behind it."""
    with served(a_tenant(), {"status": 200, "body": "abc", "drop": True, "sent": 5}) as client:
        parts, answer = received(client)

    assert (b"".join(parts), answer.headers["Content-Length"]) == (b"abc", "3")


def test_the_sign_in_and_its_endpoints_can_go_wrong() -> None:
    """Rules apply to discovery, keys, tokens, the endpoints of OIDC tokens and that of managed identities alike."""
    tenant = a_tenant()
    authority = f"/{tenant.directory.tenant_id}"
    calls = [
        ("GET", f"{authority}/v2.0/.well-known/openid-configuration"),
        ("POST", f"{authority}/oauth2/v2.0/token"),
        ("GET", "/oidc/github"),
        ("POST", "/oidc/azure-devops"),
        ("GET", "/msi/token"),
    ]
    client = a_client(tenant)

    for method, path in calls:
        client.post(FAULTS, json=[{"method": method, "path": path, "status": 503}, {"path": path, "drop": "reset"}])
        assert client.request(method, path).status_code == 503
        with pytest.raises(ConnectionDroppedError):
            client.request(method, path)
    assert client.get(FAULTS).json() == []


def test_effects_go_together() -> None:
    """A body may be linked on, nested, filled up, packed and dripped, in this order."""
    tenant = a_tenant()
    client = spoiled(
        tenant,
        {
            "pages": "endless",
            "depth": 2,
            "bytes": 100_000,
            "encoding": "gzip",
            "drip": 100,
            "status": 200,
            "body": {"value": []},
            "delay": 3,
        },
    )

    answer = client.get(TOKENS)

    assert len(answer.content) == 100_000
    assert set(json.loads(answer.content)[0][0]) == {"value", "@odata.nextLink"}
    assert (tenant.clock.now() - NOW).total_seconds() > 3.5
