"""Files of client certificates that cannot be used, and what is said of them before anything is sent."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from graph.signing_in import credential
from intune_vpp.core.errors import RequestNotSent, SettingsError
from intune_vpp.core.printable import printable
from intune_vpp_emulator.identity.certificates import Certificate

if TYPE_CHECKING:
    from pathlib import Path

OURS, OTHERS = Certificate.fresh("ours"), Certificate.fresh("others")
IN = "intune-vpp:clientCertificatePath"


def refused(**values: str) -> str:
    """The sentence of a certificate that cannot be used; nothing is sent."""

    def send(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    with httpx.Client(transport=httpx.MockTransport(send)) as http, pytest.raises(SettingsError) as caught:
        credential(
            http, tenantId="t", clientId="c", **{name: one for name, one in values.items() if one}
        ).access_token()
    assert "p4ss-word" not in str(caught.value)
    return str(caught.value)


def elliptic() -> str:
    """A certificate with an EC key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ec")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (private + signed.public_bytes(Encoding.PEM)).decode()


def key_of(certificate: Certificate) -> str:
    """The private key alone."""
    return certificate.pem().partition("-----BEGIN CERTIFICATE")[0]


UNREADABLE = "The client certificate in {} cannot be read as PEM or PFX, or {}. Check clientCertificatePassword (ARM_"
CASES = {
    "no certificate": (b"hello", "", UNREADABLE.format(IN, "it needs a password")),
    "empty": (b"", "", UNREADABLE.format(IN, "it needs a password")),
    "cut off": (OURS.pem()[:-80].encode(), "", UNREADABLE.format(IN, "it needs a password")),
    "cut off in binary": (OURS.pfx()[:-80], "", UNREADABLE.format(IN, "it needs a password")),
    "wrong password": (OURS.pfx("right-one"), "p4ss-word", UNREADABLE.format(IN, "its password is wrong")),
    "wrong password of PEM": (
        OURS.pem("right-one").encode(),
        "p4ss-word",
        UNREADABLE.format(IN, "its password is wrong"),
    ),
    "public part": (
        OURS.public_pem.encode(),
        "",
        f"The client certificate in {IN} has no private key. Export it with its private key.",
    ),
    "key alone": (
        key_of(OURS).encode(),
        "",
        f"There is no certificate for the private key in {IN}. Export the certificate and its private key into one f",
    ),
    "another's key": (
        f"{key_of(OTHERS)}{OURS.public_pem}".encode(),
        "",
        f"There is no certificate for the private key in {IN}. Export the certificate and its private key into one f",
    ),
    "elliptic": (
        elliptic().encode(),
        "",
        f"The private key in {IN} is not an RSA key. Use a certificate with an RSA key.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_cannot_be_used(tmp_path: Path, case: str) -> None:
    """Each unusable file has its own message, which names the setting and never the content or the password."""
    content, password, says = CASES[case]
    path = tmp_path / "c.pfx"
    path.write_bytes(content)

    assert refused(clientCertificatePath=str(path), clientCertificatePassword=password).startswith(says)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("missing", "No such file or directory"),
        ("folder", "not a regular file"),
        ("fifo", "not a regular file"),
        ("large", "too large"),
        ("nul", "not a path"),
        ("nobody's home", "not a path"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, kind: str, why: str) -> None:
    """A path that does not lead to a small file is named with its setting, and nothing waits for it."""
    path = str(tmp_path / kind)
    if kind == "folder":
        (tmp_path / kind).mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "large":
        (tmp_path / kind).write_bytes(b" " * 1024 * 1025)
    elif kind == "nul":
        path = "a\x00b"
    elif kind == "nobody's home":
        path = "~nobody-of-this-name/c.pfx"

    shown = printable(path)
    assert refused(clientCertificatePath=path) == f"The file {shown} cannot be read ({why}). Check {IN}."


def test_the_newest_certificate_of_a_key(tmp_path: Path) -> None:
    """A file with the expired and the renewed certificate of one key signs in with the renewed one."""
    now = datetime.now(UTC)
    old = Certificate.fresh("ours", begins=now - timedelta(days=9), ends=now - timedelta(days=2))
    path = tmp_path / "c.pem"
    path.write_text(f"{old.pem()}{OURS.public_pem}")
    asked: list[httpx.Request] = []

    def send(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503)

    with httpx.Client(transport=httpx.MockTransport(send)) as http, pytest.raises(RequestNotSent):
        credential(http, tenantId="t", clientId="c", clientCertificatePath=str(path)).access_token()
    assert len(asked) == 5


@pytest.mark.parametrize("text", ["not base64!", "TUl\u00fc", "A"])
def test_text_that_is_not_base64(text: str) -> None:
    """What is in the environment is base64 or PEM."""
    assert refused(clientCertificate=text) == (
        "intune-vpp:clientCertificate is neither base64 nor PEM. Set it to the PFX file in base64."
    )


def test_two_certificates() -> None:
    """A file and a value together are ambiguous."""
    assert refused(clientCertificate=base64.b64encode(OURS.pfx()).decode(), clientCertificatePath="c.pfx") == (
        f"{IN} and intune-vpp:clientCertificate are both set. Remove one of them."
    )


@pytest.mark.parametrize("content", [b"", b" \n", b"a\nb", b"\xff\xfe", b"a\x00b"])
@pytest.mark.parametrize(("key", "more"), [("clientSecretFilePath", {}), ("oidcTokenFilePath", {"useOidc": "true"})])
def test_a_file_that_is_no_line_of_text(tmp_path: Path, key: str, more: dict[str, str], content: bytes) -> None:
    """A file with a secret or a token holds one line of text."""
    path = tmp_path / "secret"
    path.write_bytes(content)

    assert refused(**{key: str(path)}, **more) == (
        f"The file {path} must contain one line of printable text, and is empty or contains something else. Check "
        f"intune-vpp:{key}."
    )
