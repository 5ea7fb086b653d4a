"""The plugin: `pulumi-resource-intune-vpp`, a gRPC server that every Pulumi language talks to. No decisions."""
