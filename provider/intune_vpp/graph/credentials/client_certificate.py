"""Signs in with a client certificate: PEM or PFX, from a file or from base64 in the environment.

Source: https://learn.microsoft.com/entra/identity-platform/certificate-credentials.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from intune_vpp.core.configuration import named
from intune_vpp.core.errors import SettingsError
from intune_vpp.graph.credentials.entra import as_application
from intune_vpp.graph.credentials.method import read_file

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.method import Connection, SignIn

_PEM = b"-----BEGIN "
_DAY = "%Y-%m-%d"


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in with the client certificate."""

    def client_credential() -> dict[str, Any]:
        key, chain = _parsed(connection)
        _require_valid(chain[0])
        return {
            "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "public_certificate": "".join(one.public_bytes(Encoding.PEM).decode() for one in chain),
        }

    return as_application(connection, client_credential)


def _parsed(connection: Connection) -> tuple[RSAPrivateKey, list[x509.Certificate]]:
    """Return the private key and the certificates, the one of the key first. Raises SettingsError."""
    content, source = _content(connection)
    password = connection.secret("clientCertificatePassword")
    # A file without a password is read as well if one is set.
    attempts = (_read(content, one) for one in (password.encode() if password else None, None))
    found = next((one for one in attempts if one is not None), None)
    if found is None:
        why = "or its password is wrong" if password else "or it needs a password"
        msg = f"The client certificate in {source} cannot be read as PEM or PFX, {why}."
        raise SettingsError(f"{msg} Check {named('clientCertificatePassword')}.")
    key, certificates = found
    if key is None:
        raise SettingsError(f"The client certificate in {source} has no private key. Export it with its private key.")
    if not isinstance(key, RSAPrivateKey):
        raise SettingsError(f"The private key in {source} is not an RSA key. Use a certificate with an RSA key.")
    its_own = [one for one in certificates if one.public_key() == key.public_key()]
    if not its_own:
        msg = f"There is no certificate for the private key in {source}."
        raise SettingsError(f"{msg} Export the certificate and its private key into one file.")
    # A file may have the old and the new certificate of one key.
    newest = max(its_own, key=lambda one: one.not_valid_after_utc)
    return key, [newest, *(one for one in certificates if one is not newest)]


def _content(connection: Connection) -> tuple[bytes, str]:
    """Return the bytes of the certificate, and where they come from. Raises SettingsError."""
    path, inline = (connection.values.find(name) for name in ("clientCertificatePath", "clientCertificate"))
    if path is not None and inline is not None:
        raise SettingsError(f"{path.source} and {inline.source} are both set. Remove one of them.")
    if path is not None:
        return read_file(path.text, path.source), path.source
    text = connection.secret("clientCertificate") or ""
    source = "" if inline is None else inline.source
    if _PEM.decode() in text:
        return text.encode(), source
    try:
        return base64.b64decode("".join(text.split()), validate=True), source
    except (binascii.Error, ValueError):
        raise SettingsError(f"{source} is neither base64 nor PEM. Set it to the PFX file in base64.") from None


def _read(content: bytes, password: bytes | None) -> tuple[Any, list[x509.Certificate]] | None:
    """Return the private key (None if the content has none) and the certificates; None if it cannot be read."""
    try:
        if _PEM in content:
            key = load_pem_private_key(content, password) if b"PRIVATE KEY-----" in content else None
            return key, x509.load_pem_x509_certificates(content) if b" CERTIFICATE-----" in content else []
        key, certificate, others = pkcs12.load_key_and_certificates(content, password)
    except Exception:  # noqa: BLE001 - the library raises many types, and their texts may quote the file
        return None
    return key, [one for one in (certificate, *others) if one is not None]


def _require_valid(certificate: x509.Certificate) -> None:
    now = datetime.now(UTC)
    today = f"today is {now:{_DAY}} by the clock of this machine"
    if certificate.not_valid_after_utc <= now:
        msg = f"The client certificate expired on {certificate.not_valid_after_utc:{_DAY}}; {today}."
        raise SettingsError(f"{msg} Create a new certificate, and upload its public part to the app registration.")
    if certificate.not_valid_before_utc > now:
        msg = f"The client certificate is valid from {certificate.not_valid_before_utc:{_DAY}} on"
        raise SettingsError(f"{msg}; {today}. Check that clock.")
