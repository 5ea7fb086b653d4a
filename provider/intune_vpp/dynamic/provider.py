"""The dynamic provider of `VppToken`: passes each call of the engine to the lifecycle.

The engine passes less to it than to a plugin: only old inputs to Check, only old outputs to Diff, Update and Delete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from intune_vpp.core.errors import IntuneVppError
from intune_vpp.dynamic import engine_values, stored
from intune_vpp.dynamic.configured import ConfiguredProvider, engine_call, failed
from intune_vpp.dynamic.spelling import message
from intune_vpp.engine import assets, unknowns

if TYPE_CHECKING:
    from intune_vpp.core.outcome import Outcome
    from intune_vpp.core.token_diff import TokenPlan
    from intune_vpp.core.vpp_token import VppTokenArgs, VppTokenState


class VppTokenProvider(ConfiguredProvider):
    """The engine's calls for a `VppToken`."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Return the normalised inputs, with the fingerprint in place of the token, and problems as failures."""
        inputs = engine_values.from_engine(news)
        try:
            given = {**inputs, "token": assets.read(inputs.get("token"))}
            olds = stored.args_from(engine_values.from_engine(_olds)) if _olds else None
            checked = self._assembly.preview.check_token(given, olds)
        except IntuneVppError as error:
            return CheckResult({}, [CheckFailure("", message(error))])
        failures = [failed(problem.reason) for problem in checked.problems]
        return CheckResult(unknowns.to_engine(stored.args_to(checked.args)), failures)

    @engine_call()
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Return whether an update is due. None lets the engine compare the inputs, and show what changes."""
        state = stored.state_from(_id, _olds)
        args = stored.args_from(engine_values.from_engine(_news))
        plan = self._assembly.preview.plan_token(state, args)
        if not plan:
            return DiffResult(changes=False)
        return DiffResult(changes=None if _shows_in_inputs(plan, state, args) else True)

    @engine_call()
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create or adopt a token. Raises what `TokenLifecycle.create` raises."""
        outcome = self._assembly.tokens.create(stored.args_from(props))
        return CreateResult(outcome.state.id, self._outputs(outcome))

    @engine_call()
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Read the token from Graph. Returns an empty id if it was deleted."""
        state = self._assembly.tokens.read(stored.state_from(id_, props))
        if state is None:
            return ReadResult("", {})
        self._assembly.preview.warn_of(state, just_read=True)
        return ReadResult(id_, stored.state_to(state), stored.args_to(state.inputs))

    @engine_call()
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Send what changed. Raises what `TokenLifecycle.update` raises."""
        outcome = self._assembly.tokens.update(stored.state_from(_id, _olds), stored.args_from(_news))
        return UpdateResult(self._outputs(outcome))

    @engine_call()
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the token. Raises what `TokenLifecycle.delete` raises, DeletionRefused if it is protected."""
        self._assembly.tokens.delete(stored.state_from(_id, _props))

    def _outputs(self, outcome: Outcome[VppTokenState]) -> dict[str, Any]:
        self._warn_of_failure(outcome.failure, "The token is kept in the state.")
        return stored.state_to(outcome.state)


def _shows_in_inputs(plan: TokenPlan, state: VppTokenState, args: VppTokenArgs) -> bool:
    """Whether the engine, comparing its old inputs with the new ones, sees a change too.

    It finds none if an update only repeats a sync or claims a location. It may find none if the old inputs already have
    this file: one that was not sent by the provider, but counted as applied.
    """
    if plan.renews and not (state.token_file and state.token_file.seen):
        return False
    changed = [change.property.attribute for change in plan.changes]
    return any(getattr(state.inputs, name) != getattr(args, name) for name in changed)
