"""The VPP tokens of several locations; the one that closes loses its licences, and then its token.

Locations come from configuration, each with the path of its file, never its content:
`pulumi config set --path locations.Lincoln lincoln.vpptoken`.
"""

import pulumi

from intune_vpp.dynamic import LicenseRevocation, VppToken

config = pulumi.Config()
closing = config.get("closing")

for location, file in config.require_object("locations").items():
    token = VppToken(
        location,
        token=pulumi.FileAsset(file),
        apple_id="apps@contoso.example",
        vpp_token_account_type="business",
        display_name=location,
        data_sharing_consent_granted=True,
        deletion_protection=config.get_bool("deletionProtection") if location != closing else False,
        revoke_licenses_on_delete=True,
    )
    if location == closing:
        revocation = LicenseRevocation(location, vpp_token_id=token.id)
        pulumi.export("revocation", revocation.action_state)
        pulumi.export("licences", revocation.total_licenses_count)
        pulumi.export("left", revocation.failed_licenses_count)
