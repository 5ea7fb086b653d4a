"""Texts as protobuf takes them."""

from __future__ import annotations


def sendable(found: str) -> str:
    """A text with a mark for each half of a surrogate pair, as JSON can carry it: it must not cost a token its id."""
    return found.encode(errors="replace").decode()
