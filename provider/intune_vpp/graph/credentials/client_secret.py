"""Signs in with a client secret, or with the one in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intune_vpp.graph.credentials.entra import as_application

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.method import Connection, SignIn


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in with the client secret."""

    def secret() -> str:
        found = connection.text_or_file("clientSecret", "clientSecretFilePath") or ""
        connection.secrets.add(found)
        return found

    return as_application(connection, secret)
