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


@pytest.mark.parametrize("name", [None, "Apps"])
def test_new_tokens_of_one_organization_are_lines_of_their_own(tenant: Tenant, name: str | None) -> None:
    """Three new files of one organization and one day are three warnings and three notes, with or without one name."""
    run = Run(tenant)
    for location in ("Lincoln", "Monroe", "Roosevelt"):
        inputs = token_inputs(vpptoken(location, expires=SOON), displayName=name)
        run.check(inputs)
        run.check(inputs)

    assert len(set(run.reporter.warnings)) == len(set(run.reporter.infos)) == 3


def test_name_of_a_new_token_is_not_extended_without_need(tenant: Tenant) -> None:
    """Only a token whose display name another one of the run has is named with its file."""
    run = Run(tenant)
    first, second = (vpptoken(location, expires=SOON) for location in ("Lincoln", "Monroe"))
    for text, name in ((first, "Lincoln"), (second, "Monroe"), (first, "Lincoln"), (second, "Lincoln")):
        checked = run.check(token_inputs(text, displayName=name))

    assert [line.split(" expires")[0] for line in run.reporter.warnings] == [
        "The token file of Lincoln",
        "The token file of Monroe",
        "The token file of Lincoln",
        f"The token file of Lincoln (file {str(checked.args.token)[:15]}…)",
    ]
    assert f"(file {str(checked.args.token)[:15]}…)" in run.reporter.infos[-1]


def test_renewals_of_one_day_are_lines_of_their_own(tenant: Tenant) -> None:
    """Two renewed tokens of one display name, whose new files end on one day, are two warnings."""
    run = Run(tenant)
    for location in ("Lincoln", "Monroe"):
        before = Run(tenant).create(token_inputs(vpptoken(location, expires=NOW + timedelta(days=3)))).state
        run.check(token_inputs(vpptoken(location, expires=SOON)), before)

    assert len(set(run.reporter.warnings)) == 2
