"""The dynamic door: `from intune_vpp.dynamic import VppToken` in a Pulumi program written in Python.

Every user's state contains the import paths and names of these classes: they never change.
"""

from intune_vpp.dynamic.operation_providers import (
    LicenseCountSyncProvider,
    LicenseRevocationProvider,
    LicenseSyncProvider,
)
from intune_vpp.dynamic.operation_resources import LicenseCountSync, LicenseRevocation, LicenseSync
from intune_vpp.dynamic.provider import VppTokenProvider
from intune_vpp.dynamic.resource import VppToken

__all__ = [
    "LicenseCountSync",
    "LicenseCountSyncProvider",
    "LicenseRevocation",
    "LicenseRevocationProvider",
    "LicenseSync",
    "LicenseSyncProvider",
    "VppToken",
    "VppTokenProvider",
]
