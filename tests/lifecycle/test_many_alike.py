"""Tokens that look alike in messages: each one keeps a line of its own, also where a log shows no resources."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from builders import NOW, token_inputs, vpptoken
from run_in_process import Run

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant

SOON = NOW + timedelta(days=9)


@pytest.mark.parametrize("name", [None, "Apps"])
def test_tokens_of_one_organization_are_lines_of_their_own(tenant: Tenant, name: str | None) -> None:
    """Three tokens of one organization and one day are three warnings, with or without one display name."""
    made = []
    for seconds, location in ((1, "Lincoln"), (102, "Monroe"), (203, "Roosevelt")):
        text = vpptoken(location, expires=SOON + timedelta(seconds=seconds))
        made.append(
            (Run(tenant).create(token_inputs(text, displayName=name)).state, token_inputs(text, displayName=name))
        )
    run = Run(tenant)
    for state, inputs in made:
        run.preview(state, inputs)
        run.preview(state, inputs)

    assert len(set(run.reporter.warnings)) == 3
    assert sum(state.id in "".join(run.reporter.warnings) for state, _ in made) >= 2


def test_new_tokens_of_one_organization_are_lines_of_their_own(tenant: Tenant) -> None:
    """Three new files of one organization and one day are three warnings and three notes."""
    run = Run(tenant)
    for location in ("Lincoln", "Monroe", "Roosevelt"):
        run.check(token_inputs(vpptoken(location, expires=SOON), displayName=None))

    assert len(set(run.reporter.warnings)) == len(set(run.reporter.infos)) == 3
