"""Scripted faults: the rules that remain, in their order, each until it is used up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Any

from .fault_rules import ALWAYS, Rule, UnusableRuleError, read_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Faults", "Rule", "UnusableRuleError"]


@dataclass(slots=True)
class _Remaining:
    """A rule with the JSON that it was given as, and what is left of it."""

    rule: Rule
    given: Mapping[str, Any]
    draws: Random
    times: int | None
    """None: always."""
    after: int

    def applies(self) -> bool:
        """Whether the rule applies to a request, sync or revocation that it matches."""
        if self.after:
            self.after -= 1
            return False
        return self.draws.random() < self.rule.probability

    def used(self) -> bool:
        """Use the rule; whether nothing is left of it."""
        if self.times is not None:
            self.times -= 1
        return self.times == 0

    def shown(self) -> dict[str, Any]:
        """The JSON of what is left."""
        skipped = {"after": self.after} if "after" in self.given else {}
        return {**self.given, "times": ALWAYS if self.times is None else self.times, **skipped}


class Faults:
    """The rules that remain. Safe among threads; `sleep` waits for a delay.

    Rules with a `probability` draw from `seed` and their place in the order in which they were added, or from a `seed`
    of their own: the same matches in the same order have the same faults.
    """

    def __init__(
        self,
        rules: object = (),
        *,
        sleep: Callable[[float], None] = time.sleep,
        seed: int = 0,
    ) -> None:
        self._remaining: list[_Remaining] = []
        self._lock = Lock()
        self._added = 0
        self._seed = seed
        self.sleep = sleep
        self.add(list(rules) if isinstance(rules, tuple) else rules)

    def add(self, rules: object) -> None:
        """Add these rules behind the others: all of them, or none and UnusableRuleError."""
        read = read_rules(rules)
        with self._lock:
            for rule, given in zip(read, rules, strict=True):  # type: ignore[call-overload]  # read_rules wants a list
                self._added += 1
                self._remaining.append(self._whole(rule, dict(given)))

    def waiting(self) -> list[dict[str, Any]]:
        """The rules as they were given, each with the `times` that remain of it."""
        with self._lock:
            return [one.shown() for one in self._remaining]

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._remaining.clear()

    def for_request(self, method: str, path: str) -> Rule | None:
        """The first rule that applies to a request, which uses it."""
        return self._use(lambda rule: rule.matches(method, path))

    def for_sync(self) -> str | None:
        """How a sync that starts now ends; None without a rule."""
        rule = self._use(lambda rule: rule.sync is not None)
        return None if rule is None else rule.sync

    def for_revocation(self) -> Mapping[str, Any] | None:
        """Members of the final result of a revocation that starts now; None without a rule."""
        rule = self._use(lambda rule: rule.revoke is not None)
        return None if rule is None else rule.revoke

    def _whole(self, rule: Rule, given: Mapping[str, Any]) -> _Remaining:
        seed = f"{self._seed}/{self._added}" if rule.seed is None else rule.seed
        times = rule.times if isinstance(rule.times, int) else None
        return _Remaining(rule, given, Random(seed), times, rule.after)  # noqa: S311 - draws that can be repeated

    def _use(self, matches: Callable[[Rule], bool]) -> Rule | None:
        with self._lock:
            for place, one in enumerate(self._remaining):
                if matches(one.rule) and one.applies():
                    if one.used():
                        del self._remaining[place]
                    return one.rule
        return None
