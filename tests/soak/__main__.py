"""`make soak`: runs many episodes and prints their violations and a summary."""

from __future__ import annotations

import os
import sys
from collections import Counter
from secrets import randbelow
from typing import TYPE_CHECKING, Final

from soak.walk import Episode, Result
from soak.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from soak.walk import Violation

LENGTH: Final = 50
"""Operations of an episode. Each episode begins with an empty tenant, so that a violation does not cause others."""


def soak(
    seed: int,
    operations: int,
    *,
    first: int = 1,
    world: Callable[[str], World] = World,
    report: Callable[[Violation], object] = lambda _: None,
) -> Result:
    """Run at least so many operations, in whole episodes from number `first` on; `world` makes the world of each.

    `report` is called with each violation at the end of its episode.
    """
    total, number = Result(), first
    while total.operations < operations:
        name = f"{seed}/{number}"
        found = Episode(name, world(name)).run(LENGTH)
        total.operations += found.operations
        total.faults += found.faults
        total.violations += found.violations
        for violation in found.violations:
            report(violation)
        number += 1
    return total


def described(violation: Violation) -> str:
    """A violation and the operations before it, as text."""
    what = f"Episode {violation.seed}, operation {violation.operation}: {violation.what}"
    return "\n".join([what, *(f"    {line}" for line in violation.trace)])


def summary(seed: int, result: Result) -> str:
    """The last line of the output."""
    faults = ", ".join(f"{kind}: {count}" for kind, count in sorted(result.faults.items()) if count)
    kinds = Counter(one.what.partition(":")[0] for one in result.violations)
    violations = f"{len(result.violations)} violations"
    if kinds:
        violations += f" ({', '.join(f'{kind}: {count}' for kind, count in sorted(kinds.items()))})"
    return f"seed {seed}, {result.operations} operations, faults: {faults or 'none'}; {violations}"


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Read SEED and OPERATIONS from the environment, and EPISODE for one episode alone; exit with 1 for violations."""
    seed = int(os.environ.get("SEED") or randbelow(1_000_000))
    episode = int(os.environ.get("EPISODE") or 0)
    operations = 1 if episode else int(os.environ.get("OPERATIONS") or 10_000)
    result = soak(seed, operations, first=episode or 1, report=lambda violation: _print(described(violation)))
    _print(summary(seed, result))
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
