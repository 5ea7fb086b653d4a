"""Words why a TLS connection failed: what is wrong with the certificate or the connection, and what to do."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UNKNOWN_CA = "Its certificate is signed by an unknown CA: add that CA to the PEM file in caBundlePath"
_OTHER_HOST = "Its certificate is for another host name: check {setting} and any proxy on the way"
_CLOCK = "(the clock of this machine says {today}): correct the clock, or have the certificate"
_REASONS: Mapping[int, str] = {
    2: _UNKNOWN_CA,
    9: f"Its certificate is not valid yet {_CLOCK} reissued",
    10: f"Its certificate has expired {_CLOCK} renewed",
    18: _UNKNOWN_CA,
    19: _UNKNOWN_CA,
    20: _UNKNOWN_CA,
    21: _UNKNOWN_CA,
    62: _OTHER_HOST,
    64: _OTHER_HOST,
}
"""By OpenSSL's number (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/)."""

_OTHERWISE = "Its certificate was not accepted ({reason}): have it replaced, or check any proxy on the way"


def advice(error: BaseException, setting: str) -> str | None:
    """Return what is wrong with TLS and what to do, without a full stop; None if the error is not about TLS.

    `setting` is the configuration key of the address. Only the handshake raises `httpx.ConnectError`.
    """
    cause = next((one for one in causes(error) if isinstance(one, ssl.SSLError)), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        words = _REASONS.get(cause.verify_code, _OTHERWISE)
        # The library verifies by this clock, too.
        today = datetime.now(UTC).date().isoformat()
        return words.format(setting=setting, today=today, reason=cause.verify_message)
    if cause is not None:
        why = getattr(cause, "reason", None) or type(cause).__name__
        if isinstance(error, httpx.ConnectError):
            return f"No TLS connection could be made ({why}): check {setting} and any proxy on the way"
        what = f"The TLS connection broke before the answer was complete ({why})"
        return f"{what}: check the network and any proxy on the way"
    return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it: httpx and httpcore each wrap the error of the layer below."""
    while error is not None:
        yield error
        # The pool of httpcore raises `from None`, which hides the cause and keeps the context.
        error = error.__cause__ or error.__context__
