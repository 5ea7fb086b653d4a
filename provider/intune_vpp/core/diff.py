"""Plans an update: compares the desired inputs with the last state, by each property's compare rule.

It refuses nothing, because a refresh calls Diff the other way round: the state it has just read is the old one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from intune_vpp.core.resource_type import UNKNOWN, same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from intune_vpp.core.operations import Operation
    from intune_vpp.core.resource_type import Property


@dataclass(frozen=True, slots=True)
class Change:
    """One input that would change."""

    property: Property
    old: object
    new: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an update of any type of resource would do; false if there is nothing to do.

    `replaces` names the inputs whose change requires another resource. `pending` names the outputs that make an update
    due although no input changed: an unconfirmed operation or sync, a location to claim, or a wrong location, which
    fails the update.
    """

    changes: tuple[Change, ...] = ()
    replaces: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.pending)

    def without(self, ignored: Iterable[str]) -> Self:
        """Return the plan without the changes of these properties; of a path, only the first part counts."""
        names = {path.partition(".")[0].partition("[")[0] for path in ignored}
        return replace(
            self,
            changes=tuple(change for change in self.changes if change.property.name not in names),
            replaces=tuple(name for name in self.replaces if name not in names),
        )

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the inputs that change."""
        return tuple(change.property.name for change in self.changes)

    @property
    def runs(self) -> bool:
        """Whether an operation runs again."""
        return _TRIGGERS in self.changed


_TARGET, _TRIGGERS = "vppTokenId", "triggers"


def plan_operation(operation: Operation, before: Mapping[str, Any], inputs: Mapping[str, Any]) -> Plan:
    """Plan the update of an operation from its last outputs, `before`, to `inputs`."""
    compared = [(prop, before.get(prop.name), inputs.get(prop.name)) for prop in operation.inputs]
    changes = tuple(change for one in compared if (change := change_of(*one)))
    # An unknown id replaces nothing. The engine plans with an unknown id whatever depends on a token that it replaces,
    # but the provider keeps the token. Once the id is known, the engine asks again.
    replaces = tuple(
        change.property.name for change in changes if change.property.name == _TARGET and change.new is not UNKNOWN
    )
    progress = (operation.progress,) if operation.progress and operation.pending(before) else ()
    return Plan(changes=changes, replaces=replaces, pending=progress)


def change_of(prop: Property, old: object, new: object) -> Change | None:
    """Return the change of an input, None if its compare rule finds none. An unknown value counts as a change."""
    return None if same(prop, old, new) else Change(prop, old, new)
