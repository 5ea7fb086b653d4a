"""Manage Apple VPP tokens in Microsoft Intune with Pulumi: pick a door, such as `intune_vpp.dynamic`."""
