"""What the methods have in common: what they need, and what they return."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from intune_vpp.core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import httpx

    from intune_vpp.core.configuration import Values
    from intune_vpp.graph.clouds import Cloud
    from intune_vpp.graph.redaction import KnownSecrets
    from intune_vpp.graph.sender import Sender

PRINTABLE = re.compile(r"[\x21-\x7e]+")
"""Printable ASCII without blanks: what a JSON Web Token and the value of a header may contain."""

_LARGEST_FILE = 1024 * 1024
"""Bytes: certificates and tokens are a few kB."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token for Graph, and the seconds until it expires."""

    text: str = field(repr=False)
    expires_in: float


SignIn: TypeAlias = "Callable[[], AccessToken]"
"""Makes one sign-in. Raises SettingsError, SignInRefused and RequestNotSent."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The configuration, the HTTP client and the sender, and the secrets that no message may quote.

    `open_direct` opens a client that uses no proxy; the caller closes it.
    """

    values: Values
    cloud: Cloud
    http: httpx.Client
    sender: Sender
    open_direct: Callable[[], AbstractContextManager[httpx.Client]]
    secrets: KnownSecrets

    @property
    def tenant(self) -> str | None:
        """The configured tenant, a GUID or a domain name; None if it is not set."""
        return self.values.text("tenantId")

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
        read or is empty, and if both are set at the same rank and differ.
        """
        value, path = self.values.find(name), self.values.find(path_name)
        if path is None or (value is not None and value.rank < path.rank):
            return None if value is None else value.text
        content = _text_of(path.text, path.source)
        if value is not None and value.rank == path.rank and value.text != content:
            raise SettingsError(f"{value.source} and {path.source} are both set, and differ. Remove one of them.")
        return content


def read_file(path: str, source: str) -> bytes:
    """Return the content of a file at the path in a setting, which `source` names. Raises SettingsError."""
    try:
        found = Path(path).expanduser()
        # A FIFO would block for ever.
        if found.exists() and not found.is_file():
            why = "not a regular file"
        elif found.stat().st_size > _LARGEST_FILE:
            why = "too large"
        else:
            return found.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
    except (ValueError, RuntimeError):
        why = "not a path"
    raise SettingsError(f"The file {path} cannot be read ({why}). Check {source}.")


def _text_of(path: str, source: str) -> str:
    try:
        content = read_file(path, source).decode().strip()
    except UnicodeDecodeError:
        content = ""
    if not content or not content.isprintable():
        msg = f"The file {path} must contain one line of printable text, and is empty or contains something else."
        raise SettingsError(f"{msg} Check {source}.")
    return content
