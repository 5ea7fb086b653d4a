"""The keys of the parties that sign."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def signing_key(party: str) -> rsa.RSAPrivateKey:
    """The RSA key of a party, made when it is first needed and kept as long as the process."""
    del party
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
