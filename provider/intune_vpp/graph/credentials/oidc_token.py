"""Signs in with an OIDC token: its value, or a file that its issuer renews (AKS workload identity)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intune_vpp.graph.credentials.assertion import with_assertion

if TYPE_CHECKING:
    from intune_vpp.graph.credentials.method import Connection, SignIn


def sign_in(connection: Connection) -> SignIn:
    """Return the sign-in with the OIDC token. A file is read at each sign-in, because its issuer replaces it."""
    return with_assertion(connection, lambda: connection.text_or_file("oidcToken", "oidcTokenFilePath") or "")
