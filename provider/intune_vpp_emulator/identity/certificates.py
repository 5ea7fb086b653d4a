"""The certificate of an application, in the forms in which clients read it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from .keys import signing_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate with its private key."""

    public: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def fresh(cls, name: str, *, begins: datetime | None = None, ends: datetime | None = None) -> Certificate:
        """A new one for `name`, valid from `begins` to `ends` (aware); by default from yesterday on, for a year."""
        key, today = signing_key(f"certificate of {name}"), datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(issuer_name=subject, subject_name=subject, public_key=key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(begins or today - timedelta(days=1)).not_valid_after(ends or today + _YEAR)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @property
    def thumbprint(self) -> str:
        """The `x5t#S256` of RFC 7515: base64url without padding."""
        return base64.urlsafe_b64encode(self.public.fingerprint(hashes.SHA256())).rstrip(b"=").decode()

    @property
    def public_pem(self) -> str:
        """The certificate alone, as it is uploaded to an app registration."""
        return self.public.public_bytes(serialization.Encoding.PEM).decode()

    def pem(self, password: str | None = None) -> str:
        """The key, encrypted where there is a password, and the certificate behind it."""
        encryption = _encryption(password)
        key = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        return key.decode() + self.public_pem

    def pfx(self, password: str | None = None) -> bytes:
        """PKCS#12."""
        return pkcs12.serialize_key_and_certificates(b"app", self.key, self.public, None, _encryption(password))


def _encryption(password: str | None) -> serialization.KeySerializationEncryption:
    if password is None:
        return serialization.NoEncryption()
    return serialization.BestAvailableEncryption(password.encode())
