"""What a preview can say of actions: check and plan, without a request and without credentials."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from intune_vpp.core import actions, revocation, summary
from intune_vpp.core.actions import Action, Plan
from intune_vpp.core.check import Problem
from intune_vpp.core.model import UNKNOWN
from intune_vpp.core.waiting import Ended

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from intune_vpp.core.check import Policy
    from intune_vpp.core.ports import Voice
    from intune_vpp.lifecycle.ownership import Ownership


class ActionPreview:
    """Judges inputs and plans, and says what is about to be done."""

    def __init__(self, *, ownership: Ownership, voice: Voice, policy: Policy) -> None:
        self._ownership = ownership
        self._voice = voice
        self._policy = policy
        self._asked_for: set[str] = set()
        self._lock = threading.Lock()

    def check(
        self, action: Action, inputs: Mapping[str, Any], *, arrives: bool = False, resource: str = ""
    ) -> list[Problem]:
        """What is wrong with the inputs; `arrives` says that the resource is about to be created.

        `resource` is the resource's URN, on those doors that are told.
        """
        problems = [*actions.check(action, inputs, self._policy), *self._twice(action, inputs, resource)]
        with self._lock:
            self._asked_for.add(_key(action, inputs))
        if arrives and not problems:
            self.tell(action, inputs)
        return problems

    def _twice(self, action: Action, inputs: Mapping[str, Any], resource: str) -> list[Problem]:
        """A second revocation of the same token in one program would revoke once more, when the first has ended."""
        target = inputs.get("vppTokenId")
        if action is not actions.LICENSE_REVOCATION or not resource or not isinstance(target, str):
            return []
        user = self._ownership.claim("revocation", target.lower(), resource)
        if user == resource:
            return []
        what = f"The licences of this token are revoked by {summary.resource(user)} already. Remove one of the two"
        return [Problem("", f"{what}: the second would take back what was given out since.")]

    def plan(
        self, action: Action, before: Mapping[str, Any], inputs: Mapping[str, Any], ignoring: Collection[str] = ()
    ) -> Plan:
        """What an update would do. A refresh asks too, and is not told what is still to be done."""
        plan = actions.plan(action, before, inputs, ignoring)
        with self._lock:
            asked_for = _key(action, inputs) in self._asked_for
        if not asked_for:
            return Plan(changed=plan.changed, replaces=plan.replaces)
        if plan.replaces:
            # The engine checks what comes in its place as something new: then that is told.
            return plan
        if action is actions.LICENSE_REVOCATION:
            self._warn_of_revocation(before, inputs)
        if plan.acts:
            self.tell(action, inputs)
        elif plan.resumes:
            self._voice.note(summary.once_more(action, self._label(inputs)))
        elif plan and inputs.get("vppTokenId") is not UNKNOWN:
            self._voice.note(f"changes {', '.join(plan.changed)} in the state only")
        return plan

    def _warn_of_revocation(self, before: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        if inputs.get("vppTokenId") is UNKNOWN:
            what = "Should vppTokenId turn out to be another token's, this revokes all licences of that one."
            self._voice.warn(f"{what} It cannot be undone.")
        standing = revocation.standing(revocation.result_from(before), self._label(inputs))
        if standing != Ended():
            self._voice.warn(str(standing.failure or standing.warning))

    def tell(self, action: Action, inputs: Mapping[str, Any]) -> None:
        """Say what is about to be done."""
        sentence = summary.action(action, self._label(inputs))
        if action is actions.LICENSE_REVOCATION:
            self._voice.warn(f"This {sentence}. It cannot be undone.")
        else:
            self._voice.note(sentence)

    def _label(self, inputs: Mapping[str, Any]) -> str:
        """The token in words: what this run knows of it, else its id."""
        token_id = inputs.get("vppTokenId")
        return self._ownership.describe(token_id) if isinstance(token_id, str) else "the token"


def _key(action: Action, inputs: Mapping[str, Any]) -> str:
    """What was asked for, in whatever company the engine hands it over."""
    return action.name + json.dumps(actions.certain(action, inputs), sort_keys=True, default=str)
