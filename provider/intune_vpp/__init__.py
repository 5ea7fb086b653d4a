"""Manage Apple VPP tokens in Microsoft Intune with Pulumi: pick a door, such as `intune_vpp.dynamic`."""

__version__ = "0.1.0"
