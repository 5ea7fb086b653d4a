"""The tokens of `tokens.json` on the dynamic provider."""

import json
from pathlib import Path

import pulumi

from intune_vpp.dynamic import VppToken

for name, declared in json.loads(Path("tokens.json").read_text())["resources"].items():
    given = declared["properties"]
    VppToken(
        name,
        token=pulumi.FileAsset(given["token"]["fn::fileAsset"]),
        apple_id=given["appleId"],
        display_name=given["displayName"],
        vpp_token_account_type=given["vppTokenAccountType"],
        data_sharing_consent_granted=given["dataSharingConsentGranted"],
        deletion_protection=given["deletionProtection"],
        wait_for_sync=given["waitForSync"],
    )
