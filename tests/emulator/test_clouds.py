"""The hosts of Microsoft's clouds, reached through the emulator as a proxy."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

import httpx
import msal
import pytest

from emulator.client import TOKENS
from intune_vpp_emulator.serve import Service, serve
from intune_vpp_emulator.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOUDS = {
    "graph.microsoft.com": "login.microsoftonline.com",
    "graph.microsoft.us": "login.microsoftonline.us",
    "dod-graph.microsoft.us": "login.microsoftonline.us",
    "microsoftgraph.chinacloudapi.cn": "login.chinacloudapi.cn",
}
AUDIENCES = {
    "login.microsoftonline.com": "api://AzureADTokenExchange",
    "login.microsoftonline.us": "api://AzureADTokenExchangeUSGov",
    "login.chinacloudapi.cn": "api://AzureADTokenExchangeChina",
}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A tenant under the names of all clouds."""
    with serve(Tenant(), hosts=sorted({*CLOUDS, *CLOUDS.values()})) as service:
        yield service


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    """A client whose proxy is the emulator."""
    proxy = service.url.replace("https://", "http://")
    with httpx.Client(proxy=proxy, verify=service.trusted(), trust_env=False) as client:
        yield client


def sign_in(service: Service, client: httpx.Client, login: str, graph: str, **fields: str) -> httpx.Response:
    """The answer of a login host to the application."""
    who = service.tenant.directory
    credential = fields or {"client_secret": who.app.client_secret}
    form = {"grant_type": "client_credentials", "client_id": who.app.client_id, "scope": f"https://{graph}/.default"}
    return client.post(f"https://{login}/{who.tenant_id}/oauth2/v2.0/token", data=form | credential)


@pytest.mark.parametrize(("graph", "login"), CLOUDS.items())
def test_each_cloud_has_its_graph(service: Service, client: httpx.Client, graph: str, login: str) -> None:
    """The sign-in of a cloud issues access tokens for the Graph of that cloud, which takes no others."""
    answers = {one: sign_in(service, client, login, one) for one in CLOUDS}

    for one, answer in answers.items():
        if CLOUDS[one] != login:
            assert answer.json()["error_codes"] == [500011]
            continue
        header = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert client.get(f"https://{graph}{TOKENS}", headers=header).status_code == (200 if one == graph else 401)


@pytest.mark.parametrize(("login", "audience"), AUDIENCES.items())
def test_each_cloud_has_its_audience_of_assertions(
    service: Service, client: httpx.Client, login: str, audience: str
) -> None:
    """Federated assertions are for the audience of the cloud, and of no other."""
    graph = next(graph for graph, its_login in CLOUDS.items() if its_login == login)
    for one in AUDIENCES.values():
        assertion = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": service.assertion(audience=one),
        }
        answer = sign_in(service, client, login, graph, **assertion)
        assert answer.json().get("error_codes", [0]) == ([0] if one == audience else [700212])


def test_microsofts_library_goes_through_the_proxy(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """MSAL reaches the login host of another cloud through the emulator as its proxy."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would win over what MSAL is configured to trust
        monkeypatch.delenv(name, raising=False)
    directory = service.tenant.directory
    application: Any = msal.ConfidentialClientApplication(
        directory.app.client_id,
        client_credential=directory.app.client_secret,
        authority=f"https://login.microsoftonline.us/{directory.tenant_id}",
        instance_discovery=False,
        verify=str(service.ca_bundle_path),
        proxies={"https": service.url.replace("https://", "http://")},
    )

    assert "access_token" in application.acquire_token_for_client(["https://graph.microsoft.us/.default"])


def test_its_own_address_is_reached_through_the_proxy(service: Service, client: httpx.Client) -> None:
    """The address of the emulator is reached through the proxy too."""
    assert client.get(f"{service.url}/_emulator/clock").status_code == 200


@pytest.mark.parametrize("host", ["graph.elsewhere.example", "login.microsoftonline.com.evil.example", "127.0.0.1:1"])
def test_nothing_leaves_the_machine(client: httpx.Client, host: str) -> None:
    """Hosts that are not the emulator's are refused with 403."""
    with pytest.raises(httpx.ProxyError, match="403 Forbidden"):
        client.get(f"https://{host}")


def connected(service: Service) -> socket.socket:
    """A connection on which nothing was said yet."""
    return socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2])), timeout=5)


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://graph.microsoft.com/ HTTP/1.1\r\n\r\n",
        b"CONNECT graph.microsoft.com HTTP/1.1\r\n\r\n",
        b"CONNECT graph.microsoft.com:x HTTP/1.1\r\n\r\n",
        b"CONNECT graph",
        b"C" * 8_192,
    ],
)
def test_whatever_else_comes_in_clear_is_refused(service: Service, text: bytes) -> None:
    """A request in clear text that is no CONNECT is answered with 400 and nothing else."""
    with connected(service) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer == b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def test_a_tunnel_needs_tls(service: Service) -> None:
    """What follows CONNECT in clear text is not answered in clear text."""
    with connected(service) as connection, connection.makefile("rb") as answer:
        connection.sendall(b"CONNECT GRAPH.microsoft.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
        assert answer.readline() == b"\r\n"
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionError):  # it closes with bytes unread
            assert b"HTTP" not in answer.read()
