"""The random walk: what people, the engine, Apple and Intune do, one after the other."""

from __future__ import annotations

import logging
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from intune_vpp.core.errors import IntuneVppError
from intune_vpp.core.operations import OPERATIONS
from intune_vpp_emulator.members import SOUND, State
from soak import model
from soak.engine import Refused
from soak.faults import LONGEST_LAG, Kill, Killed
from soak.world import LogRecords, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.world import Location

_DAY = 86_400
_SHORT: Final = (0, 0, 1, 3, 10, 30, 90, 600)
"""Pauses while a create is pending: until its file has expired, the next create finds what the first has made."""
_PAUSES: Final = (*_SHORT, *_SHORT, *_SHORT, _DAY, 20 * _DAY)
_RATES: Final = (0.0, 0.05, 0.15, 0.4)
_KILLS: Final = 0.06
_MOST_REQUESTS_BEFORE_A_KILL: Final = 8
_ROUNDS: Final = 4
_SETTLED: Final = 700
"""Seconds after which a sync that hangs is not joined any more, and everything else has ended."""
_BEFORE: Final = 15
"""How many operations are shown before a violation."""
_REQUEST_ID = re.compile(r" \(request id [^)]*\)")


@dataclass(frozen=True)
class Violation:
    """What was wrong, after which operation, and the operations before it."""

    seed: str
    operation: int
    what: str
    trace: tuple[str, ...]


@dataclass
class Result:
    """The results of an episode."""

    operations: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)


class Episode:
    """Random operations in one tenant, then a check of the result without faults. `seed` decides everything."""

    def __init__(self, seed: str, world: World) -> None:
        self._seed, self._world, self._draws = seed, world, world.draws
        self._trace: deque[str] = deque(maxlen=_BEFORE + 1)
        self._result = Result(faults=world.faults.counts)
        self._records = LogRecords()
        self._written: set[str] = set()
        """The resources that this process of the provider has written: the engine writes each once in a run."""
        self._rate = self._draws.choice(_RATES)

    def run(self, operations: int) -> Result:
        """Run so many operations, or until the first violation."""
        logger = logging.getLogger("intune_vpp")
        level = logger.level
        logger.addHandler(self._records)
        logger.setLevel(logging.DEBUG)
        try:
            while self._result.operations < operations and not self._result.violations:
                self._step()
            if not self._result.violations:
                self._settle()
        finally:
            logger.removeHandler(self._records)
            logger.setLevel(level)
        return self._result

    def _step(self) -> None:
        pending = [one for one in self._world.locations.values() if _situation(self._world, one) == {When.DUE}]
        self._world.tenant.clock.advance(self._draws.choice(_SHORT if pending else _PAUSES))
        self._world.faults.rate = self._rate
        self._world.faults.lag(self._world.tenant)
        if self._draws.random() < _KILLS:
            count = self._draws.randint(1, _MOST_REQUESTS_BEFORE_A_KILL)
            self._world.connection.kill = Kill(count, after=self._draws.random() < 0.5)
        # A user often repeats a failed create soon.
        repeats = pending and self._draws.random() < 0.4
        location = self._draws.choice(pending if repeats else list(self._world.locations.values()))
        situation = _situation(self._world, location)
        walks = [walk for walk in _WALKS if walk.when in situation]
        (walk,) = self._draws.choices(walks, [walk.weight for walk in walks])
        if walk.write:
            # The engine writes a resource once in a run.
            if location.name in self._written or self._draws.random() < 0.3:
                self._restart()
            self._written.add(location.name)
        self._do(walk.name, location, walk.act)
        self._world.connection.kill = None

    def _do(self, name: str, location: Location, act: Callable[[World, Location], str]) -> str:
        """Run one operation, check what must always be true, and return how it ended."""
        world = self._world
        revocations = world.tenant.revocations
        ended, error = _tried(act, world, location)
        self._note(name, location, ended)
        found = [*model.always(world), *model.leaks(world, self._texts(ended, error))]
        if error is not None and not isinstance(error, (IntuneVppError, Refused, Killed)):
            found.append(f"crashed: {error!r} is none of the provider's errors.")
        if world.tenant.revocations > revocations + 1:
            found.append(f"doubled: {name} started {world.tenant.revocations - revocations} revocations.")
        self._violated(found)
        if isinstance(error, Killed):
            # A run that begins within the lag of the listing cannot know what the killed one has made.
            world.tenant.clock.advance(LONGEST_LAG)
            self._restart()
        return ended

    def _texts(self, ended: str, error: BaseException | None) -> list[tuple[str, str]]:
        """All texts that the operation has left, each with its place."""
        world = self._world
        found = [("the end of an operation", ended), ("the state", model.stored(world))]
        found += [("an error", model.said_by(error))] if error else []
        found += [(f"a report ({loudness})", sentence) for loudness, sentence in world.reporter.said]
        found += [("a log record", text) for text in self._records.texts]
        world.reporter.said.clear()
        self._records.texts.clear()
        return found

    def _restart(self) -> None:
        self._world.start_process()
        self._written.clear()

    def _note(self, name: str, location: Location, ended: str) -> None:
        self._result.operations += 1
        world = self._world
        lags = f", lags {world.tenant.get_lag_seconds}/{world.tenant.list_lag_seconds} s"
        requests = "; ".join(_counted(world.connection.seen))
        world.connection.seen.clear()
        when = f"{world.now:%m-%d %H:%M:%S}"
        ended = _REQUEST_ID.sub("", ended)
        self._trace.append(f"{self._result.operations} {when} {name} {location.name}{lags}: {ended} [{requests}]")

    def _violated(self, found: list[str]) -> None:
        trace, number = tuple(self._trace), self._result.operations
        known = {violation.what for violation in self._result.violations}
        self._result.violations += [Violation(self._seed, number, what, trace) for what in found if what not in known]

    # The end of an episode.

    def _settle(self) -> None:
        """End the faults, do what the provider's messages advise, repeat what has failed, and check the result."""
        world = self._world
        world.faults.rate = world.tenant.get_lag_seconds = world.tenant.list_lag_seconds = 0.0
        world.tenant.clock.advance(_SETTLED)
        managed = {record.id for record in world.engine.tokens.values()}
        for token_id in [one.id for one in world.tenant.tokens if one.id in world.by_hand - managed]:
            world.tenant.delete_by_hand(token_id)
        for location in world.locations.values():
            _follow_advice(world, location)
        ended: list[str] = []
        for _ in range(_ROUNDS):
            self._restart()
            ended = self._round()
            world.tenant.clock.advance(_SETTLED)
            if self._result.violations:
                return
            if set(ended) <= {"nothing to do"}:
                break
        self._restart()
        for location in world.locations.values():
            if location.name in world.engine.tokens:
                self._do("last refresh", location, refresh)
        unsettled = [f"unsettled: an update still ends with: {one}" for one in ended if one != "nothing to do"]
        self._violated([*model.in_the_end(world), *unsettled])

    def _round(self) -> list[str]:
        """`pulumi up --refresh` of the whole program, without faults."""
        world = self._world
        for location in world.locations.values():
            if location.name in world.engine.tokens:
                self._do("refresh", location, refresh)
        ended = [self._do("up", one, up) for one in world.locations.values() if one.wanted]
        unwanted = [one for one in world.locations.values() if not one.wanted and one.name in world.engine.tokens]
        return ended + [self._do("destroy", one, up) for one in unwanted]


