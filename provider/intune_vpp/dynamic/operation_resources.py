"""The resource classes of the operations, for programs."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.dynamic import Resource
from pulumi.runtime.settings import get_monitor

from intune_vpp.core import revocation
from intune_vpp.core.errors import Cure
from intune_vpp.core.operations import OPERATIONS
from intune_vpp.core.resource_type import Kind
from intune_vpp.core.revocation import Result
from intune_vpp.dynamic.mocked import is_mocked
from intune_vpp.dynamic.operation_providers import (
    LicenseCountSyncProvider,
    LicenseRevocationProvider,
    LicenseSyncProvider,
    OperationProvider,
)
from intune_vpp.dynamic.spelling import message, run_error
from intune_vpp.engine import cures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input, Output


_NAMES = {prop.attribute: prop.name for operation in OPERATIONS for prop in operation.properties}
_ATTRIBUTES = {name: attribute for attribute, name in _NAMES.items()}


class _OperationResource(Resource):
    """Runs an operation at create, and again when its triggers change; deleting it changes nothing in the tenant."""

    def __init__(
        self,
        provider: OperationProvider,
        resource_name: str,
        given: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        if opts is not None and (opts.id is not None or opts.import_ is not None):
            msg = f"A {provider.operation.name} is an operation: it can be neither imported nor looked up."
            raise run_error(f"{msg} Declare one in the program to run it.")
        # The SDK makes an output-only attribute only for a key that is passed; it does not send None.
        props = {prop.attribute: given.get(prop.attribute) for prop in provider.operation.properties}
        super().__init__(provider, resource_name, self._guarded(resource_name, props), opts)
        for prop in provider.operation.properties:
            if prop.kind is Kind.COUNT:
                # The SDK passes the engine's numbers as floats.
                setattr(self, prop.attribute, getattr(self, prop.attribute).apply(_whole))

    def _guarded(self, resource_name: str, props: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments, with checks that run before the resource is registered."""
        del resource_name
        return props

    # The SDK also translates keys inside values, and does not say which: keys of triggers stay, unless they have the
    # name of a property.

    def translate_input_property(self, prop: str) -> str:
        """Return Graph's spelling of an argument."""
        return _NAMES.get(prop, prop)

    def translate_output_property(self, prop: str) -> str:
        """Return Python's spelling of a property."""
        return _ATTRIBUTES.get(prop, prop)


