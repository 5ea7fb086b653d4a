"""One VPP token: change the file and run `pulumi up` to renew it in place.

The path of the file comes from configuration (`pulumi config set file …`), never its content.
"""

import pulumi

from intune_vpp.dynamic import VppToken

config = pulumi.Config()

token = VppToken(
    "lincoln",
    token=pulumi.FileAsset(config.require("file")),
    apple_id="apps@contoso.example",
    vpp_token_account_type="business",
    organization_name=config.get("organizationName"),
    display_name=config.get("displayName") or "Lincoln",
    country_or_region="US",
    data_sharing_consent_granted=True,
    deletion_protection=config.get_bool("deletionProtection"),
)

pulumi.export("state", token.state)
pulumi.export("expiration", token.expiration_date_time)
pulumi.export("syncStatus", token.last_sync_status)
