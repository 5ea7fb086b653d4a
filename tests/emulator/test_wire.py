"""The emulator on a socket."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from emulator.client import TOKENS, a_body, a_tenant, bearer
from intune_vpp_emulator.serve import Service, serve
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@pytest.fixture
def service() -> Iterator[Service]:
    """A tenant on a free port."""
    with serve(a_tenant()) as service:
        yield service


def port_of(service: Service) -> int:
    """Where it listens."""
    return int(service.url.rpartition(":")[2])


def trusting(service: Service) -> ssl.SSLContext:
    """TLS that trusts the emulator's authority and nobody else."""
    return ssl.create_default_context(cafile=str(service.ca_bundle_path))


def a_client(service: Service, name: str = "127.0.0.1") -> httpx.Client:
    """A client that may write."""
    url = f"https://{name}:{port_of(service)}"
    headers = bearer(service.tenant, audience=url)
    return httpx.Client(base_url=url, headers=headers, verify=trusting(service), trust_env=False)


def raw(service: Service) -> ssl.SSLSocket:
    """A connection on which nothing was said yet."""
    plain = socket.create_connection(("127.0.0.1", port_of(service)), timeout=5)
    return trusting(service).wrap_socket(plain, server_hostname="127.0.0.1")


def answer_to(service: Service, request: bytes) -> bytes:
    """Everything that comes back until the server hangs up."""
    with raw(service) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_it_answers_on_both_of_its_names(service: Service, name: str) -> None:
    """The certificate, the audience and the links hold for the address and for localhost."""
    with a_client(service, name) as client:
        made = client.post(TOKENS, json=a_body())

        assert made.status_code == 201
        assert made.json()["@odata.context"].startswith(f"https://{name}:{port_of(service)}/beta/")


def test_nobody_trusts_it_by_accident(service: Service) -> None:
    """Without the emulator's own authority the connection is refused."""
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError, match="certificate"):
        client.get(service.url)


def test_a_connection_is_kept(service: Service) -> None:
    """Many requests, with and without a body, travel on one connection."""
    with a_client(service) as client:
        made = client.post(TOKENS, json=a_body()).json()
        streams = {client.get(f"{TOKENS}/{made['id']}").extensions["network_stream"] for _ in range(5)}
        streams |= {client.post(f"{TOKENS}/{made['id']}/syncLicenses").extensions["network_stream"]}
        streams |= {client.delete(f"{TOKENS}/{made['id']}").extensions["network_stream"]}
        streams |= {client.delete(f"{TOKENS}/{made['id']}").extensions["network_stream"]}

        assert len(streams) == 1


def test_silent_clients_block_nobody(service: Service) -> None:
    """Clients that connect and say nothing, with or without a handshake, do not hold up the others."""
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", port_of(service))))
            stack.enter_context(raw(service))
        with a_client(service) as client:
            assert client.get(TOKENS, timeout=5).status_code == 200


