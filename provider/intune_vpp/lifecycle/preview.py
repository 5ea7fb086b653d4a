"""The preview of tokens: check and plan, without a request and without credentials."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from intune_vpp.core import check, diff, drift, health, messages
from intune_vpp.core.check import Problem
from intune_vpp.core.diff import Plan
from intune_vpp.core.errors import RenewalRefused, TokenFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.check import Checked, Policy
    from intune_vpp.core.model import VppTokenArgs, VppTokenState
    from intune_vpp.core.ports import Clock, Reporter
    from intune_vpp.core.stoken import SToken
    from intune_vpp.lifecycle.ownership import Ownership
    from intune_vpp.lifecycle.token_files import TokenFileCache


class Preview:
    """Judges inputs and plans, keeps the text of token files for the update, and warns of what is about to go wrong."""

    def __init__(
        self, *, files: TokenFileCache, ownership: Ownership, reporter: Reporter, clock: Clock, policy: Policy
    ) -> None:
        self._files = files
        self._ownership = ownership
        self._reporter = reporter
        self._clock = clock
        self._policy = policy
        self._asked_for: set[VppTokenArgs] = set()
        self._lock = threading.Lock()

    def check(self, inputs: Mapping[str, Any], olds: VppTokenArgs | None, *, resource: str = "") -> Checked:
        """Normalise the inputs; what is wrong with them is in `problems`, and then nothing may be sent.

        `resource` is the resource's name in the program, on the doors that know it.
        """
        checked = check.check(inputs, olds=olds, policy=self._policy, recall=self._files.get, now=self._clock.now())
        checked = self._alone_with_file(checked, olds, resource)
        with self._lock:
            self._asked_for.add(checked.args)
        if checked.stoken is not None:
            self._files.put(checked.stoken)
        if isinstance(checked.args.adopt_token_id, str):
            self._ownership.reserve(checked.args.adopt_token_id)
        for sentence in checked.warnings:
            self._reporter.warn(sentence)
        if olds is None and not checked.problems:
            self._note(messages.arrival(checked.args))
        return checked

    def plan(self, state: VppTokenState, args: VppTokenArgs, *, resource: str = "") -> Plan:
        """What an update would do, told in a sentence, with a warning for each thing about to go wrong.

        `resource` is the resource's name in the program, on the doors that know it.

        Refresh asks too, from the inputs in the state: what no program asked for in this run is told as drift.
        """
        plan = diff.plan(state, args)
        if not self._is_asked_for(args):
            self.warn_of(state)
            self._note(messages.drifted(plan, state))
            # A refresh shows what differs; what is still to be done is for an update to say.
            return Plan(changes=plan.changes)
        if not plan.renews:
            # A renewal fixes what the warnings are about.
            self.warn_of(state)
        if self._ownership.is_new(state.id):
            self._warn(f"Two resources of this program manage token {state.id}. Remove one of them from the program.")
        if plan:
            self._ownership.expect_update(resource, state, args)
        self._ownership.set_label(state.id, state.observed.label)
        self._ownership.register(state.id, state.token_file.fingerprint if state.token_file else None)
        file = self._files.get(args.token)
        if file is not None and plan.renews:
            self._warn(health.misnamed_file(file, state.observed.location_name))
            self._warn_of_refusal(file, state, args)
        self._warn(messages.one_way(plan))
        self._note(messages.of(plan, state, args))
        return plan

    def _alone_with_file(self, checked: Checked, olds: VppTokenArgs | None, resource: str) -> Checked:
        """A file that is new here must not be another resource's: a location has one token."""
        file = checked.stoken
        if file is None or not resource:
            return checked
        user = self._ownership.claim("file", file.fingerprint, resource)
        if user == resource or (olds is not None and olds.token == file.fingerprint):
            return checked
        reason = (
            f"This token file is already used by {messages.resource(user)}. Give each resource its own file: "
            "a location has only one token."
        )
        return replace(checked, problems=(*checked.problems, Problem("", reason)))

    def warn_of(self, state: VppTokenState, *, just_read: bool = False) -> None:
        """Say what is about to go wrong with a token, by the last look at it."""
        days, now = self._policy.expiry_warning_days, self._clock.now()
        for sentence in health.warnings(state, warning_days=days, now=now, just_read=just_read):
            self._reporter.warn(sentence)

    def _warn_of_refusal(self, file: SToken, state: VppTokenState, args: VppTokenArgs) -> None:
        """Say what the guard will: after an update that half failed, only the outputs know which file was applied."""
        try:
            check.guard(file, olds=drift.file_in_intune(state), args=args, now=self._clock.now())
        except (TokenFileError, RenewalRefused) as refusal:
            self._reporter.warn(f"This update will be refused: {refusal}")

    def _is_asked_for(self, args: VppTokenArgs) -> bool:
        with self._lock:
            return args in self._asked_for

    def _note(self, sentence: str | None) -> None:
        if sentence:
            self._reporter.info(sentence)

    def _warn(self, sentence: str | None) -> None:
        if sentence:
            self._reporter.warn(sentence)
