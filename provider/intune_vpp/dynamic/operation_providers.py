"""The dynamic providers of the operation resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from intune_vpp.core import operations, pulumi_state
from intune_vpp.core.errors import IntuneVppError
from intune_vpp.core.operations import LICENSE_COUNT_SYNC, LICENSE_REVOCATION, LICENSE_SYNC, Operation
from intune_vpp.core.waiting import TIME_ALLOWED
from intune_vpp.dynamic import engine_values
from intune_vpp.dynamic.configured import ConfiguredProvider, engine_call, failed
from intune_vpp.dynamic.spelling import message
from intune_vpp.engine import unknowns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.outcome import Outcome, Outputs
    from intune_vpp.lifecycle.operations import OperationLifecycle


class OperationProvider(ConfiguredProvider):
    """The engine's calls for one type of operation resource."""

    operation: ClassVar[Operation]

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Return the inputs unchanged, or what is wrong with them as failures."""
        inputs = {name: value for name, value in engine_values.from_engine(news).items() if value is not None}
        try:
            problems = self._assembly.preview.check_operation(self.operation, inputs, creates=not _olds)
        except IntuneVppError as error:
            return CheckResult({}, [CheckFailure("", message(error))])
        kept = unknowns.to_engine(operations.echoed_inputs(self.operation, inputs))
        return CheckResult(kept, [failed(one.reason) for one in problems])

    @engine_call()
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the state with the inputs, and return whether to update or replace."""
        before, inputs = self._read(_olds), self._read(engine_values.from_engine(_news))
        plan = self._assembly.preview.plan_operation(self.operation, before, inputs)
        if not plan:
            return DiffResult(changes=False)
        replaces = list(plan.replaces)
        # None lets the engine show the input that differs.
        return DiffResult(changes=None if plan.changed and not replaces else True, replaces=replaces)

    @engine_call()
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Run the operation."""
        result = self._lifecycle.run(self._read(props), TIME_ALLOWED)
        return CreateResult(result.id, self._outputs(result))

    @engine_call()
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Read the result of the operation. Returns an empty id if it can be run again."""
        found = self._lifecycle.read(id_, self._read(props))
        if found is None:
            return ReadResult("", {})
        self._warn_of_failure(self._lifecycle.unresolved_failure(found), "Until then, every update fails.")
        return ReadResult(id_, dict(found), operations.echoed_inputs(self.operation, found))

    @engine_call()
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Run the operation again or resume its wait, if that is due."""
        result = self._lifecycle.update(_id, self._read(_olds), self._read(_news), TIME_ALLOWED)
        return UpdateResult(self._outputs(result))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove it from the state: it created nothing in the tenant."""

    @property
    def _lifecycle(self) -> OperationLifecycle:
        return self._assembly.operation(self.operation)

    def _read(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Read inputs or outputs as the engine stores them. Raises StateError."""
        return pulumi_state.operation_from(self.operation, properties)

    def _outputs(self, outcome: Outcome[Outputs]) -> dict[str, Any]:
        self._warn_of_failure(outcome.failure)
        return dict(outcome.state)


class LicenseSyncProvider(OperationProvider):
    """The provider of `LicenseSync`, which runs Graph's `syncLicenses`."""

    operation = LICENSE_SYNC


class LicenseRevocationProvider(OperationProvider):
    """The provider of `LicenseRevocation`, which runs Graph's `revokeLicenses`."""

    operation = LICENSE_REVOCATION


class LicenseCountSyncProvider(OperationProvider):
    """The provider of `LicenseCountSync`, which runs Graph's `syncLicenseCounts`."""

    operation = LICENSE_COUNT_SYNC