def test_a_client_without_tls_is_hung_up_on(service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    """Plain HTTP gets no answer and leaves no noise."""
    with socket.create_connection(("127.0.0.1", port_of(service)), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(1024):
                pass

    assert capfd.readouterr().err == ""


def test_a_client_that_goes_away_makes_no_noise(service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    """A connection reset in the middle of a request is no news, and the next request is served."""
    connection = raw(service)
    connection.sendall(b"GET /_emulator/clock HTTP/1.1\r\nHost: x\r\n\r\n")
    assert connection.recv(1) == b"H"
    connection.sendall(b"POST /beta/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    with a_client(service) as client:
        assert client.get(TOKENS).status_code == 200

    assert capfd.readouterr().err == ""


def a_post(head: bytes, body: bytes = b"") -> bytes:
    """A request on the wire."""
    return b"POST /beta/x HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("request_text", "status", "code"),
    [
        (a_post(b"Content-Length: x"), 400, "BadRequest"),
        (a_post(b"Content-Length: -5"), 400, "BadRequest"),
        (a_post(b"Content-Length: 99999999999"), 413, None),
        (a_post(b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"), 400, "BadRequest"),
        (a_post(b"Transfer-Encoding: gzip"), 501, "NotImplemented"),
        (a_post(b"Transfer-Encoding: chunked", b"x\r\n"), 400, "BadRequest"),
        (a_post(b"Transfer-Encoding: chunked", b"1\r\n{}\r\n"), 400, "BadRequest"),
        (a_post(b"Transfer-Encoding: chunked", b"FFFFFFFFF\r\n"), 413, None),
        (a_post(b"Transfer-Encoding: chunked", b"0\r\n" + b"a: b\r\n" * 200), 400, "BadRequest"),
        (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501, "NotImplemented"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431, "RequestHeaderFieldsTooLarge"),
    ],
)
def test_what_cannot_be_read_is_refused(service: Service, request_text: bytes, status: int, code: str | None) -> None:
    """A request that cannot be read is refused in Graph's envelope, and the connection closed."""
    head, _, body = answer_to(service, request_text).rpartition(b"\r\n\r\n")

    error = json.loads(body)["error"]
    assert set(error) == {"code", "message", "innerError"}
    assert code in {None, error["code"]}
    assert not head or int(head.split()[1]) == status


def test_a_body_may_come_in_chunks(service: Service) -> None:
    """A body of unknown length, in chunks with extensions and trailers, is read like any other."""
    text = json.dumps(a_body()).encode()
    with a_client(service) as client:
        streamed = client.post(TOKENS, content=iter([text[:7], text[7:]]), headers={"Content-Type": "application/json"})
        again = client.get(f"{TOKENS}/{streamed.json()['id']}")
    by_hand = a_post(
        b"Content-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: Chunked",
        b"2;why=not\r\n{}\r\n0\r\nX-Trailer: y\r\n\r\n",
    )

    assert (streamed.status_code, again.status_code) == (201, 200)
    assert answer_to(service, by_hand).startswith(b"HTTP/1.1 401 ")


def test_further_hosts_are_in_the_certificate() -> None:
    """The certificate, the audience and the control routes hold for further names, with the port and without it."""
    tenant = a_tenant()
    with serve(tenant, hosts=["graph.contoso.example", "127.0.0.2"]) as service:
        for root in (f"https://graph.contoso.example:{port_of(service)}", "https://graph.contoso.example"):
            headers = {**bearer(tenant, audience=root), "Host": root.removeprefix("https://")}
            with httpx.Client(base_url=service.url, verify=trusting(service), trust_env=False) as client:
                extensions = {"sni_hostname": "graph.contoso.example"}
                listed = client.get(TOKENS, headers=headers, extensions=extensions)
                clock = client.get("/_emulator/clock", headers=headers, extensions=extensions)
            assert (listed.status_code, clock.status_code) == (200, 200)
            assert listed.json()["@odata.context"].startswith(f"{root}/beta/")


def test_nothing_has_no_type(service: Service) -> None:
    """A 204 has neither a body nor a length nor a content type."""
    with a_client(service) as client:
        made = client.post(TOKENS, json=a_body()).json()
        answers = [client.delete(f"{TOKENS}/{made['id']}"), client.delete("/_emulator/requests")]

    for answer in answers:
        assert answer.status_code == 204
        assert {"content-type", "content-length", "transfer-encoding"} & set(answer.headers) == set()


def test_head_answers_without_a_body(service: Service) -> None:
    """HEAD tells the length of what GET would answer, and ends there."""
    answer = answer_to(service, b"HEAD /_emulator/clock HTTP/1.0\r\n\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"Content-Length: " in head
    assert body == b""


def test_paths_are_unquoted_once(service: Service) -> None:
    """A path with escapes reaches the application as its characters."""
    with a_client(service) as client:
        client.get("/beta/caf%C3%A9%2520")

        assert client.get("/_emulator/requests").json()[-1]["path"] == "/beta/café%20"


def test_an_application_can_be_wrapped() -> None:
    """What is wrapped around the application sees every request and may answer in its place."""

    def around(app: WSGIApplication) -> WSGIApplication:
        def wrapped(environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if environment["PATH_INFO"] != "/teapot":
                return app(environment, start)
            start("418 I'm a teapot", [])
            return [b"short and stout"]

        return wrapped

    with serve(a_tenant(), around=around) as service, a_client(service) as client:
        assert (client.get("/teapot").status_code, client.get("/teapot").text) == (418, "short and stout")
        assert client.get(TOKENS).status_code == 200


def test_a_bug_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    """An application that breaks hangs up, and says so on standard error."""

    def broken(*_: object) -> list[bytes]:
        raise LookupError("broken")

    with (
        serve(a_tenant(), around=lambda _: broken) as service,
        a_client(service) as client,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get("/")

    assert "LookupError: broken" in capfd.readouterr().err


def test_the_end_hangs_up_at_once() -> None:
    """Leaving the block ends idle and silent connections without waiting for them, and frees the port."""
    with contextlib.ExitStack() as stack:
        with serve(a_tenant()) as service:
            idle = stack.enter_context(raw(service))
            stack.enter_context(socket.create_connection(("127.0.0.1", port_of(service))))
            with a_client(service) as client:
                client.get(TOKENS)
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert idle.recv(1) == b""
        assert "emulator" not in {thread.name for thread in threading.enumerate()}
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port_of(service)))


def test_the_authority_is_gone_afterwards() -> None:
    """The temporary file of the authority disappears with the service."""
    with serve(a_tenant()) as service:
        assert service.ca_bundle_path.exists()

    assert not service.ca_bundle_path.exists()


def test_the_environment_points_at_the_service(tmp_path: Path) -> None:
    """The environment names tenant, application, endpoints and the authority's file where it was asked for."""
    ca = tmp_path / "ca.pem"
    with serve(a_tenant(), ca_bundle_path=ca) as service:
        who = service.tenant.directory
        assert service.environment == {
            "ARM_TENANT_ID": who.tenant_id,
            "ARM_CLIENT_ID": who.app.client_id,
            "ARM_CLIENT_SECRET": who.app.client_secret,
            "INTUNE_VPP_GRAPH_ENDPOINT": service.url,
            "INTUNE_VPP_AUTHORITY_HOST": service.url,
            "INTUNE_VPP_CA_BUNDLE_PATH": str(ca),
            "INTUNE_VPP_EMULATOR_URL": service.url,
        }
    assert "BEGIN CERTIFICATE" in ca.read_text()


def test_real_time_works_too() -> None:
    """On the machine's own clock a sync completes while one waits."""
    tenant = Tenant(sync_seconds=0.05)
    made = tenant.create_by_hand({"token": a_body()["token"], "appleId": "vpp@contoso.example"})

    assert tenant.sync_licenses(made["id"])["lastSyncStatus"] == "inProgress"
    deadline = time.monotonic() + 5
    while tenant.get(made["id"])["lastSyncStatus"] == "inProgress" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tenant.get(made["id"])["lastSyncStatus"] == "completed"
