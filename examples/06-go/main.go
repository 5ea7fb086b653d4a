// One VPP token: change the file and run `pulumi up` to renew it in place.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"github.com/intune-vpp/pulumi-intune-vpp/sdk/go/intunevpp"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		protected := config.Get(ctx, "deletionProtection") != "false"
		lincoln, err := intunevpp.NewVppToken(ctx, "lincoln", &intunevpp.VppTokenArgs{
			Token:                     pulumi.NewFileAsset("lincoln.vpptoken"),
			AppleId:                   pulumi.String("apps@contoso.example"),
			VppTokenAccountType:       pulumi.String(intunevpp.AccountTypeBusiness),
			DisplayName:               pulumi.String("Lincoln"),
			CountryOrRegion:           pulumi.String("US"),
			DataSharingConsentGranted: pulumi.Bool(true),
			DeletionProtection:        pulumi.Bool(protected),
		})
		if err != nil {
			return err
		}
		ctx.Export("state", lincoln.State)
		ctx.Export("expiration", lincoln.ExpirationDateTime)
		return nil
	})
}
