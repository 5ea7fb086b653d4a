"""The `.vpptoken` file: making one, and reading one as Intune would.

The file is one Base64 string of a JSON object with `token`, `expDate` and `orgName`
(developer.apple.com/documentation/devicemanagement/getting-started-with-the-management-api).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .clock import moment

_SEAL = AESGCM(hashlib.sha256(b"pretend Apple").digest())
_NONCE = 12
_EXPIRY_FORMAT = "%Y-%m-%dT%H:%M:%S%z"
_HALF_PAIR = re.compile("[\ud800-\udfff]")  # JSON may hold one, but no text on the wire can
_DAY = 24 * 60 * 60


class UnreadableFileError(ValueError):
    """The text is no `.vpptoken` file."""


class TokenEncoding(StrEnum):
    """How a tenant wants a file's text in the `token` member."""

    VERBATIM = "verbatim"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True)
class ContentToken:
    """What a tenant remembers of a posted file: everything but the secret."""

    organization: str
    location: str
    expires: datetime
    sha256: str
    sealed: bool = True
    """Whether the file told its location; Apple's own keep it to themselves."""

    def following(self, before: ContentToken) -> ContentToken:
        """This file as the renewal of `before`: one that tells no location renews where it is put."""
        if self.sealed or self.organization != before.organization:
            return self
        return replace(self, location=before.location)


def make_token(organization: str, location: str, expires: datetime) -> str:
    """The text of a new `.vpptoken` file; two calls never give the same one."""
    nonce = secrets.token_bytes(_NONCE)
    inner = base64.b64encode(nonce + _SEAL.encrypt(nonce, location.encode(errors="replace"), None)).decode()
    ends = expires.astimezone(UTC).strftime(_EXPIRY_FORMAT)
    document = {"token": inner, "expDate": ends, "orgName": organization}
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def expiry(text: str) -> datetime:
    """`YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS` in UTC; a date alone ends at some second of that day, as Apple's do."""
    expires = moment(text)
    date_alone = len(text) == len("YYYY-MM-DD")
    return expires + timedelta(seconds=secrets.randbelow(_DAY)) if date_alone else expires


def read(posted: str, encoding: TokenEncoding = TokenEncoding.VERBATIM) -> ContentToken:
    """What the posted `token` member says; raises UnreadableFileError."""
    text = _decoded(posted).decode("ascii", "replace") if encoding == TokenEncoding.BASE64 else posted
    try:
        document = json.loads(_decoded(text))
    except (ValueError, RecursionError) as reason:
        raise UnreadableFileError("it holds no JSON") from reason
    organization, inner = _member(document, "orgName"), _member(document, "token")
    location = _unsealed(inner)
    return ContentToken(
        organization=organization,
        location=_made_up(inner) if location is None else location,
        expires=_expiry_of(document),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        sealed=location is not None,
    )


def _decoded(text: str) -> bytes:
    # Strict: a line break after the text is refused too. a guess: file-whitespace
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as reason:
        raise UnreadableFileError("it is no Base64") from reason


def _member(document: object, name: str) -> str:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, str) or _HALF_PAIR.search(value):
        raise UnreadableFileError(f"its JSON has no text called {name}")
    return value


def _expiry_of(document: object) -> datetime:
    try:
        return datetime.strptime(_member(document, "expDate"), _EXPIRY_FORMAT).astimezone(UTC)
    except (ValueError, OverflowError) as reason:
        raise UnreadableFileError("its expDate is no date") from reason


def _made_up(inner: str) -> str:
    return f"Location {hashlib.sha256(inner.encode()).hexdigest()[:8]}"


def _unsealed(inner: str) -> str | None:
    try:
        sealed = base64.b64decode(inner, validate=True)
        return _SEAL.decrypt(sealed[:_NONCE], sealed[_NONCE:], None).decode()
    except (ValueError, InvalidTag):
        return None
