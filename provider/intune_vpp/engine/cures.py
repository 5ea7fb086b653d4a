"""Words the cures of errors as commands of Pulumi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intune_vpp.core.errors import Cure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.errors import IntuneVppError

ADVICE: Mapping[Cure, str] = {
    Cure.GIVE_FILE: "Run pulumi up with the program that names the file.",
    Cure.LIST_TOKENS: "Token ids are GUIDs; getVppTokens lists them.",
    Cure.UNPROTECT: (
        "Set deletionProtection to false, run pulumi up, then delete it. "
        "If the resource is pending deletion, remove it with pulumi state delete; the token stays in Intune."
    ),
    Cure.DELETE_WITHOUT_REVOKING: (
        "To delete it anyway, set revokeLicensesOnDelete to false, run pulumi up, then delete it."
    ),
    Cure.WAIT_AGAIN: "Run pulumi again to continue waiting.",
    Cure.RESUME: "The next pulumi up continues from there.",
    Cure.CORRECT_STATE: "Correct or remove that member with `pulumi state edit`.",
    Cure.ADD_TO_STATE: "Add it with `pulumi state edit`.",
}


def sentence(error: IntuneVppError) -> str:
    """Return what happened, and what to do about it in Pulumi."""
    return f"{error} {ADVICE[error.cure]}" if error.cure else str(error)
