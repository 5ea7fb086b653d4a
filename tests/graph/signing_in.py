"""Signing in with a method and settings, without the rest of the provider."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from graph.fake_graph import sender
from intune_vpp.graph.credentials.method import Connection
from intune_vpp.graph.credentials.select import choose
from intune_vpp.graph.redaction import KnownSecrets
from intune_vpp.settings import read

if TYPE_CHECKING:
    import httpx

    from intune_vpp.graph.credentials.cached import CachedCredential

LOGIN = "https://login.example"
GRAPH = "https://graph.example"


def connection(http: httpx.Client, **values: object) -> Connection:
    """A connection that is configured with these keys."""
    settings = read({"authorityHost": LOGIN, "graphEndpoint": GRAPH, **values}, {})
    return Connection(settings.values, settings.cloud, http, sender(), lambda: nullcontext(http), KnownSecrets())


def credential(http: httpx.Client, **values: object) -> CachedCredential:
    """The credential of the method that these keys choose."""
    made = connection(http, **values)
    return choose(made.values).credential(made, None)
