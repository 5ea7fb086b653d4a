"""What the engine does with a provider process: which calls it makes, and what it stores of their answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from intune_vpp.core import pulumi_state
from intune_vpp.core.waiting import TIME_ALLOWED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.assembly import Assembly
    from intune_vpp.core.operations import Operation
    from intune_vpp.core.outcome import Outcome
    from intune_vpp.core.vpp_token import VppTokenArgs, VppTokenState


class Refused(Exception):
    """Check has found problems, so nothing was sent."""


@dataclass(frozen=True)
class Record:
    """A resource in the state: inputs and outputs in JSON, and whether the last step had a partial failure."""

    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    failed: bool = False

    @property
    def state(self) -> VppTokenState:
        """The state of a token, as the provider reads it."""
        return pulumi_state.state_from(self.id, self.outputs, self.inputs)


@dataclass
class Engine:
    """The state of a stack; it outlives the processes of the provider.

    Each method raises what the provider raises, and then keeps what it had. A name is the resource's URN.
    """

    tokens: dict[str, Record] = field(default_factory=dict)
    operations: dict[tuple[str, str], Record] = field(default_factory=dict)

    def up(self, provider: Assembly, name: str, program: Mapping[str, Any]) -> str:
        """Check, and then Create, or Diff and Update; what was done."""
        old = self.tokens.get(name)
        args = self._checked(provider, name, program)
        if old is None:
            outcome = provider.tokens.create(args, resource=name)
            self._keep(name, outcome, args)
            return _ended("created", outcome)
        plan = provider.preview.plan_token(old.state, args, resource=name)
        if not plan and not old.failed:
            self.tokens[name] = replace(old, inputs=_json(pulumi_state.args_to(args)))
            return "nothing to do"
        outcome = provider.tokens.update(old.state, args)
        self._keep(name, outcome, args)
        return _ended("updated", outcome)

    def has_nothing_to_do(self, provider: Assembly, name: str, program: Mapping[str, Any]) -> bool:
        """Check and Diff: whether an update would be empty."""
        old = self.tokens[name]
        plan = provider.preview.plan_token(old.state, self._checked(provider, name, program), resource=name)
        return not plan and not old.failed

    def refresh(self, provider: Assembly, name: str) -> str:
        """Read, and Diff the other way round; a token that is gone leaves the state."""
        old = self.tokens[name]
        found = provider.tokens.read(old.state)
        if found is None:
            del self.tokens[name]
            return "gone"
        provider.preview.warn_of(found, just_read=True)
        provider.preview.plan_token(found, old.state.inputs, resource=name)
        outputs = pulumi_state.state_to(found, with_inputs=pulumi_state.APPLIED in old.outputs)
        # Reading a resource well ends its partial failure.
        self.tokens[name] = Record(found.id, _json(pulumi_state.args_to(found.inputs)), _json(outputs))
        return "read"

    def destroy(self, provider: Assembly, name: str) -> str:
        """Delete."""
        provider.tokens.delete(self.tokens[name].state)
        del self.tokens[name]
        return "deleted"

    def operate(self, provider: Assembly, name: str, operation: Operation, inputs: Mapping[str, Any]) -> str:
        """Run an operation, or resume one that has not ended."""
        old = self.operations.get((name, operation.name))
        lifecycle = provider.operation(operation)
        if old is not None and old.failed and old.inputs == inputs:
            outcome = lifecycle.update(
                old.id, pulumi_state.operation_from(operation, old.outputs), inputs, TIME_ALLOWED
            )
        else:
            outcome = lifecycle.run(inputs, TIME_ALLOWED)
        record = Record(outcome.id, inputs, _json(outcome.state), outcome.failure is not None)
        self.operations[name, operation.name] = record
        lifecycle.read(record.id, pulumi_state.operation_from(operation, record.outputs))
        return _ended(operation.name, outcome)

    def _checked(self, provider: Assembly, name: str, program: Mapping[str, Any]) -> VppTokenArgs:
        old = self.tokens.get(name)
        olds = pulumi_state.applied_args(old.inputs, old.outputs) if old else None
        located = pulumi_state.location_in(old.outputs if old else {})
        checked = provider.preview.check_token(program, olds, location=located, resource=name)
        if checked.problems:
            raise Refused("; ".join(problem.reason for problem in checked.problems))
        return checked.args

    def _keep(self, name: str, outcome: Outcome[VppTokenState], args: VppTokenArgs) -> None:
        failed, old = outcome.failure is not None, self.tokens.get(name)
        # After an update that failed half-way the engine keeps the older inputs beside the new outputs.
        inputs = old.inputs if old and failed else _json(pulumi_state.args_to(args))
        outputs = _json(pulumi_state.state_to(outcome.state, with_inputs=failed))
        self.tokens[name] = Record(outcome.id, inputs, outputs, failed)


def _ended(what: str, outcome: Outcome[Any]) -> str:
    return what if outcome.failure is None else f"{what}, but: {outcome.failure}"


def _json(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties as they come back from the state: all numbers are floats."""
    found: dict[str, Any] = json.loads(json.dumps(properties), parse_int=float)
    return found
