"""What the methods have in common: what they need, and what they return."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from intune_vpp.core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from intune_vpp.core.configuration import Values
    from intune_vpp.graph.clouds import Cloud
    from intune_vpp.graph.redaction import KnownSecrets

BEARER = re.compile(r"[\x21-\x7e]+")
"""The characters that a header can carry."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token for Graph, and the seconds until it expires."""

    text: str = field(repr=False)
    expires_in: float


if TYPE_CHECKING:
    SignIn = Callable[[], AccessToken]
    """Makes one sign-in. Raises SettingsError, SignInRefused and RequestNotSent."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The configuration, the client that sends, and the secrets that no message may quote."""

    values: Values
    cloud: Cloud
    http: httpx.Client
    secrets: KnownSecrets

    @property
    def tenant(self) -> str:
        """The configured tenant: a GUID or a domain name."""
        return self.values.text("tenantId") or ""

    @property
    def authority(self) -> str:
        """The address of the tenant at the sign-in service."""
        return f"{self.cloud.authority_host}/{self.tenant}"

    @property
    def client_id(self) -> str | None:
        """The id of the application; None if it is not set. Raises SettingsError."""
        return self.text_or_file("clientId", "clientIdFilePath")

    def secret(self, name: str) -> str | None:
        """Return the value of a key that no message may quote; None if it is not set."""
        found = self.values.text(name)
        self.secrets.add(found or "")
        return found

    def text_or_file(self, name: str, path_name: str) -> str | None:
        """Return the value of a key, or the text of the file at the path in another key; None if neither is set.

        The file is read each time, because the platform may replace it. Raises SettingsError if the file cannot be
        read or is empty, and if both are set and differ.
        """
        text, path = self.values.text(name), self.values.find(path_name)
        if path is None:
            return text
        content = _text_of(path.text, path.source)
        if text not in {None, content}:
            msg = f"{name} and {path_name} are both set, and the file {path.text} contains another value."
            raise SettingsError(f"{msg} Remove one of them.")
        return content


def read_file(path: str, source: str) -> bytes:
    """Return the content of a file that a setting names. Raises SettingsError."""
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SettingsError(f"The file {path} cannot be read ({why}). Check {source}.") from None


def _text_of(path: str, source: str) -> str:
    try:
        content = read_file(path, source).decode().strip()
    except UnicodeDecodeError:
        content = ""
    if not content or not content.isprintable():
        raise SettingsError(f"The file {path} is not one line of text. Check {source}.")
    return content