class LicenseSync(_OperationResource, module="intune-vpp", name="LicenseSync"):
    """A licence sync on demand: Graph's `syncLicenses`, run at create and whenever `triggers` change.

    It joins a sync that is already running. Its id is the token's.
    """

    vpp_token_id: Output[str]
    """The token's id."""
    triggers: Output[Any | None]
    """Any values; a change starts another sync."""
    wait_for_sync: Output[bool | None]
    """Whether to wait for the end of the sync."""
    tenant_id: Output[str]
    """The tenant's GUID."""
    state: Output[str]
    """The token's state after the sync, such as `valid`."""
    last_sync_status: Output[str]
    """`none`, `inProgress`, `completed`, `failed`, or a newer value."""
    last_sync_date_time: Output[str | None]
    """When Intune last synced licences; absent before the first sync."""
    sync_pending: Output[bool]
    """True while the sync is unconfirmed; the next update tries again."""

    def __init__(
        self,
        resource_name: str,
        *,
        vpp_token_id: Input[str],
        triggers: Input[Any] | None = None,
        wait_for_sync: Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a sync.

        Args:
            resource_name: Pulumi's name of the resource.
            vpp_token_id: the id of a vppToken.
            triggers: any values except files; a change syncs the licences again.
            wait_for_sync: wait for the end of the sync; default True.
            opts: Pulumi's options; `id` and `import_` cannot be used.

        """
        given = {"vpp_token_id": vpp_token_id, "triggers": triggers, "wait_for_sync": wait_for_sync}
        super().__init__(LicenseSyncProvider(), resource_name, given, opts)


class LicenseRevocation(_OperationResource, module="intune-vpp", name="LicenseRevocation"):
    """Revokes all licences of a token: Graph's `revokeLicenses` (beta only), run once, at create.

    This cannot be undone, so it has no triggers: to revoke again, replace the resource (`--replace`). Once it is done,
    remove the resource from the program: if the state is lost or `vpp_token_id` changes, the next `pulumi up` revokes
    licences again. It joins a revocation that is already running. Its id is `<token id>/<start>`.

    Source: https://learn.microsoft.com/graph/api/resources/intune-onboarding-vpptokenrevokelicensesactionresult
    """

    vpp_token_id: Output[str]
    """The token's id."""
    notify_managed_devices: Output[bool | None]
    """Graph's parameter of this name, as in the program."""
    revoke_untracked_licenses: Output[bool | None]
    """Graph's parameter of this name, as in the program."""
    tenant_id: Output[str]
    """The tenant's GUID."""
    requested_date_time: Output[str]
    """When the provider sent the request, by its clock: ISO 8601, in UTC."""
    previous_start_date_times: Output[Sequence[str]]
    """When earlier revocations of the token started: this one is identified by a start that is not among them."""
    action_name: Output[str | None]
    """Graph's name of the action."""
    action_state: Output[str | None]
    """`none`, `pending`, `canceled`, `active`, `done`, `failed`, `notSupported`, or a newer value."""
    start_date_time: Output[str | None]
    """When Intune started the revocation: ISO 8601, in UTC."""
    last_updated_date_time: Output[str | None]
    """When Intune last updated the result: ISO 8601, in UTC."""
    total_licenses_count: Output[int | None]
    """The number of licences to revoke."""
    failed_licenses_count: Output[int | None]
    """The number of licences that could not be revoked."""
    action_failure_reason: Output[str | None]
    """`none`, `appleFailure`, `internalError`, `expiredVppToken`, `expiredApplePushNotificationCertificate`, …"""

    def __init__(
        self,
        resource_name: str,
        *,
        vpp_token_id: Input[str],
        notify_managed_devices: Input[bool] | None = None,
        revoke_untracked_licenses: Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a revocation.

        Args:
            resource_name: Pulumi's name of the resource.
            vpp_token_id: the id of the vppToken that loses its licences.
            notify_managed_devices: sent as Graph's parameter of this name; default False. Microsoft does not document
                its effect.
            revoke_untracked_licenses: sent as Graph's parameter of this name; default False. Microsoft does not
                document its effect.
            opts: Pulumi's options; `id` and `import_` cannot be used.

        """
        given = {
            "vpp_token_id": vpp_token_id,
            "notify_managed_devices": notify_managed_devices,
            "revoke_untracked_licenses": revoke_untracked_licenses,
        }
        super().__init__(LicenseRevocationProvider(), resource_name, given, opts)
        # The provider can only warn, or the id would be lost; the program can fail the run.
        told = {field.name: getattr(self, field.name) for field in fields(Result)}
        pulumi.Output.all(**told).apply(partial(_refuse_failed, resource_name, is_mocked()))

    def _guarded(self, resource_name: str, props: dict[str, Any]) -> dict[str, Any]:
        claim = partial(_claim, (self, resource_name), _claims())
        return {**props, "vpp_token_id": pulumi.Output.from_input(props["vpp_token_id"]).apply(claim)}


class LicenseCountSync(_OperationResource, module="intune-vpp", name="LicenseCountSync"):
    """Makes Intune count the licences of all tokens: Graph's `syncLicenseCounts` (beta only).

    It runs at create and whenever `triggers` change. Graph does not report when it has counted. Its id is the tenant's.
    """

    triggers: Output[Any | None]
    """Any values; a change starts another count."""
    tenant_id: Output[str]
    """The tenant's GUID."""
    requested_date_time: Output[str]
    """When the provider last sent the request, by its clock: ISO 8601, in UTC."""

    def __init__(
        self, resource_name: str, *, triggers: Input[Any] | None = None, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare a count.

        Args:
            resource_name: Pulumi's name of the resource.
            triggers: any values except files; a change counts the licences again.
            opts: Pulumi's options; `id` and `import_` cannot be used.

        """
        super().__init__(LicenseCountSyncProvider(), resource_name, {"triggers": triggers}, opts)


def _whole(count: float | None) -> int | None:
    return None if count is None else int(count)


_Claims = dict[str, tuple[object, str]]
_claimed: WeakKeyDictionary[object, _Claims] = WeakKeyDictionary()


def _claims() -> _Claims:
    """Return the revocation of each token in this run: a process may run several programs, or one twice."""
    monitor = get_monitor()
    if monitor is None or is_mocked():
        # One monitor serves all tests of a process, and mocks may give each token the same id.
        return {}
    return _claimed.setdefault(monitor, {})


def _claim(claimant: tuple[object, str], claims: _Claims, token_id: Any) -> Any:
    """Return the id. Raises RunError if another resource of the program revokes the licences of that token.

    The provider cannot check that: the engine does not pass it the name of the resource.
    """
    # Check refuses what is not a string.
    if isinstance(token_id, str):
        other, name = claims.setdefault(token_id.lower(), claimant)
        if other is not claimant[0]:
            what = f'"{claimant[1]}" and "{name}" revoke the licences of the same token. Remove one of the two'
            raise run_error(f"{what}: a second revocation would also revoke licences assigned after the first.")
    return token_id


def _refuse_failed(resource_name: str, mocked: bool, told: dict[str, Any]) -> None:  # noqa: FBT001 - bound by partial
    # Not by the token's id, which the program may have marked secret.
    label, result = f'the token of "{resource_name}"', Result(**told)
    if mocked and result.action_state is None:
        return
    failure = revocation.unresolved(result, label).failure
    if failure is not None:
        raise run_error(message(failure))
    if not result.has_ended and not pulumi.runtime.is_dry_run():
        what = f"The revocation of the licences of {label} has not been confirmed."
        raise run_error(f"{what} {cures.ADVICE[Cure.WAIT_AGAIN]}")
