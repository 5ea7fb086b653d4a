"""The signing keys of Entra, the OIDC providers and the applications."""

from __future__ import annotations

from functools import cache
from threading import Lock

from cryptography.hazmat.primitives.asymmetric import rsa

_lock = Lock()


def signing_key(party: str) -> rsa.RSAPrivateKey:
    """The RSA key of a party, made when it is first needed and kept as long as the process."""
    with _lock:  # two threads would make two, of which one is kept
        return _made(party)


@cache
def _made(party: str) -> rsa.RSAPrivateKey:
    del party
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
