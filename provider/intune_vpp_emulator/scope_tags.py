"""Intune's scope tags: which exist, and which a caller is bound to.

The refusals are those that administrators quote: microsoft/Intune-PowerShell-SDK issue 119 (404), DriverAutomationTool
issue 864, IntuneManagement issue 401 and powershell-intune-samples issue 219 (400). All are in Intune's envelope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .refusals import IntuneRefusal, intune_bad_request

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_NOT_ALLOWED = "Resource does not contain a tag allowed by the current role."


def check_exist(tags: Sequence[str], existing: Collection[str]) -> None:
    """Whether all these tags exist; raises IntuneRefusal."""
    for tag in tags:
        if tag not in existing:
            # a guess: scope-tag-sentence
            raise intune_bad_request(f"Invalid Role Scope Tag defined: {tag}.")


def is_visible(tags: Sequence[str], allowed: Collection[str] | None) -> bool:
    """Whether a caller who is bound to the `allowed` tags, or to none, sees what has these tags."""
    return allowed is None or any(tag in allowed for tag in tags)


def check_visible(tags: Sequence[str], allowed: Collection[str] | None) -> None:
    """The same, as Intune answers it; raises IntuneRefusal."""
    if not is_visible(tags, allowed):
        raise IntuneRefusal(404, "ResourceNotFound", _NOT_ALLOWED)


def check_write(asked: Sequence[str] | None, before: Sequence[str], allowed: Collection[str] | None) -> None:
    """Whether a caller may give these tags to what has those `before`; raises IntuneRefusal.

    `asked` is None where the caller leaves them out, `before` is empty for what is created.
    """
    # a guess: scope-tags-left-out
    if allowed is None or (asked is None and before):
        return
    for tag in asked or ():
        if tag not in allowed and tag not in before:
            raise intune_bad_request(f"Added a tag which is not allowed by the current role: {tag}")
    if not is_visible(asked if asked is not None else ["0"], allowed):
        raise IntuneRefusal(400, "ConditionNotMet", "Must define one or more tags allowed by the current role")
