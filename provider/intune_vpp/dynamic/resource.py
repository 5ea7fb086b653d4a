"""`VppToken`, the resource class for programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import Resource

from intune_vpp.core import pulumi_state, token_diff
from intune_vpp.core.errors import TokenFileError
from intune_vpp.core.printable import look_alike
from intune_vpp.core.resource_type import camel_case, snake_case
from intune_vpp.core.vpp_token import VPP_TOKEN
from intune_vpp.dynamic.mocked import is_mocked
from intune_vpp.dynamic.provider import VppTokenProvider
from intune_vpp.dynamic.spelling import message, run_error
from intune_vpp.engine import assets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input, Output


class VppToken(Resource, module="intune-vpp", name="VppToken"):
    """An Apple VPP token (content token, location token) in Microsoft Intune: Graph's `vppToken`.

    It is created from the `.vpptoken` file that Apple Business or School Manager provides, and renewed in place when
    the file changes. An argument that you omit is not managed: it is neither sent nor reported as drift.

    The file's text never enters the state, which has its fingerprint as `token` (`sha256:` and 64 hex digits) and its
    details as `token_file`. Pass the file as `pulumi.FileAsset`: the engine writes a text to its own logs.

    Timestamps are strings as Graph returns them: ISO 8601, in UTC. Source of the members:
    https://learn.microsoft.com/graph/api/resources/intune-onboarding-vpptoken
    """

    token: Output[str]
    """The fingerprint of the file applied last; `renewed elsewhere` while Intune has one from another source."""
    token_file: Output[Mapping[str, str] | None]
    """Details of the file applied last: `fingerprint`, `expiration_date_time`, and `organization_name` unless it is an
    argument."""
    apple_id: Output[str]
    """The Managed Apple Account that downloaded the file."""
    vpp_token_account_type: Output[str]
    """`business` or `education`."""
    organization_name: Output[str]
    """The organization, as Intune reports it."""
    display_name: Output[str | None]
    """The token's name in Intune (beta only)."""
    country_or_region: Output[str | None]
    """The country code of the store, two letters."""
    automatically_update_apps: Output[bool]
    """Whether Intune updates the apps of this token automatically."""
    data_sharing_consent_granted: Output[bool | None]
    """Whether you consented to sharing data with Apple (beta only)."""
    role_scope_tag_ids: Output[Sequence[str] | None]
    """Ids of Intune's scope tags (beta only)."""
    apple_device_app_delivery_protocol_type: Output[str | None]
    """How apps are delivered to devices (beta only)."""
    claim_token_management_from_external_mdm: Output[bool | None]
    """Whether to take over the location from another MDM (beta only)."""
    expected_location_name: Output[str | None]
    """The location that the file must belong to."""
    adopt_token_id: Output[str | None]
    """The existing token that was adopted."""
    wait_for_sync: Output[bool]
    """Whether creating and renewing wait for the licence sync."""
    deletion_protection: Output[bool]
    """Whether deleting is refused."""
    revoke_licenses_on_delete: Output[bool]
    """Whether licences are revoked before the token is deleted."""
    tenant_id: Output[str]
    """The tenant's GUID; refresh, update and delete refuse credentials of another tenant."""
    state: Output[str]
    """`unknown`, `valid`, `expired`, `invalid`, `assignedToExternalMDM`, `duplicateLocationId` or a newer value."""
    expiration_date_time: Output[str]
    """When the token expires."""
    last_sync_date_time: Output[str | None]
    """When Intune last synced licences; absent before the first sync."""
    last_sync_status: Output[str]
    """`none`, `inProgress`, `completed`, `failed`, or a newer value."""
    last_modified_date_time: Output[str]
    """When the token last changed in Intune; each sync changes it."""
    location_name: Output[str | None]
    """The location that the token is for, as Apple names it (beta only)."""
    token_action_results: Output[Sequence[Mapping[str, Any]] | None]
    """Results of actions on the token (beta only)."""
    sync_pending: Output[bool]
    """True while a sync that the provider started is unconfirmed; the next update tries again."""
    duplicate_token_ids: Output[Sequence[str] | None]
    """Ids of other tokens of the tenant that were created from the same file; absent if there are none."""

    def __init__(  # noqa: PLR0913 - Graph's members
        self,
        resource_name: str,
        *,
        token: Input[str | pulumi.Asset | os.PathLike[str]] | None = None,
        apple_id: Input[str] | None = None,
        vpp_token_account_type: Input[str] | None = None,
        organization_name: Input[str] | None = None,
        display_name: Input[str] | None = None,
        country_or_region: Input[str] | None = None,
        automatically_update_apps: Input[bool] | None = None,
        data_sharing_consent_granted: Input[bool] | None = None,
        role_scope_tag_ids: Input[Sequence[Input[str]]] | None = None,
        apple_device_app_delivery_protocol_type: Input[str] | None = None,
        claim_token_management_from_external_mdm: Input[bool] | None = None,
        expected_location_name: Input[str] | None = None,
        adopt_token_id: Input[str] | None = None,
        wait_for_sync: Input[bool] | None = None,
        deletion_protection: Input[bool] | None = None,
        revoke_licenses_on_delete: Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare a token.

        Args:
            resource_name: Pulumi's name of the resource.
            token: the `.vpptoken` file as `pulumi.FileAsset` or `pathlib.Path`, or its text. Required to create; a
                change renews the token.
            apple_id: the Managed Apple Account that downloaded the file. Required to create.
            vpp_token_account_type: `business` or `education`. Required to create.
            organization_name: the organization; a new file must belong to it.
            display_name: the name in Intune (beta only).
            country_or_region: two letters, in either case.
            automatically_update_apps: whether Intune updates the apps automatically.
            data_sharing_consent_granted: your consent to share data with Apple; must be True to create on beta.
            role_scope_tag_ids: ids of scope tags, in any order (beta only).
            apple_device_app_delivery_protocol_type: `default`, `mobileDeviceManagement` or
                `declarativeDeviceManagement` (beta only); may be irreversible.
            claim_token_management_from_external_mdm: take over the location from another MDM (beta only).
            expected_location_name: fail if Intune reports another location for the token (beta only).
            adopt_token_id: adopt this existing token instead of creating one; read at create only.
            wait_for_sync: wait for the licence sync after creating and renewing; default True.
            deletion_protection: refuse to delete the token; default True.
            revoke_licenses_on_delete: revoke all licences before the token is deleted, and keep it if that fails
                (beta only); default False.
            opts: Pulumi's options; `id` and `import_` cannot be used with a dynamic provider.

        Raises:
            pulumi.RunError: if the token file does not exist, or an option cannot be used.

        """
        given = {name: value for name, value in locals().items() if name in _INPUTS}
        _refuse_options(opts)
        # The SDK makes an output-only attribute only for a key that is passed; it does not send None.
        props = {prop.attribute: given.get(prop.attribute) for prop in VPP_TOKEN.properties}
        props["token"] = _sendable(token)
        super().__init__(VppTokenProvider(), resource_name, props, _hiding(opts))
        # The provider can only warn after a create, or the new id would be lost; the program can fail the run.
        pulumi.Output.all(self.id, self.duplicate_token_ids).apply(_refuse_duplicates)
        if expected_location_name is not None:
            # The state has the name of an expected location once, as the input.
            self.location_name = pulumi.Output.all(self.location_name, self.expected_location_name).apply(_known)
            pulumi.Output.all(self.id, self.location_name, expected_location_name).apply(_refuse_other_location)

    def translate_input_property(self, prop: str) -> str:
        """Return Graph's spelling of an argument."""
        return camel_case(prop)

    def translate_output_property(self, prop: str) -> str:
        """Return Python's spelling of a property."""
        return snake_case(prop)


_INPUTS = frozenset(prop.attribute for prop in VPP_TOKEN.properties if prop.sent and prop.attribute != "token_file")


def _known(names: list[Any]) -> Any:
    location, expected = names
    return expected if location is None else location


def _refuse_other_location(seen: list[Any]) -> None:
    token_id, location, expected = seen
    if token_diff.is_other(location, expected):
        msg = f'Token {token_id} is for the location "{location}", but "{expected}" is expected.'
        alike = look_alike(location, expected)
        raise run_error(f"{msg}{alike} Renew it with the right location's file, or correct expected_location_name.")


def _refuse_duplicates(seen: list[Any]) -> None:
    token_id, duplicates = seen
    if duplicates and not pulumi.runtime.is_dry_run():
        others = ", ".join(duplicates)
        msg = f"Token {token_id} has a duplicate in this tenant, created from the same file: token {others}."
        raise run_error(f"{msg} Keep the one named in the warning, delete the other, then refresh.")


def _refuse_options(opts: pulumi.ResourceOptions | None) -> None:
    if opts is not None and (opts.id is not None or opts.import_ is not None):
        msg = "A dynamic VppToken can neither be imported nor looked up by id."
        raise run_error(f"{msg} To manage an existing token, set adopt_token_id.")


def _hiding(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """The options, with `__inputs`, the copy of the inputs in the outputs, as a secret.

    The engine marks an output with the name of a secret input, but no value inside another output. Which inputs are
    secret, transforms may decide after the program.
    """
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(additional_secret_outputs=[pulumi_state.APPLIED]))


def _sendable(token: Any) -> Any:
    """The token as the SDK can send it: files unchanged, texts as secrets."""
    if isinstance(token, os.PathLike):
        token = pulumi.FileAsset(os.fspath(token))
    if isinstance(token, pulumi.FileAsset):
        _look(token)
        return token
    if isinstance(token, pulumi.Output):
        return pulumi.Output.secret(token).apply(_text_of)
    return None if token is None else pulumi.Output.secret(_text_of(token))


def _text_of(token: Any) -> Any:
    """A string asset as its text: the SDK cannot send an empty one, and the engine stores others unencrypted."""
    if isinstance(token, os.PathLike):
        token = pulumi.FileAsset(os.fspath(token))
    if isinstance(token, pulumi.FileAsset):
        _look(token)
    if isinstance(token, pulumi.StringAsset):
        return token.text
    if isinstance(token, (bytes, bytearray, pulumi.RemoteAsset, pulumi.Archive)):
        raise run_error(assets.unusable(type(token).__name__))
    return token


def _look(token: pulumi.FileAsset) -> None:
    """Refuse a file that does not exist, before the engine does so with a traceback."""
    if is_mocked():
        # A unit test needs no file; nobody reads it.
        return
    path = Path(token.path)
    # The engine resolves relative paths against the project's folder, which may differ from the program's. Older
    # language hosts do not report it, although the SDK's types say so.
    project = Path(pulumi.get_root_directory() or "")
    try:
        assets.read_file(next((place for place in (path, project / path) if _is_there(place)), path))
    except TokenFileError as error:
        raise run_error(message(error)) from None


def _is_there(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:
        # A folder without permission, a name that is too long: reading it reports that better.
        return False
