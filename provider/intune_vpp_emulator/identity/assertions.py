"""Assertions in place of a secret: signed with the application's certificate, or by an issuer that it trusts.

PyJWT verifies them; the times are checked by the tenant's clock, where PyJWT would take the machine's.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt

from . import refusals
from .workload import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt.types import Options

    from intune_vpp_emulator.directory import AppRegistration

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_SKEW: Final = timedelta(minutes=5)
_UNCHECKED: Final[Options] = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}


@dataclass(frozen=True, slots=True)
class Presented:
    """An assertion as received, not verified."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @classmethod
    def read(cls, text: str) -> Presented:
        """Read one; raises SignInRefusal."""
        try:
            header = jwt.get_unverified_header(text)
            claims = jwt.decode(text, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise refusals.malformed_assertion() from None
        return cls(text, header, claims)

    @property
    def issuer(self) -> str:
        """The claim `iss`."""
        return str(self.claims.get("iss", ""))

    @property
    def audiences(self) -> list[str]:
        """The claim `aud`, as a list."""
        audience = self.claims.get("aud", "")
        return [str(one) for one in audience] if isinstance(audience, list) else [str(audience)]

    @property
    def subject(self) -> str:
        """The claim `sub`."""
        return str(self.claims.get("sub", ""))

    def verify(self, key: Any, *algorithms: str) -> None:
        """Check the signature; raises jwt.InvalidSignatureError, or SignInRefusal for another algorithm."""
        try:
            jwt.decode(self.text, key, algorithms=algorithms, options=_UNCHECKED)
        except jwt.InvalidSignatureError:
            raise
        except jwt.PyJWTError:
            raise refusals.malformed_assertion() from None

    def check_times(self, now: datetime) -> None:
        """Refuse one that has expired or is not valid yet."""
        try:
            ends = datetime.fromtimestamp(self.claims["exp"], UTC)
            begins = datetime.fromtimestamp(self.claims.get("nbf", 0), UTC)
            is_now = begins - _SKEW <= now < ends + _SKEW
        except (KeyError, TypeError, ValueError, OverflowError, OSError):
            raise refusals.malformed_assertion() from None
        if not is_now:
            raise refusals.assertion_outside_its_times(now, begins, ends)


def check(text: str, app: AppRegistration, *, realm: frozenset[str], federated_audience: str, now: datetime) -> None:
    """Raise SignInRefusal unless the assertion is one of `app`; `realm` has the audiences of the tenant."""
    presented = Presented.read(text)
    if presented.issuer.startswith("https://"):
        _check_federated(presented, app, federated_audience)
    else:
        _check_certificate(presented, app, realm, now)
    presented.check_times(now)


def _check_certificate(presented: Presented, app: AppRegistration, realm: Iterable[str], now: datetime) -> None:
    if {presented.issuer, presented.subject} != {app.client_id}:
        raise refusals.assertion_of_another_app()
    thumbprint = presented.header.get("x5t#S256")
    certificate = app.certificate
    if str(thumbprint).rstrip("=") != certificate.thumbprint:  # MSAL pads it
        raise refusals.unregistered_certificate(app.client_id, thumbprint and _in_hex(str(thumbprint)))
    lifetime = (certificate.public.not_valid_before_utc, certificate.public.not_valid_after_utc)
    used = _in_hex(certificate.thumbprint)
    if now >= lifetime[1]:
        raise refusals.unusable_certificate(app.client_id, "The key used is expired.", used, lifetime)
    try:
        presented.verify(certificate.public.public_key(), "PS256", "RS256")
    except jwt.InvalidSignatureError:
        reason = "Key was found, but use of the key to verify the signature failed."
        raise refusals.unusable_certificate(app.client_id, reason, used, lifetime) from None
    if not set(presented.audiences) & set(realm):
        raise refusals.assertion_for_another_audience()


def _check_federated(presented: Presented, app: AppRegistration, audience: str) -> None:
    # a guess: federated-order
    credentials = [one for one in app.federated if one.issuer == presented.issuer]
    if not credentials:
        raise refusals.no_federated_credential(700211, "issuer", presented.issuer)
    if audience not in presented.audiences:
        raise refusals.no_federated_credential(700212, "audience", " ".join(presented.audiences))
    if presented.subject not in {one.subject for one in credentials}:
        raise refusals.no_federated_credential(700213, "subject", presented.subject)
    provider = next(one for one in PROVIDERS.values() if one.issuer == presented.issuer)
    key_id = str(presented.header.get("kid", ""))
    if key_id != provider.key_id:
        raise refusals.unknown_federated_key(key_id, provider.issuer)
    try:
        presented.verify(provider.public_key, "RS256")
    except jwt.InvalidSignatureError:
        raise refusals.wrong_federated_signature(key_id) from None


def _in_hex(thumbprint: str) -> str:
    """A thumbprint as Entra shows it."""
    try:
        return base64.urlsafe_b64decode(thumbprint + "=" * (-len(thumbprint) % 4)).hex().upper()
    except (binascii.Error, ValueError):
        return thumbprint
