"""What a location has bought at Apple: its apps, how many licences are in use, and how many Intune has counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MOST_APPS = 3
"""No location has more."""


@dataclass(frozen=True, slots=True)
class Title:
    """What Apple sells; `used` of the licences are in use when a location's first sync finds it."""

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
    """The apps of a place by the sync that brought them, with their licences by bundle id.

    Two tokens of one place count apart, though at Apple they share its licences.
    """

    place: tuple[str, str]
    at: datetime
    used: Mapping[str, int]
    """As it is at Apple."""
    counted: Mapping[str, int]
    """As Intune has last asked."""

    @classmethod
    def fresh(cls, place: tuple[str, str], at: datetime) -> Imported:
        """What the first sync of a place finds."""
        used = {title.bundle_id: title.used for title in bought_at(place)}
        return cls(place, at, used, used)

    @property
    def titles(self) -> list[Title]:
        """The apps."""
        return bought_at(self.place)

    def counted_anew(self) -> Imported:
        """With what is in use now in sight."""
        return replace(self, counted=self.used)

    def using(self, used: Mapping[str, Any]) -> Imported:
        """With so many licences of some apps in use, which nobody has counted yet; raises ValueError."""
        most = {title.bundle_id: title.licenses for title in self.titles}
        for bundle_id, number in used.items():
            if bundle_id not in most:
                raise ValueError(f"The token has no app {bundle_id!r}.")
            if type(number) is not int or not 0 <= number <= most[bundle_id]:
                raise ValueError(f"{bundle_id} has {most[bundle_id]} licences: {number!r} of them cannot be in use.")
        return replace(self, used={**self.used, **used})

    def freed(self, licenses: int) -> Imported:
        """With so many licences fewer in use, app after app."""
        used = {}
        for bundle_id, number in self.used.items():
            used[bundle_id] = max(number - licenses, 0)
            licenses -= number - used[bundle_id]
        return replace(self, used=used)
