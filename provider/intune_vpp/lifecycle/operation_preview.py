"""The preview of operations: check and plan, without a request and without credentials."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from intune_vpp.core import messages, operations, revocation
from intune_vpp.core.check import Problem
from intune_vpp.core.model import UNKNOWN
from intune_vpp.core.operations import Operation, Plan
from intune_vpp.core.waiting import WaitResult

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from intune_vpp.core.check import Policy
    from intune_vpp.core.ports import Reporter
    from intune_vpp.lifecycle.ownership import Ownership


class OperationPreview:
    """Judges inputs and plans, and says what is about to be done."""

    def __init__(self, *, ownership: Ownership, reporter: Reporter, policy: Policy) -> None:
        self._ownership = ownership
        self._reporter = reporter
        self._policy = policy
        self._asked_for: set[str] = set()
        self._lock = threading.Lock()

    def check(
        self, operation: Operation, inputs: Mapping[str, Any], *, arrives: bool = False, resource: str = ""
    ) -> list[Problem]:
        """What is wrong with the inputs; `arrives` says that the resource is about to be created.

        `resource` is the resource's URN, on the doors that know it.
        """
        problems = [*operations.check(operation, inputs, self._policy), *self._twice(operation, inputs, resource)]
        with self._lock:
            self._asked_for.add(_key(operation, inputs))
        if arrives and not problems:
            self.tell(operation, inputs)
        return problems

    def _twice(self, operation: Operation, inputs: Mapping[str, Any], resource: str) -> list[Problem]:
        """A second revocation of the same token in one program would revoke once more, when the first has ended."""
        target = inputs.get("vppTokenId")
        if operation is not operations.LICENSE_REVOCATION or not resource or not isinstance(target, str):
            return []
        user = self._ownership.claim("revocation", target.lower(), resource)
        if user == resource:
            return []
        what = f"The licences of this token are already revoked by {messages.resource(user)}. Remove one of the two"
        return [Problem("", f"{what}: a second revocation would also revoke licences assigned after the first.")]

    def plan(
        self, operation: Operation, before: Mapping[str, Any], inputs: Mapping[str, Any], ignoring: Collection[str] = ()
    ) -> Plan:
        """What an update would do. A refresh asks too, and is not told what is still to be done."""
        plan = operations.plan(operation, before, inputs, ignoring)
        with self._lock:
            asked_for = _key(operation, inputs) in self._asked_for
        if not asked_for:
            return Plan(changed=plan.changed, replaces=plan.replaces)
        if plan.replaces:
            # The engine checks what comes in its place as something new: then that is told.
            return plan
        if operation is operations.LICENSE_REVOCATION:
            self._warn_of_revocation(before, inputs)
        if plan.runs:
            self.tell(operation, inputs)
        elif plan.resumes:
            self._reporter.info(messages.once_more(operation, self._label(inputs)))
        elif plan and inputs.get("vppTokenId") is not UNKNOWN:
            self._reporter.info(f"Changes {', '.join(plan.changed)} in the state only")
        return plan

    def _warn_of_revocation(self, before: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        if inputs.get("vppTokenId") is UNKNOWN:
            what = "vppTokenId is not known yet. If it changes to a different token, all its licences are revoked."
            self._reporter.warn(f"{what} It cannot be undone.")
        standing = revocation.unresolved(revocation.result_from(before), self._label(inputs))
        if standing != WaitResult():
            self._reporter.warn(str(standing.failure or standing.warning))

    def tell(self, operation: Operation, inputs: Mapping[str, Any]) -> None:
        """Say what is about to be done."""
        sentence = messages.operation(operation, self._label(inputs))
        if operation is operations.LICENSE_REVOCATION:
            self._reporter.warn(f"{sentence}. It cannot be undone.")
        else:
            self._reporter.info(sentence)

    def _label(self, inputs: Mapping[str, Any]) -> str:
        """The token in words: what this run knows of it, else its id."""
        token_id = inputs.get("vppTokenId")
        return self._ownership.describe(token_id) if isinstance(token_id, str) else "the token"


def _key(operation: Operation, inputs: Mapping[str, Any]) -> str:
    """A key for the inputs, whatever other members the engine passes with them."""
    return operation.name + json.dumps(operations.echoed_inputs(operation, inputs), sort_keys=True, default=str)
