"""Where the national clouds keep Graph and its sign-in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where a national cloud keeps Graph and its sign-in (https://learn.microsoft.com/graph/deployments)."""

    graph_endpoint: str
    authority_host: str


_PUBLIC = Cloud("https://graph.microsoft.com", "https://login.microsoftonline.com")
_US_GOVERNMENT = Cloud("https://graph.microsoft.us", "https://login.microsoftonline.us")
_US_DOD = Cloud("https://dod-graph.microsoft.us", "https://login.microsoftonline.us")
_CHINA = Cloud("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn")

# The second names are those the azuread provider takes from the same variable.
CLOUDS = {
    "public": _PUBLIC,
    "global": _PUBLIC,
    "usgovernment": _US_GOVERNMENT,
    "usgovernmentl4": _US_GOVERNMENT,
    "dod": _US_DOD,
    "usgovernmentl5": _US_DOD,
    "china": _CHINA,
}
