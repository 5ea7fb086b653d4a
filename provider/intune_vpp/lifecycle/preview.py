"""The preview of all resources: check and plan, without a request and without credentials."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from intune_vpp.core import check, diff, drift, health, messages, operations, revocation, token_check, token_diff
from intune_vpp.core.check import Problem
from intune_vpp.core.errors import RenewalRefused, TokenFileError
from intune_vpp.core.health import Claim
from intune_vpp.core.operations import LICENSE_REVOCATION
from intune_vpp.core.renewal_guard import guard
from intune_vpp.core.resource_type import UNKNOWN
from intune_vpp.core.vpp_token import TokenFile

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from intune_vpp.core.check import Policy
    from intune_vpp.core.diff import Plan
    from intune_vpp.core.operations import Operation
    from intune_vpp.core.ports import Clock, Reporter
    from intune_vpp.core.resource_type import Unknown
    from intune_vpp.core.stoken import SToken
    from intune_vpp.core.token_check import Checked
    from intune_vpp.core.token_diff import TokenPlan
    from intune_vpp.core.vpp_token import VppTokenArgs, VppTokenState
    from intune_vpp.lifecycle.ownership import Ownership
    from intune_vpp.lifecycle.token_files import TokenFileCache


class Preview:
    """Checks and plans, keeps the text of token files for the update, and warns of what is about to go wrong.

    `resource` is the URN of the resource, on the doors that know it.
    """

    def __init__(
        self, *, files: TokenFileCache, ownership: Ownership, reporter: Reporter, clock: Clock, policy: Policy
    ) -> None:
        self._files = files
        self._ownership = ownership
        self._reporter = reporter
        self._clock = clock
        self._policy = policy
        self._checked: set[Hashable] = set()
        self._labels: dict[str, str] = {}
        self._lock = threading.Lock()

    # Tokens.

    def check_token(
        self,
        inputs: Mapping[str, Any],
        olds: VppTokenArgs | None,
        *,
        location: str | Unknown | None = UNKNOWN,
        resource: str = "",
    ) -> Checked:
        """Check and normalise the inputs of a token. With any problem, nothing may be sent.

        `location` is the one that Intune showed last, UNKNOWN where the engine tells no outputs: if the
        program expects a location, `plan_token` then warns of an older file, and the update refuses it.
        """
        checked = token_check.check(
            inputs,
            olds=olds,
            policy=self._policy,
            recall=self._files.get,
            now=self._clock.now(),
            location=location,
        )
        checked = self._refuse_shared_file(checked, olds, resource)
        self._remember(checked.args)
        if checked.stoken is not None:
            self._files.put(checked.stoken)
        if isinstance(checked.args.adopt_token_id, str):
            self._ownership.reserve(checked.args.adopt_token_id)
        shared = self._shares_its_name(checked)
        self._warn_of_new_file(checked, olds, shared=shared)
        if olds is None and not checked.problems:
            self._inform(messages.arrival(checked.args, shared=shared))
        return checked

    def plan_token(
        self, state: VppTokenState, args: VppTokenArgs, *, resource: str = "", ignoring: Iterable[str] = ()
    ) -> TokenPlan:
        """Plan the update of a token, and report the plan and its warnings.

        `ignoring` are the paths that the program excludes from the comparison (`ignoreChanges`).
        """
        plan = token_diff.plan(state, args).without(ignoring)
        if not self._was_checked(args):
            # A refresh reports what differs; an update reports what is pending.
            self.warn_of(state)
            self._inform(messages.drifted(plan, self._unambiguous(state)))
            return replace(plan, pending=())
        if not plan.renews:
            # A renewal fixes what the warnings are about.
            self._warn_of(state, _claim(args, Claim.PLANNED, has_file=self._files.get(args.token) is not None))
        if self._ownership.is_new(state.id):
            self._warn(f"Two resources of this program manage token {state.id}. Remove one of them from the program.")
        if plan:
            self._ownership.expect_update(resource, state, args)
        self._ownership.set_label(state.id, state.observed.label)
        self._ownership.register(state.id, state.token_file.fingerprint if state.token_file else None)
        file, shown = self._files.get(args.token), self._unambiguous(state)
        label = shown.observed.label
        if file is not None and plan.renews:
            self._warn(health.misnamed_file(file, state.observed.location_name, label))
            self._warn_of_refusal(file, state, args, label)
        self._warn(messages.one_way(plan, label))
        self._inform(messages.of(plan, shown, args))
        return plan

    def warn_of(self, state: VppTokenState, *, just_read: bool = False) -> None:
        """Report the warnings about a token, as Graph showed it last."""
        claim = _claim(state.inputs, Claim.LATER, has_file=state.inputs.token is not None)
        self._warn_of(state, claim, just_read=just_read)

    def _warn_of(self, state: VppTokenState, claim: Claim, *, just_read: bool = False) -> None:
        days, now, state = self._policy.expiry_warning_days, self._clock.now(), self._unambiguous(state)
        for sentence in health.warnings(state, warning_days=days, now=now, just_read=just_read, claim=claim):
            self._reporter.warn(sentence)

    def _shares_its_name(self, checked: Checked) -> bool:
        """Whether another token file of this run is for a token with the same display name."""
        file, name = checked.stoken, checked.args.display_name
        if file is None or not isinstance(name, str):
            return False
        return self._ownership.first_user("display name", name, file.fingerprint) != file.fingerprint

    def _warn_of_new_file(self, checked: Checked, olds: VppTokenArgs | None, *, shared: bool) -> None:
        """Warn of a new token file that expires soon; `shared` as in `messages.new_token`."""
        file, described = checked.stoken, checked.args.token_file
        if file is None or not isinstance(described, TokenFile) or (olds is not None and described is olds.token_file):
            return
        subject = f"The token file of {messages.new_token(checked.args, described, shared=shared)}"
        days = self._policy.expiry_warning_days
        self._warn(health.expiry(subject, file.expiration_date_time, days, self._clock.now()))

    def _refuse_shared_file(self, checked: Checked, olds: VppTokenArgs | None, resource: str) -> Checked:
        """Refuse a file that is new to this resource and used by another one: a location has one token."""
        file = checked.stoken
        if file is None or not resource:
            return checked
        user = self._ownership.first_user("file", file.fingerprint, resource)
        if user == resource or (olds is not None and olds.token == file.fingerprint):
            return checked
        reason = (
            f"This token file is already used by {messages.resource(user)}. Give each resource its own file: "
            "a location has only one token."
        )
        return replace(checked, problems=(*checked.problems, Problem("", reason)))

    def _warn_of_refusal(self, file: SToken, state: VppTokenState, args: VppTokenArgs, label: str) -> None:
        """Warn that the update will be refused.

        Check may not know: the outputs alone have the location and, after a half-failed update, the applied file.
        """
        try:
            located = state.observed.location_name
            guard(file, olds=drift.file_in_intune(state), args=args, location=located, now=self._clock.now())
        except (TokenFileError, RenewalRefused) as refusal:
            self._reporter.warn(f"The update of {label} will be refused: {refusal}")

    def _unambiguous(self, state: VppTokenState) -> VppTokenState:
        """Return the state for messages: its label has the id if another token of this run has the same display name.

        The log sends equal sentences once, and the dynamic door does not show the resource of a line.
        """
        label, token_id = state.observed.label, state.id.lower()
        with self._lock:
            if self._labels.setdefault(label, token_id) == token_id:
                return state
        return replace(state, observed=replace(state.observed, display_name=f"{label} (token {state.id})"))

    # Operations.

    def check_operation(
        self, operation: Operation, inputs: Mapping[str, Any], *, creates: bool = False, resource: str = ""
    ) -> list[Problem]:
        """Return the problems with the inputs of an operation. With any problem, nothing may be sent.

        `creates` says that the resource is about to be created, on the door that announces that in Check.
        """
        problems = check.check(operation, inputs, self._policy) + self._refuse_second(operation, inputs, resource)
        self._remember(_key(operation, inputs))
        if creates and not problems:
            self.announce(operation, inputs)
        return problems

    def plan_operation(
        self,
        operation: Operation,
        before: Mapping[str, Any],
        inputs: Mapping[str, Any],
        *,
        ignoring: Iterable[str] = (),
    ) -> Plan:
        """Plan the update of an operation, and report the plan; `ignoring` as in `plan_token`."""
        plan = diff.plan_operation(operation, before, inputs).without(ignoring)
        if not self._was_checked(_key(operation, inputs)):
            return replace(plan, pending=())
        if plan.replaces:
            # The engine checks the new resource next, which announces it.
            return plan
        if operation is LICENSE_REVOCATION:
            self._warn_of_revocation(before, inputs)
        if plan.runs:
            self.announce(operation, inputs)
        elif plan.pending:
            self._reporter.info(messages.once_more(operation, self._label(inputs)))
        elif plan and inputs.get("vppTokenId") is not UNKNOWN:
            what = f"{', '.join(plan.changed)} of the {operation.name} of {self._label(inputs)}"
            self._reporter.info(f"Changes {what} in the state only.")
        return plan

    def announce(self, operation: Operation, inputs: Mapping[str, Any]) -> None:
        """Report that an operation is about to run."""
        sentence = messages.operation(operation, self._label(inputs))
        if operation is LICENSE_REVOCATION:
            self._reporter.warn(f"{sentence} This cannot be undone.")
        else:
            self._reporter.info(sentence)

    def _refuse_second(self, operation: Operation, inputs: Mapping[str, Any], resource: str) -> list[Problem]:
        """Refuse a second revocation of the same token in one program: it would start once the first has ended."""
        target = inputs.get("vppTokenId")
        if operation is not LICENSE_REVOCATION or not resource or not isinstance(target, str):
            return []
        user = self._ownership.first_user("revocation", target.lower(), resource)
        if user == resource:
            return []
        what = f"{messages.resource(user)} already revokes the licences of this token. Remove one of the two"
        why = "a second revocation would also revoke licences assigned after the first"
        return [Problem("", f"{what[0].upper()}{what[1:]}: {why}.")]

    def _warn_of_revocation(self, before: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:
        if inputs.get("vppTokenId") is UNKNOWN:
            what = (
                f"vppTokenId of the revocation of {self._label(before)} is not known in this preview. "
                "If it names another token, the update revokes all licences of that token."
            )
            self._reporter.warn(f"{what} This cannot be undone.")
        unresolved = revocation.unresolved(revocation.result_from(before), self._label(inputs))
        if unresolved.failure or unresolved.warning:
            self._reporter.warn(str(unresolved.failure or unresolved.warning))

    def _label(self, inputs: Mapping[str, Any]) -> str:
        """Describe the token: by its label if this run knows it, else by its id."""
        token_id = inputs.get("vppTokenId")
        return self._ownership.describe(token_id) if isinstance(token_id, str) else "the token"

    # Both.

    def _remember(self, inputs: Hashable) -> None:
        with self._lock:
            self._checked.add(inputs)

    def _was_checked(self, inputs: Hashable) -> bool:
        """Whether this is a preview or update. A refresh plans too, from the state's inputs, without a check before."""
        with self._lock:
            return inputs in self._checked

    def _inform(self, sentence: str | None) -> None:
        if sentence:
            self._reporter.info(sentence)

    def _warn(self, sentence: str | None) -> None:
        if sentence:
            self._reporter.warn(sentence)


def _claim(args: VppTokenArgs, when: Claim, *, has_file: bool) -> Claim:
    """Return `when` if the program claims the location from another MDM together with the token file."""
    if args.claim_token_management_from_external_mdm is not True:
        return Claim.NOT_ASKED
    return when if has_file else Claim.WITHOUT_FILE


def _key(operation: Operation, inputs: Mapping[str, Any]) -> str:
    """A key for the inputs, whatever other members the engine passes with them."""
    return operation.name + json.dumps(operations.echoed_inputs(operation, inputs), sort_keys=True, default=str)
