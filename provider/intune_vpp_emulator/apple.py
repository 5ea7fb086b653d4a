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

_SEAL = AESGCM(hashlib.sha256(b"emulated Apple").digest())
_NONCE = 12
_EXPIRY_FORMAT = "%Y-%m-%dT%H:%M:%S%z"
_HALF_PAIR = re.compile("[\ud800-\udfff]")  # JSON may contain one, but no text on the wire can
_DAY = 24 * 60 * 60
_FIRST_DAY = datetime(1, 1, 1, tzinfo=UTC)


class UnreadableFileError(ValueError):
    """The text is not a `.vpptoken` file."""


class TokenEncoding(StrEnum):
    """How a tenant takes a file's text in the `token` member."""

    VERBATIM = "verbatim"
    BASE64 = "base64"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class ContentToken:
    """What a tenant keeps of a posted file: everything but the secret."""

    organization: str
    location: str
    expires: datetime
    sha256: str
    sealed: bool = True
    """Whether the file contained its location. Apple's own files do not."""
    location_id: str = ""
    """Distinguishes locations of one name."""
    readable: bool = True
    """Whether the tenant could read it."""

    def following(self, before: ContentToken) -> ContentToken:
        """This file as the renewal of `before`: a file without a location keeps that of the token."""
        if self.sealed or self.organization != before.organization:
            return self
        return replace(self, location=before.location, location_id=before.location_id)


def make_token(organization: str, location: str, expires: datetime, location_id: str = "") -> str:
    """The text of a new `.vpptoken` file; no two calls return the same one."""
    nonce = secrets.token_bytes(_NONCE)
    names = [one.encode(errors="replace").decode() for one in (location, location_id)]
    inner = base64.b64encode(nonce + _SEAL.encrypt(nonce, json.dumps(names).encode(), None)).decode()
    ends = expires.astimezone(UTC).strftime(_EXPIRY_FORMAT)
    document = {"token": inner, "expDate": ends, "orgName": organization}
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def expiry(text: str) -> datetime:
    """`YYYY-MM-DD` or `YYYY-MM-DDTHH:MM:SS` in UTC; a date alone means a random second of that day, as in Apple's."""
    expires = moment(text)
    date_alone = len(text) == len("YYYY-MM-DD")
    return expires + timedelta(seconds=secrets.randbelow(_DAY)) if date_alone else expires


def read(posted: str, encoding: TokenEncoding = TokenEncoding.EITHER) -> ContentToken:
    """The content of the posted `token` member; raises UnreadableFileError."""
    if encoding is TokenEncoding.EITHER:
        try:
            return read(posted, TokenEncoding.BASE64)
        except UnreadableFileError:
            return read(posted, TokenEncoding.VERBATIM)
    text = _decoded(posted).decode("ascii", "replace") if encoding == TokenEncoding.BASE64 else posted
    try:
        document = json.loads(_decoded(text))
    except (ValueError, RecursionError) as reason:
        raise UnreadableFileError("it contains no JSON") from reason
    organization, inner = _member(document, "orgName"), _member(document, "token")
    unsealed = _unsealed(inner)
    location, location_id = unsealed or (_made_up(inner), "")
    return ContentToken(
        organization=organization,
        location=location,
        location_id=location_id,
        expires=_expiry_of(document),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        sealed=unsealed is not None,
    )


def unreadable(posted: str) -> ContentToken:
    """What a tenant keeps of a file that it took and could not read."""
    digest = hashlib.sha256(posted.encode(errors="replace")).hexdigest()
    return ContentToken(
        organization="", location=digest, expires=_FIRST_DAY, sha256=digest, sealed=False, readable=False
    )


def _decoded(text: str) -> bytes:
    # Strict: a line break after the text is refused too. a guess: file-whitespace
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as reason:
        raise UnreadableFileError("it is not Base64") from reason


def _member(document: object, name: str) -> str:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, str) or _HALF_PAIR.search(value):
        raise UnreadableFileError(f"its JSON has no string {name}")
    return value


def _expiry_of(document: object) -> datetime:
    try:
        return datetime.strptime(_member(document, "expDate"), _EXPIRY_FORMAT).astimezone(UTC)
    except (ValueError, OverflowError) as reason:
        raise UnreadableFileError("its expDate is not a date") from reason


def _made_up(inner: str) -> str:
    return f"Location {hashlib.sha256(inner.encode()).hexdigest()[:8]}"


def _unsealed(inner: str) -> tuple[str, str] | None:
    """The location and its id, of a file that `make_token` has made."""
    try:
        sealed = base64.b64decode(inner, validate=True)
        location, location_id = json.loads(_SEAL.decrypt(sealed[:_NONCE], sealed[_NONCE:], None))
    except (ValueError, InvalidTag):
        return None
    return location, location_id
