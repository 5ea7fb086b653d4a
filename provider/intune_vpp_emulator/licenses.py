"""What a location has bought at Apple."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MOST_APPS = 3
"""No location has more."""


@dataclass(frozen=True, slots=True)
class Title:
    """What Apple sells."""

    name: str
    publisher: str
    licenses: int
    used: int

    @property
    def slug(self) -> str:
        """The name as an address has it."""
        return self.name.lower().replace(" ", "-")

    @property
    def bundle_id(self) -> str:
        """What the app calls itself."""
        return f"example.{self.publisher.lower()}.{self.slug.replace('-', '')}"


_STORE = (
    Title("Number Garden", "Fabrikam", 250, 31),
    Title("Letter Lake", "Fabrikam", 250, 12),
    Title("Sky Atlas", "Litware", 100, 2),
    Title("Lab Bench", "Litware", 60, 0),
    Title("Field Notes", "Proseware", 500, 244),
    Title("Whiteboard Pal", "Proseware", 500, 500),
    Title("Map Room", "Wingtip", 30, 7),
    Title("Choir Practice", "Wingtip", 45, 45),
    Title("Story Press", "Northwind", 120, 64),
    Title("Library Desk", "Northwind", 10, 3),
    Title("Code Meadow", "Tailspin", 250, 98),
    Title("Rock Finder", "Tailspin", 80, 0),
)


def bought_at(place: tuple[str, str]) -> list[Title]:
    """The same two or three at each run; neighbours on the shelf, so that locations overlap as real ones do."""
    digest = hashlib.sha256("\0".join(place).encode()).digest()
    count, first = MOST_APPS - digest[0] % 2, digest[1]
    return [_STORE[(first + step) % len(_STORE)] for step in range(count)]


@dataclass(frozen=True, slots=True)
class Imported:
    """The apps of a place, by the sync that brought them."""

    place: tuple[str, str]
    at: datetime

    @property
    def titles(self) -> list[Title]:
        """The apps."""
        return bought_at(self.place)
