"""What must be true of a tenant, of the state of a stack, and of all output."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from typing import TYPE_CHECKING

from intune_vpp.core import graph_json
from intune_vpp.core.resource_type import camel_case
from intune_vpp.core.stoken import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from soak.world import Location, World


def always(world: World) -> Iterator[str]:
    """The violations of what must be true after each operation, even after a failed one."""
    for what in world.consistency.problems(world.tenant.shown(), world.tenant.created, world.now):
        yield f"impossible: {what}"
    made = Counter(one.file.location for one in world.tenant.tokens if one.id not in world.by_hand)
    for location, count in made.items():
        if count > 1:
            yield f"doubled: {location} has {count} tokens that no person has made."


def leaks(world: World, places: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The secrets in texts; each place is a name and a text. The violation itself does not quote them."""
    secrets = world.all_secrets()
    for name, text in places:
        if any(secret in text for secret in secrets):
            yield f"secret: it is in {name}."


def said_by(error: BaseException) -> str:
    """Everything that can be printed of an error, and of its causes and contexts."""
    texts, seen, following = [], set(), [error]
    while following:
        one = following.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        texts += [str(one), repr(one), "".join(traceback.format_exception(one))]
        following += [behind for behind in (one.__cause__, one.__context__) if behind is not None]
    return "\n".join(texts)


def stored(world: World) -> str:
    """The state of the stack, as the engine writes it."""
    kept = [*world.engine.tokens.values(), *world.engine.operations.values()]
    return json.dumps([[record.id, record.inputs, record.outputs] for record in kept])


def in_the_end(world: World) -> Iterator[str]:
    """The violations after the faults have ended, the last update and the last refresh."""
    for location in world.locations.values():
        yield from _of(world, location)


def _of(world: World, location: Location) -> Iterator[str]:
    name = location.name
    there = {one.id: one for one in world.tenant.tokens if one.file.location == name}
    record = world.engine.tokens.get(name)
    if not location.wanted:
        if record or there.keys() - world.by_hand:
            yield f"lost: {name} was deleted, and its token exists."
        return
    if record is None or record.id not in there:
        yield f"lost: {name} has {len(there)} tokens, and the state names {record.id if record else 'none'}."
        return
    if len(there) > 1:
        yield f"doubled: {name} has {len(there)} tokens."
    if f"sha256:{there[record.id].file.sha256}" != parse(location.inputs["token"].encode()).fingerprint:
        yield f"lost: the token of {name} has another file than the program."
    yield from _differences(world, name)


def _differences(world: World, name: str) -> Iterator[str]:
    record = world.engine.tokens[name]
    shown = next(one for one in world.tenant.shown() if one["id"] == record.id)
    graph, kept = graph_json.token_from(shown), record.state.observed
    differing = [camel_case(one) for one in graph.__slots__ if getattr(graph, one) != getattr(kept, one)]
    if differing:
        yield f"differs: the state of {name} differs from the tenant in {', '.join(differing)}."
    if not world.engine.has_nothing_to_do(world.start_process(), name, world.locations[name].inputs):
        yield f"restless: an update of {name} still has something to do."
