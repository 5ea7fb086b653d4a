"""What a preview can say: check and plan, without a request and without credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intune_vpp.core import check, diff, health, summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from intune_vpp.core.check import Checked, Policy
    from intune_vpp.core.diff import Plan
    from intune_vpp.core.model import VppTokenArgs, VppTokenState
    from intune_vpp.core.ports import Clock, Voice
    from intune_vpp.lifecycle.roll_call import RollCall
    from intune_vpp.lifecycle.vault import Vault


class Preview:
    """Judges inputs and plans, keeps the text of token files for the update, and warns of what is about to go wrong."""

    def __init__(self, *, vault: Vault, roll_call: RollCall, voice: Voice, clock: Clock, policy: Policy) -> None:
        self._vault = vault
        self._roll_call = roll_call
        self._voice = voice
        self._clock = clock
        self._policy = policy

    def check(self, inputs: Mapping[str, Any], olds: VppTokenArgs | None) -> Checked:
        """Normalise the inputs; what is wrong with them is in `problems`, and then nothing may be sent."""
        checked = check.check(inputs, olds=olds, policy=self._policy, recall=self._vault.recall, now=self._clock.now())
        if checked.stoken is not None:
            self._vault.keep(checked.stoken)
        for sentence in checked.warnings:
            self._voice.warn(sentence)
        if olds is None and not checked.problems and isinstance(checked.args.adopt_token_id, str):
            self._voice.note(f"takes over token {checked.args.adopt_token_id}, creates nothing")
        return checked

    def plan(self, state: VppTokenState, args: VppTokenArgs) -> Plan:
        """What an update would do, told in a sentence, with a warning for each thing about to go wrong."""
        plan = diff.plan(state, args)
        file = self._vault.recall(args.token) if isinstance(args.token, str) else None
        if file is not None:
            # Only a program's own inputs come with their text: a refresh, which asks from the state, meets nobody.
            self._roll_call.meet(state.id, state.token_file.fingerprint if state.token_file else None)
            self._warn(health.misnamed_file(file, state.observed.location_name))
        self.warn_of(state)
        self._warn(summary.one_way(plan))
        sentence = summary.of(plan, state, args)
        if sentence:
            self._voice.note(sentence)
        return plan

    def warn_of(self, state: VppTokenState) -> None:
        """Say what is about to go wrong with a token, by the last look at it."""
        for sentence in health.warnings(state, warning_days=self._policy.expiry_warning_days, now=self._clock.now()):
            self._voice.warn(sentence)

    def _warn(self, sentence: str | None) -> None:
        if sentence:
            self._voice.warn(sentence)
