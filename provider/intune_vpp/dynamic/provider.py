"""What Pulumi's dynamic provider process runs: each call of the engine handed to the lifecycle.

This door is told less than a plugin: Check gets old inputs only, Diff, Update and Delete old outputs only. So the
inputs are kept in the outputs as well, under a name that the engine neither shows nor compares.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    Config,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from intune_vpp import settings
from intune_vpp.assembly import Assembly
from intune_vpp.core import records
from intune_vpp.core.errors import IntuneVppError, SettingsError
from intune_vpp.dynamic.spelling import PythonVoice, errors_in_python, in_python
from intune_vpp.host import assets, unknowns
from intune_vpp.host.log import EngineLog, carry_debug_lines

if TYPE_CHECKING:
    from intune_vpp.core.check import Problem
    from intune_vpp.core.diff import Plan
    from intune_vpp.core.model import VppTokenArgs, VppTokenState
    from intune_vpp.lifecycle.settling import Outcome
    from intune_vpp.settings import Settings

INPUTS = "__inputs"


class VppTokenProvider(ResourceProvider):
    """Pickled by reference into each resource, so it has no attributes but those that `configure` sets."""

    # Nothing is secret in a reference; a secret in each record would cost an encryption at every step.
    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Read the configuration; what is wrong with it is said by the first call that can say it well."""
        # The engine's address is the last argument of the process (the SDK itself does not use it).
        self._log = _engine_log(sys.argv[-1])
        carry_debug_lines(self._log)
        configuration = _configured(req.config)
        self._parts: Assembly | SettingsError
        try:
            self._parts = _assembly(settings.read(configuration, os.environ), self._log)
        except SettingsError as error:
            self._parts = error

    @property
    def _assembly(self) -> Assembly:
        if isinstance(self._parts, SettingsError):
            raise self._parts
        return self._parts

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Normalised inputs, the token as its fingerprint; what is wrong with them as failures."""
        inputs = unknowns.from_engine(news)
        try:
            given = {**inputs, "token": assets.read(inputs.get("token"))}
            olds = records.args_from(unknowns.from_engine(_olds)) if _olds else None
            checked = self._assembly.preview.check(given, olds)
        except IntuneVppError as error:
            return CheckResult({}, [CheckFailure("", in_python(str(error)))])
        failures = [_failure(problem) for problem in checked.problems]
        return CheckResult(unknowns.to_engine(records.args_to(checked.args)), failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Whether an update is due. The engine itself shows what changes in the inputs, where asked to by None."""
        state = _state(_id, _olds)
        args = records.args_from(unknowns.from_engine(_news))
        plan = self._assembly.preview.plan(state, args)
        if not plan:
            return DiffResult(changes=False)
        return DiffResult(changes=None if _shows_in_inputs(plan, state, args) else True)

    @errors_in_python()
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create, adopt or take over a token."""
        outcome = self._assembly.tokens.create(records.args_from(props))
        return CreateResult(outcome.state.id, self._outputs(outcome))

    @errors_in_python()
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """The token as Graph has it now; an empty id where it is gone."""
        state = self._assembly.tokens.read(_state(id_, props))
        if state is None:
            return ReadResult("", {})
        self._assembly.preview.warn_of(state)
        return ReadResult(id_, _record(state), records.args_to(state.inputs))

    @errors_in_python()
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Change what changed."""
        outcome = self._assembly.tokens.update(_state(_id, _olds), records.args_from(_news))
        return UpdateResult(self._outputs(outcome))

    @errors_in_python()
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the token, unless it is protected."""
        self._assembly.tokens.delete(_state(_id, _props))

    def _outputs(self, outcome: Outcome) -> dict[str, Any]:
        """The new state. This door has no partial failure: an exception would lose the id, so failures are spoken."""
        if outcome.failure is not None:
            self._log.warn(f"{in_python(str(outcome.failure))} The token is kept in the state.")
        return _record(outcome.state)


@cache
def _engine_log(address: str) -> EngineLog:
    return EngineLog(address)


@cache
def _assembly(configured: Settings, engine_log: EngineLog) -> Assembly:
    """One for the process.

    The SDK makes a provider for each spelling of its pickle, and Python 3.14 spells it anew: a resource recorded by an
    older one is deleted by another provider than the one that has taken its token over.
    """
    return Assembly(configured, PythonVoice(engine_log))


def _state(token_id: str, outputs: dict[str, Any]) -> VppTokenState:
    return records.state_from(token_id, outputs, records.args_from(outputs.get(INPUTS) or {}))


def _record(state: VppTokenState) -> dict[str, Any]:
    return {**records.state_to(state), INPUTS: records.args_to(state.inputs)}


def _shows_in_inputs(plan: Plan, state: VppTokenState, args: VppTokenArgs) -> bool:
    """Whether the engine, comparing its old inputs with the new ones, sees a change too.

    It does not where a sync is repeated or a location claimed, and it may not where a file that came to Intune by
    another way was once taken as applied: then its old inputs name that file already.
    """
    if plan.renews and not (state.token_file and state.token_file.seen):
        return False
    changed = [change.property.attribute for change in plan.changes]
    return any(getattr(state.inputs, name) != getattr(args, name) for name in changed)


def _failure(problem: Problem) -> CheckFailure:
    # The engine prints the value of a property that is named here, and a token may have been put into any of them.
    return CheckFailure("", in_python(problem.reason))


def _configured(config: Config) -> dict[str, Any]:
    """All keys of our namespace, mistyped ones too: the SDK's public way gives only those that are asked for."""
    found = vars(config).get("_props") or {}
    prefix = f"{settings.NAMESPACE}:"
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}
