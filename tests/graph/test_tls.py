"""Certificates that are not accepted, on real TLS servers on loopback: each reason has its own sentence and cure."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from graph.fake_graph import graph_client, sender
from graph.signing_in import credential
from intune_vpp.core.errors import GraphUnreachable, RequestNotSent
from intune_vpp.graph.http import open_http
from intune_vpp.graph.request import Request, RequestKind
from intune_vpp.graph.tenants import ConfiguredTenant
from intune_vpp_emulator.wire import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

TODAY = datetime.now(UTC)
AGO, AHEAD = TODAY - timedelta(days=400), TODAY + timedelta(days=400)
CLOCK = r"\(the clock of this machine says 20\d\d-\d\d-\d\d\)"
UNKNOWN_CA = r"Its certificate is signed by an unknown CA: add that CA to the PEM file in caBundlePath"


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A server's certificate: whom it names, when it is valid, and whether the client knows its CA."""

    names: tuple[str, ...] = ("127.0.0.1", "localhost")
    not_before: datetime = AGO
    not_after: datetime = AHEAD
    ca_is_known: bool = True


CASES: dict[str, tuple[str, Certificate, str]] = {
    "unknown CA": ("127.0.0.1", Certificate(ca_is_known=False), UNKNOWN_CA),
    "another address": (
        "127.0.0.1",
        Certificate(names=("127.0.0.2", "localhost")),
        r"Its certificate is for another host name: check (graphEndpoint|authorityHost) and any proxy on the way",
    ),
    "another name": (
        "localhost",
        Certificate(names=("graph.example", "127.0.0.1")),
        r"Its certificate is for another host name: check (graphEndpoint|authorityHost) and any proxy on the way",
    ),
    "expired": (
        "127.0.0.1",
        Certificate(not_before=AGO - timedelta(days=1), not_after=AGO),
        rf"Its certificate has expired {CLOCK}: correct the clock, or have the certificate renewed",
    ),
    "not valid yet": (
        "localhost",
        Certificate(not_before=AHEAD, not_after=AHEAD + timedelta(days=1)),
        rf"Its certificate is not valid yet {CLOCK}: correct the clock, or have the certificate reissued",
    ),
}


@contextmanager
def answering(host: str, context: ssl.SSLContext) -> Iterator[str]:
    """A TLS server on loopback with this certificate, by its address."""

    def app(_environ: Any, start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [])
        return [b"{}"]

    with Server(0) as server, server.answering(app, context):
        yield f"https://{host}:{server.port}"


@contextmanager
def serving(folder: Path, host: str, certificate: Certificate) -> Iterator[tuple[str, httpx.Client]]:
    """A server with this certificate, and the client that is to connect to it."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(
        *certificate.names, not_before=certificate.not_before, not_after=certificate.not_after
    ).configure_cert(context)
    (ca if certificate.ca_is_known else trustme.CA()).cert_pem.write_to_path(folder / "ca.pem")
    with answering(host, context) as url, open_http(str(folder / "ca.pem")) as http:
        yield url, http


def graph(url: str, http: httpx.Client) -> None:
    """A request to Graph."""
    client = graph_client(http, root=f"{url}/beta")
    client.get("/x", Request(RequestKind.READ_TOKEN, "x"))


def discovery(url: str, http: httpx.Client) -> None:
    """The discovery of the tenant."""
    ConfiguredTenant("contoso.example", url, http, sender()).guid()


def sign_in(url: str, http: httpx.Client) -> None:
    """A sign-in through MSAL."""
    credential(http, authorityHost=url, tenantId="t", clientId="c", clientSecret="s").access_token()


CALLS = {"graphEndpoint": graph, "authorityHost": discovery, "authorityHost, by MSAL": sign_in}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("case", CASES)
def test_each_reason_has_its_sentence(tmp_path: Path, case: str, call: str) -> None:
    """Why a certificate is not accepted is named with its cure and the setting, and nothing was sent."""
    host, certificate, says = CASES[case]
    with serving(tmp_path, host, certificate) as (url, http), pytest.raises(RequestNotSent, match=says) as caught:
        CALLS[call](url, http)

    sentence = str(caught.value)
    assert ("caBundlePath" in sentence) is (case == "unknown CA")
    assert "name" not in case or call.partition(",")[0] in sentence
    assert "Check the network" not in sentence


def test_a_self_signed_certificate(tmp_path: Path) -> None:
    """A certificate without a CA, as appliances make them, is one of an unknown CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "appliance")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), AGO, AHEAD)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    pem += key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "self.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "self.pem")

    with (
        answering("127.0.0.1", context) as url,
        open_http(None) as http,
        pytest.raises(RequestNotSent, match=UNKNOWN_CA),
    ):
        graph(url, http)


