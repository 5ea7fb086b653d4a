"""Microsoft's clouds: which Graph the sign-in of each issues access tokens for.

The hosts are those of learn.microsoft.com/graph/deployments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .workload import AUDIENCE


@dataclass(frozen=True, slots=True)
class Cloud:
    """The hosts of one cloud, and the audience of federated assertions there."""

    logins: frozenset[str]
    graphs: frozenset[str]
    audience: str


# a guess: federated-audiences
_CLOUDS: Final = (
    Cloud(frozenset({"login.microsoftonline.com"}), frozenset({"graph.microsoft.com"}), AUDIENCE),
    Cloud(
        frozenset({"login.microsoftonline.us"}),
        frozenset({"graph.microsoft.us", "dod-graph.microsoft.us"}),
        f"{AUDIENCE}USGov",
    ),
    Cloud(
        frozenset({"login.chinacloudapi.cn", "login.partner.microsoftonline.cn"}),
        frozenset({"microsoftgraph.chinacloudapi.cn"}),
        f"{AUDIENCE}China",
    ),
)


def federated_audience(login: str) -> str:
    """The audience of federated assertions at a login host; that of the public cloud at the emulator's own names."""
    return next((one.audience for one in _CLOUDS if _host(login) in one.logins), AUDIENCE)


def resources(login: str, roots: frozenset[str]) -> frozenset[str]:
    """The roots of Graph that a login host issues access tokens for: those of its cloud, or all at our own names."""
    graphs = next((one.graphs for one in _CLOUDS if _host(login) in one.logins), None)
    return roots if graphs is None else frozenset(one for one in roots if _host_of_root(one) in graphs)


def audiences(graph: str, roots: frozenset[str]) -> frozenset[str]:
    """The audiences of access tokens that a host of Graph takes: only its own, or all at our own names."""
    known = any(_host(graph) in one.graphs for one in _CLOUDS)
    return frozenset(one for one in roots if _host_of_root(one) == _host(graph)) if known else roots


def _host(host: str) -> str:
    return host.partition(":")[0].lower()


def _host_of_root(root: str) -> str:
    return _host(root.removeprefix("https://"))
