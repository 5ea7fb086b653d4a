"""Chooses the method to sign in with; no other module does.

The first method of `METHODS` that is configured is used. If it lacks a value, that is an error: a later method would
sign in as another identity than the user expects. The order and the switches are those of Pulumi's azuread provider.
"""

from __future__ import annotations

import importlib
import itertools
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from intune_vpp.core.configuration import NAMESPACE, named
from intune_vpp.core.errors import SettingsError, SignInRefused
from intune_vpp.graph import claims
from intune_vpp.graph.credentials.cached import CachedCredential

if TYPE_CHECKING:
    from types import ModuleType

    from intune_vpp.core.configuration import Values
    from intune_vpp.graph.credentials.method import AccessToken, Connection, SignIn
    from intune_vpp.graph.tenants import Tenant

_APPLICATION = (("tenantId",), ("clientId", "clientIdFilePath"))
_CREDENTIALS = ("clientCertificatePassword", "oidcToken", "oidcTokenFilePath")
"""The keys that choose no method by themselves."""

_CONFIGURE_ONE = f"Configure one of them, by environment variables or by keys in the {NAMESPACE} configuration."
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

    def chosen(self, values: Values, *, by_configuration: bool) -> str | None:
        """Return the source that chooses the method; None if no source does.

        `by_configuration` counts only what the configuration chooses, or switches on.
        """
        by = next((found for name in self.chosen_by if (found := values.find(name)) is not None), None)
        if by is None or not self._is_on(values):
            return None
        switch = values.find(self.switch) if self.switch else None
        configured = by.rank == 0 or (switch is not None and switch.rank == 0)
        return by.source if configured or not by_configuration else None

    def missing(self, values: Values) -> str:
        """Return what the method lacks, for a message; empty if it lacks nothing."""
        switch = [f"{named(self.switch)}, which must be true"] if self.switch and not self._is_on(values) else []
        chosen_by = () if self.chosen_by == (self.switch,) else (self.chosen_by,)
        unset = [keys[0] for keys in (*chosen_by, *self.needs) if not any(values.find(key) for key in keys)]
        return ", ".join([*switch, *(named(name) for name in dict.fromkeys(unset))])

    def _is_on(self, values: Values) -> bool:
        return self.switch is None or values.flag(self.switch, default=False)


_REQUESTED = (*_APPLICATION, ("oidcRequestUrl",), ("oidcRequestToken",))

METHODS = (
    Method("client certificate", "client_certificate", ("clientCertificatePath", "clientCertificate")),
    Method("client secret", "client_secret", ("clientSecret", "clientSecretFilePath")),
    Method("OIDC token", "oidc_token", ("oidcToken", "oidcTokenFilePath"), switch="useOidc"),
    Method(
        "OIDC token of Azure DevOps",
        "azure_devops",
        ("adoPipelineServiceConnectionId", "SYSTEM_OIDCREQUESTURI"),
        needs=(*_REQUESTED, ("adoPipelineServiceConnectionId",)),
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


AZURE_CLI = Method("Azure CLI", "azure_cli", (), needs=())
"""Used if no other method is configured, unless `useCli` is false."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The method that is used, and a sentence that says so and why."""

    method: Method
    explanation: str

    def load(self) -> ModuleType:
        """Import the module that signs in, and msal with it, which takes a tenth of a second the first time."""
        return importlib.import_module(f"{__package__}.{self.method.module}")

    def credential(self, connection: Connection, configured: Tenant | None) -> CachedCredential:
        """Return the credential that signs in with the method, and refuses access tokens of another tenant."""
        sign_in: SignIn = self.load().sign_in(connection)

        def in_tenant() -> AccessToken:
            issued = sign_in()
            theirs = claims.tenant_id(issued.text)
            if configured is not None and theirs and theirs != configured.guid():
                msg = f"The access token is for tenant {theirs}, but tenantId (ARM_TENANT_ID) is {connection.tenant}."
                raise SignInRefused(
                    f"{msg} Nothing was changed. Sign in to the configured tenant, or correct tenantId."
                )
            return issued

        return CachedCredential(in_tenant, self.explanation)


def choose(values: Values) -> Choice:
    """Return the configured method. Raises SettingsError if it lacks a value, or if no method is configured."""
    # What the configuration chooses goes before what the environment chooses, whatever the order.
    for by_configuration, method in itertools.product((True, False), METHODS):
        source = method.chosen(values, by_configuration=by_configuration)
        if source is None:
            continue
        if missing := method.missing(values):
            msg = f"Cannot sign in to Microsoft Graph with the {method.name}, which is used because {source} is set."
            raise SettingsError(" ".join(filter(None, [msg, f"Not set: {missing}.", method.hint, _WHERE])))
        return Choice(method, f"Sign-in method: {method.name} ({source} is set).")
    if missing := _missing_for_azure_cli(values):
        lacking = "; ".join(f"{method.name}: {method.missing(values)}" for method in METHODS)
        msg = "Cannot sign in to Microsoft Graph, because no sign-in method is configured. Each method lacks values:"
        raise SettingsError(f"{msg} {lacking}; {AZURE_CLI.name}: {missing}. {_CONFIGURE_ONE}")
    return Choice(AZURE_CLI, f"Sign-in method: {AZURE_CLI.name} (no other method is configured).")


def _missing_for_azure_cli(values: Values) -> str:
    """Return what the Azure CLI lacks, for a message; empty if it lacks nothing.

    It needs a tenant: otherwise a run would write into whatever tenant somebody has last signed in to. Somebody who
    gives another credential, even an empty one, does not expect to sign in as the account of the CLI.
    """
    ignored = [value.source for name in _CREDENTIALS if (value := values.find(name)) is not None]
    others = [f"{source}, which must not be set" for source in ignored]
    others += [f"{source}, which is set but empty" for source in values.empty]
    switch = [] if values.flag("useCli", default=True) else [f"{named('useCli')}, which must not be false"]
    tenant = [] if values.find("tenantId") else [named("tenantId")]
    program = [] if shutil.which("az") else ["az on PATH"]
    return ", ".join([*switch, *tenant, *program, *others])