def test_a_certificate_with_another_defect(tmp_path: Path) -> None:
    """Any other reason is quoted in OpenSSL's words, without the advice for an unknown CA."""
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA).configure_cert(context)
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    with answering("127.0.0.1", context) as url, open_http(str(tmp_path / "ca.pem")) as http:
        # A revocation list is required and there is none.
        http._transport._pool._ssl_context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF  # type: ignore[attr-defined]
        says = (
            r"Its certificate was not accepted \(unable to get certificate CRL\): have it replaced, or check any proxy"
        )
        with pytest.raises(RequestNotSent, match=says):
            graph(url, http)


@contextmanager
def accepting(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[None]]]:
    """A server on loopback that answers each connection in this way; its URL and a list with an item for each."""
    accepted: list[None] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            # Closing the listener ends it.
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    accepted.append(None)
                    # The client may close the connection at any moment.
                    with connection, suppress(OSError):
                        answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}", accepted
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=20)


def plain_text(connection: socket.socket) -> None:
    """Answer in HTTP without TLS."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    while connection.recv(4096):
        pass


@pytest.mark.parametrize("call", CALLS)
def test_a_server_without_tls(call: str) -> None:
    """A port that speaks something else than TLS is not blamed on a certificate, and is asked once."""
    says = r"No TLS connection could be made \([A-Z_]+\): check (graphEndpoint|authorityHost) and any proxy on the"
    with accepting(plain_text) as (url, accepted), open_http(None) as http:
        with pytest.raises(GraphUnreachable, match=says):
            CALLS[call](url, http)

        assert len(accepted) == 1


def hang_up(connection: socket.socket) -> None:
    """Close the connection after the first message of the handshake."""
    connection.recv(4096)


@pytest.mark.parametrize("call", CALLS)
def test_a_handshake_that_is_cut(call: str) -> None:
    """A server that closes the connection during the handshake may be overloaded: the request is repeated."""
    with accepting(hang_up) as (url, accepted), open_http(None) as http:
        with pytest.raises(RequestNotSent, match=r"It was tried 5 times\."):
            CALLS[call](url, http)

        assert len(accepted) == 5


RECORD = b"\x17\x03\x03\x00\x20" + bytes(32)
"""A record of TLS whose content nobody has encrypted."""

BREAKS = {
    "a damaged record": (b"", RECORD),
    "a damaged record within the answer": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", RECORD),
    "plain text": (b"", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
}


@contextmanager
def breaking(folder: Path, answer: bytes, after: bytes) -> Iterator[tuple[str, httpx.Client]]:
    """A TLS server that sends the beginning of an answer, then bytes beside TLS; and its client."""
    ca, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(folder / "ca.pem")

    def begin(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(answer)
            with socket.socket(fileno=os.dup(tls.fileno())) as below:
                below.sendall(after)
            while tls.recv(4096):
                pass

    with accepting(begin) as (url, _), open_http(str(folder / "ca.pem")) as http:
        yield url, http


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("breaks", BREAKS.values(), ids=BREAKS)
def test_a_connection_that_breaks_after_its_handshake(tmp_path: Path, breaks: tuple[bytes, bytes], call: str) -> None:
    """A request whose answer ends in a TLS error is repeated, and the error blames no certificate."""
    says = (
        r"The TLS connection broke before the answer was complete \([A-Z_]+\): check the network and any proxy on the"
    )
    with breaking(tmp_path, *breaks) as (url, http), pytest.raises(GraphUnreachable, match=says) as caught:
        CALLS[call](url, http)
    assert "No TLS connection" not in str(caught.value)
    assert "ertificate" not in str(caught.value)
    assert "It was tried 5 times." in str(caught.value)
