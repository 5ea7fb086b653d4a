"""Makes strings encodable for protobuf."""

from __future__ import annotations


def sendable(found: str) -> str:
    """Replace each lone surrogate, which JSON may contain, with `?`: an encoding error would lose a new id."""
    return found.encode(errors="replace").decode()
