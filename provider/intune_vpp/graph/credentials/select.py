"""Chooses the method to sign in with; no other module does.

The first method of `METHODS` that is configured is used. If it lacks a value, that is an error: a later method would
sign in as somebody else than the user expects. The order and the switches are those of Pulumi's azuread provider.
"""

from __future__ import annotations

import importlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from intune_vpp.core.configuration import NAMESPACE, named
from intune_vpp.core.errors import SettingsError
from intune_vpp.graph.credentials.cached import CachedCredential

if TYPE_CHECKING:
    from intune_vpp.core.configuration import Values
    from intune_vpp.graph.credentials.method import Connection

_APPLICATION = (("tenantId",), ("clientId", "clientIdFilePath"))
_WHERE = f"Set these environment variables, or the keys in the {NAMESPACE} configuration."


@dataclass(frozen=True, slots=True)
class Method:
    """A method, and the keys that choose it: any of `chosen_by`, if `switch` is on.

    Each entry of `needs` is satisfied by any of its keys. `hint` says what else to do if a value is missing. `module`
    is the module of this package that signs in: it is imported once the method is chosen, because httpx and msal take
    a quarter of a second.
    """

    name: str
    module: str
    chosen_by: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...] = _APPLICATION
    switch: str | None = None
    hint: str = ""

    def chosen(self, values: Values) -> str | None:
        """Return the source that chooses the method; None if it is not configured."""
        if self.switch is not None and not values.flag(self.switch, default=False):
            return None
        return next((found.source for name in self.chosen_by if (found := values.find(name)) is not None), None)

    def missing(self, values: Values) -> str:
        """Return what the method lacks, for a message; empty if it lacks nothing."""
        off = self.switch is not None and not values.flag(self.switch, default=False)
        switch = [f"{named(self.switch)} = true"] if self.switch is not None and off else []
        chosen_by = () if self.chosen_by == (self.switch,) else (self.chosen_by,)
        unset = [keys[0] for keys in (*chosen_by, *self.needs) if not any(values.find(key) for key in keys)]
        return ", ".join([*switch, *(named(name) for name in unset)])


_REQUESTED = (*_APPLICATION, ("oidcRequestUrl",), ("oidcRequestToken",))

METHODS = (
    Method("client certificate", "client_certificate", ("clientCertificatePath", "clientCertificate")),
    Method("client secret", "client_secret", ("clientSecret", "clientSecretFilePath")),
    Method("OIDC token", "oidc_token", ("oidcToken", "oidcTokenFilePath"), switch="useOidc"),
    Method(
        "OIDC token of Azure DevOps",
        "azure_devops",
        ("adoPipelineServiceConnectionId",),
        needs=_REQUESTED,
        switch="useOidc",
        hint="On Azure DevOps, set SYSTEM_ACCESSTOKEN to $(System.AccessToken) in the step.",
    ),
    Method(
        "OIDC token of GitHub Actions",
        "github",
        ("useOidc",),
        needs=_REQUESTED,
        switch="useOidc",
        hint="On GitHub Actions, give the job the permission `id-token: write`. Elsewhere, set"
        f" {named('oidcTokenFilePath')}, or {named('adoPipelineServiceConnectionId')} on Azure DevOps.",
    ),
    Method("managed identity", "managed_identity", ("useMsi",), needs=(), switch="useMsi"),
)
"""The methods that a setting chooses, the first one first. Without any of them it is the Azure CLI."""


AZURE_CLI = Method("Azure CLI", "azure_cli", ("tenantId",), needs=())
"""Used if no other method is configured, unless `useCli` is false."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The method that is used, and a sentence that says so and why."""

    method: Method
    explanation: str

    def credential(self, connection: Connection) -> CachedCredential:
        """Return the credential that signs in with the method."""
        module = importlib.import_module(f"{__package__}.{self.method.module}")
        return CachedCredential(module.sign_in(connection), self.explanation)


def choose(values: Values) -> Choice:
    """Return the configured method. Raises SettingsError if it lacks a value, or if there is none."""
    for method in METHODS:
        source = method.chosen(values)
        if source is None:
            continue
        if missing := method.missing(values):
            msg = f"Cannot sign in to Microsoft Graph with the {method.name}, which is used because {source} is set."
            raise SettingsError(" ".join(filter(None, [msg, f"Not set: {missing}.", method.hint, _WHERE])))
        return Choice(method, f"The sign-in method is the {method.name}, because {source} is set.")
    others = "; ".join(f"{method.name}: {method.missing(values)}" for method in METHODS)
    if missing := _missing_for_azure_cli(values):
        msg = "Cannot sign in to Microsoft Graph, because no sign-in method is configured. Not set, for each method:"
        raise SettingsError(f"{msg} {others}; {AZURE_CLI.name}: {missing}. {_WHERE}")
    return Choice(
        AZURE_CLI, f"The sign-in method is the {AZURE_CLI.name}, because no other is configured (not set: {others})."
    )


def _missing_for_azure_cli(values: Values) -> str:
    """Return what the Azure CLI lacks, for a message; empty if it lacks nothing.

    It needs a tenant: otherwise a run would write into whatever tenant somebody has last signed in to.
    """
    switch = [] if values.flag("useCli", default=True) else [f"{named('useCli')} = true"]
    tenant = [] if values.find("tenantId") else [named("tenantId")]
    program = [] if shutil.which("az") else ["az on PATH"]
    return ", ".join([*switch, *tenant, *program])
