"""Makes strings encodable for protobuf."""

from __future__ import annotations


def sendable(found: str) -> str:
    """The text with `?` in place of each lone surrogate, which JSON may contain: an error here would lose a new id."""
    return found.encode(errors="replace").decode()