def _tried(act: Callable[[World, Location], str], world: World, location: Location) -> tuple[str, BaseException | None]:
    """How an operation ended, and its error."""
    try:
        return act(world, location), None
    except Killed as error:
        return "killed", error
    except Refused as error:
        return f"refused: {error}", error
    except Exception as error:  # noqa: BLE001 - the walk goes on, whatever it is
        return f"failed: {type(error).__name__}: {error}", error


def _counted(seen: list[str]) -> list[str]:
    """The requests, those alike that follow each other as one."""
    found: list[tuple[str, int]] = []
    for one in seen:
        if found and found[-1][0] == one:
            found[-1] = (one, found[-1][1] + 1)
        else:
            found.append((one, 1))
    return [one if count == 1 else f"{one} ({count} times)" for one, count in found]


# What can happen. Each says in a few words what it did.


def up(world: World, location: Location) -> str:
    """`pulumi up`: create, update, or delete what the program does not have any more."""
    if location.wanted:
        return world.engine.up(world.provider, location.name, location.inputs)
    return world.engine.destroy(world.provider, location.name)


def refresh(world: World, location: Location) -> str:
    """`pulumi refresh`."""
    return world.engine.refresh(world.provider, location.name)


def _create(world: World, location: Location) -> str:
    location.wanted, draws = True, world.draws
    if not location.inputs or location.newest or draws.random() < 0.5 or location.expires <= world.now:
        options = {"waitForSync": draws.random() < 0.7, "revokeLicensesOnDelete": draws.random() < 0.3}
        location.inputs, location.newest = world.program(location, **options), ""
    return up(world, location)


