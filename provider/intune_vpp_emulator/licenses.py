"""The apps that a location has bought at Apple: their licences, those in use, and those that Intune has counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MOST_APPS = 3
"""The most apps of a location."""


@dataclass(frozen=True, slots=True)
class Title:
    """An app that Apple sells; `used` of its licences are in use when the first sync of a location finds it."""

    name: str
    publisher: str
    licenses: int
    used: int

    @property
    def slug(self) -> str:
        """The name in an address."""
        return self.name.lower().replace(" ", "-")

    @property
    def bundle_id(self) -> str:
        """The bundle id."""
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


def bought_at(place: tuple[str, ...]) -> list[Title]:
    """Two or three apps, the same in each run; consecutive ones, so that locations overlap as real ones do."""
    digest = hashlib.sha256("\0".join(place).encode()).digest()
    count, first = MOST_APPS - digest[0] % 2, digest[1]
    return [_STORE[(first + step) % len(_STORE)] for step in range(count)]


@dataclass(frozen=True, slots=True)
class Imported:
    """The apps of a location as of a sync, with their licences by bundle id.

    Two tokens of one location have counts of their own, though at Apple they share its licences.
    """

    place: tuple[str, ...]
    at: datetime
    used: Mapping[str, int]
    """In use at Apple."""
    counted: Mapping[str, int]
    """As Intune has counted last."""

    @classmethod
    def fresh(cls, place: tuple[str, ...], at: datetime) -> Imported:
        """What the first sync of a location finds."""
        used = {title.bundle_id: title.used for title in bought_at(place)}
        return cls(place, at, used, used)

    @property
    def titles(self) -> list[Title]:
        """The apps."""
        return bought_at(self.place)

    def counted_anew(self) -> Imported:
        """With the licences in use counted."""
        return replace(self, counted=self.used)

    def using(self, used: Mapping[str, Any]) -> Imported:
        """With that many licences of some apps in use, not yet counted; raises ValueError."""
        most = {title.bundle_id: title.licenses for title in self.titles}
        for bundle_id, number in used.items():
            if bundle_id not in most:
                raise ValueError(f"The token has no app {bundle_id!r}.")
            if type(number) is not int or not 0 <= number <= most[bundle_id]:
                raise ValueError(f"{bundle_id} has {most[bundle_id]} licences: {number!r} of them cannot be in use.")
        return replace(self, used={**self.used, **used})

    def freed(self, licenses: int) -> Imported:
        """With that many licences fewer in use, app after app."""
        used = {}
        for bundle_id, number in self.used.items():
            used[bundle_id] = max(number - licenses, 0)
            licenses -= number - used[bundle_id]
        return replace(self, used=used)
