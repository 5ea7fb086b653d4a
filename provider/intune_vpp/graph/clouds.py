"""The addresses of Graph and of its sign-in in the national clouds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """The addresses of one cloud (https://learn.microsoft.com/graph/deployments), and the audience of its OIDC tokens.

    Source of the audiences: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity.
    """

    graph_endpoint: str
    authority_host: str
    oidc_audience: str


_PUBLIC = Cloud("https://graph.microsoft.com", "https://login.microsoftonline.com", "api://AzureADTokenExchange")
_US_GOVERNMENT = Cloud(
    "https://graph.microsoft.us", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"
)
_US_DOD = Cloud("https://dod-graph.microsoft.us", "https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov")
_CHINA = Cloud(
    "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina"
)

# The further names of a cloud are those that the azuread provider and the Azure CLI have for it.
CLOUDS = {
    "public": _PUBLIC,
    "global": _PUBLIC,
    "azurecloud": _PUBLIC,
    "azurepubliccloud": _PUBLIC,
    "usgovernment": _US_GOVERNMENT,
    "usgovernmentl4": _US_GOVERNMENT,
    "azureusgovernment": _US_GOVERNMENT,
    "azureusgovernmentcloud": _US_GOVERNMENT,
    "dod": _US_DOD,
    "usgovernmentl5": _US_DOD,
    "china": _CHINA,
    "azurechinacloud": _CHINA,
}