def _edit(world: World, location: Location) -> str:
    changes: list[dict[str, Any]] = [
        {"displayName": f"{location.name} {world.draws.randrange(100)}"},
        {"automaticallyUpdateApps": world.draws.random() < 0.5},
        {"countryOrRegion": world.draws.choice(["US", "GB", "FR"])},
        {"appleId": f"vpp{world.draws.randrange(3)}@contoso.example"},
        {"waitForSync": world.draws.random() < 0.7},
    ]
    location.inputs |= world.draws.choice(changes)
    return up(world, location)


def _renew(world: World, location: Location) -> str:
    location.inputs["token"], location.newest = world.new_file(location), ""
    return up(world, location)


def _delete(world: World, location: Location) -> str:
    location.wanted = False
    return up(world, location)


def _operate(world: World, location: Location) -> str:
    operation = world.draws.choice(OPERATIONS)
    named = {} if operation is OPERATIONS[-1] else {"vppTokenId": world.engine.tokens[location.name].id}
    return world.engine.operate(world.provider, location.name, operation, named)


def _by_hand(world: World, location: Location) -> str:
    """A person, Apple or another MDM changes a token behind the engine's back."""
    token_id, draws = world.engine.tokens[location.name].id, world.draws
    (what,) = draws.choices(["rename", "renew", "claim", "invalidate", "delete", "duplicate"], [5, 4, 2, 2, 4, 3])
    match what:
        case "rename":
            world.tenant.edit_by_hand(token_id, {"displayName": f"By hand {draws.randrange(100)}"})
        case "renew":
            location.newest = world.new_file(location)
            world.tenant.edit_by_hand(token_id, {"token": location.newest})
        case "claim":
            location.claimed = True
            world.tenant.edit_by_hand(token_id, {"state": State.ASSIGNED_TO_EXTERNAL_MDM.value})
        case "invalidate":
            world.tenant.edit_by_hand(token_id, {"state": State.INVALID.value})
        case "delete":
            world.tenant.delete_by_hand(token_id)
        case "duplicate":
            same_file = draws.random() < 0.5 and location.expires > world.now and not location.newest
            file = location.inputs["token"] if same_file else world.new_file(location)
            name = location.inputs["displayName"] if draws.random() < 0.5 else "By hand"
            members = {"token": file, "appleId": location.inputs["appleId"], "displayName": name}
            world.by_hand.add(world.tenant.create_by_hand(members)["id"])
    return what


def _follow_advice(world: World, location: Location) -> None:
    """Change the program as the messages of the provider advise."""
    record = world.engine.tokens.get(location.name)
    shown = next((one for one in world.tenant.shown() if record and one["id"] == record.id), None)
    if not location.wanted:
        if shown and shown["state"] not in SOUND:
            # Its licences cannot be revoked before it is deleted, until somebody renews it.
            healed = {"token": world.new_file(location), "claimTokenManagementFromExternalMdm": True}
            world.tenant.edit_by_hand(shown["id"], healed)
        return
    if location.newest:
        # "This token was renewed elsewhere": use the file that was uploaded.
        location.inputs["token"], location.newest = location.newest, ""
    if location.claimed:
        location.inputs["claimTokenManagementFromExternalMdm"], location.claimed = True, False
    if location.expires <= world.now or (shown and shown["state"] in {State.INVALID, State.EXPIRED}):
        location.inputs["token"] = world.new_file(location)


class When(Enum):
    """In which situation of its resource something can happen."""

    FREE = auto()
    """Neither the program nor the state has it."""
    DUE = auto()
    """The program or the state has it."""
    STORED = auto()
    """The state has it."""
    MANAGED = auto()
    """The program and the state have it."""
    EXISTS = auto()
    """The program, the state and the tenant have it."""


def _situation(world: World, location: Location) -> set[When]:
    record = world.engine.tokens.get(location.name)
    if record is None:
        return {When.DUE} if location.wanted else {When.FREE}
    found = {When.DUE, When.STORED}
    if location.wanted:
        found.add(When.MANAGED)
        found |= {When.EXISTS for one in world.tenant.tokens if one.id == record.id}
    return found


@dataclass(frozen=True)
class Walk:
    """Something that can happen to a resource, how often, and when; `write`: the engine does it once in a run."""

    name: str
    weight: int
    when: When
    act: Callable[[World, Location], str]
    write: bool = True


_WALKS: Final = (
    Walk("create", 30, When.FREE, _create),
    Walk("up", 25, When.DUE, up),
    Walk("edit", 12, When.MANAGED, _edit),
    Walk("renew", 10, When.MANAGED, _renew),
    Walk("delete", 6, When.MANAGED, _delete),
    Walk("operation", 8, When.MANAGED, _operate),
    Walk("refresh", 15, When.STORED, refresh, write=False),
    Walk("by hand", 20, When.EXISTS, _by_hand, write=False),
)
