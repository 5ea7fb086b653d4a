import * as pulumi from "@pulumi/pulumi";
import * as intune_vpp from "pulumi-intune-vpp";

const config = new pulumi.Config();

const lincoln = new intune_vpp.VppToken("lincoln", {
    token: new pulumi.asset.FileAsset("lincoln.vpptoken"),
    appleId: "apps@contoso.example",
    vppTokenAccountType: intune_vpp.AccountType.Business,
    displayName: "Lincoln",
    countryOrRegion: "US",
    dataSharingConsentGranted: true,
    deletionProtection: config.getBoolean("deletionProtection"),
});

export const state = lincoln.state;
export const expiration = lincoln.expirationDateTime;
