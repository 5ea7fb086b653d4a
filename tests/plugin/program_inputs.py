"""The inputs of a school's token, as the engine hands them to the plugin."""

from __future__ import annotations

from typing import Any

APPLE_ID = "vpp@contoso.example"


def inputs(token: object = None, **differing: Any) -> dict[str, Any]:
    """What a program asks for; None leaves an input out."""
    asked = {
        "token": token,
        "appleId": APPLE_ID,
        "vppTokenAccountType": "business",
        "displayName": "Lincoln",
        "dataSharingConsentGranted": True,
        "waitForSync": False,
        **differing,
    }
    return {name: value for name, value in asked.items() if value is not None}
