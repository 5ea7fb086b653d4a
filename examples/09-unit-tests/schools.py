"""The VPP tokens of three schools, each from the file of its name."""

import pulumi

from intune_vpp.dynamic import VppToken

LOCATIONS = ["Lincoln", "Selby", "York"]

tokens = {
    location: VppToken(
        location,
        token=pulumi.FileAsset(f"{location.lower()}.vpptoken"),
        apple_id="apps@contoso.example",
        vpp_token_account_type="business",
        display_name=f"Contoso {location}",
        expected_location_name=location,
        data_sharing_consent_granted=True,
    )
    for location in LOCATIONS
}
for location, token in tokens.items():
    pulumi.export(location, token.expiration_date_time)
