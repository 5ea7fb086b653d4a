"""States that somebody edited, on the dynamic door: each call ends in an answer or in one of our errors."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from builders import fresh_vpptoken
from dynamic.calls import inputs
from dynamic.conftest import begin, engine, environment, start, tenant  # noqa: F401 - fixtures
from fuzz.states import EDITS, NAMES, SECONDS, Edits, Kept, Resource, asked, edited
from fuzz.strategies import CANARY, fuzzed
from intune_vpp.core.errors import IntuneVppError
from intune_vpp.dynamic import operation_providers
from intune_vpp.lifecycle.tokens import TokenLifecycle
from tenant_in_process import uploaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from dynamic.conftest import Begin, Start
    from engine_room.engine import Engine
    from tenant_in_process import RefusesSyncs

# The fixtures are used by the names that they are imported by.
# ruff: noqa: F811


def limit_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit the time of each operation, because this door receives no timeouts."""
    allowed = timedelta(seconds=SECONDS)
    monkeypatch.setattr(operation_providers, "TIME_ALLOWED", allowed)
    for call in (TokenLifecycle.create, TokenLifecycle.update, TokenLifecycle.delete):
        monkeypatch.setitem(call.__kwdefaults__ or {}, "timeout", allowed)


Call = tuple[str, "Callable[[], Any]"]


@pytest.fixture(params=NAMES)
def calls(
    request: pytest.FixtureRequest, start: Start, begin: Begin, tenant: RefusesSyncs, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Edits], list[Call]]:
    """The calls for a resource of each type, as its provider made it and somebody edited it."""
    name = str(request.param)
    token_id = uploaded(tenant)
    provider: Any = start() if name == "VppToken" else begin(name)
    given = provider.check({}, inputs(fresh_vpptoken()) if name == "VppToken" else asked(name, token_id)).inputs
    made = provider.create(given)
    resource = Resource(name, Kept(made.id, made.outs, given, given), made.id if name == "VppToken" else token_id)
    limit_time(monkeypatch)

    def calls(edits: Edits) -> list[Call]:
        kept = edited(resource, edits, tenant)
        return [
            ("check", partial(provider.check, kept.olds, kept.news)),
            ("diff", partial(provider.diff, kept.id, kept.outputs, kept.news)),
            ("read", lambda: provider.read(kept.id, kept.outputs).id == kept.id),
            ("create", partial(provider.create, kept.news)),
            ("update", partial(provider.update, kept.id, kept.outputs, kept.news)),
            ("delete", partial(provider.delete, kept.id, kept.outputs)),
        ]

    return calls


@fuzzed
@given(edits=EDITS)
def test_an_edited_state(
    engine: Engine, caplog: pytest.LogCaptureFixture, calls: Callable[[Edits], list[Call]], edits: Edits
) -> None:
    """Whatever stands in a state, no call ends in a defect, no id is lost, and no sentence quotes it."""
    caplog.set_level(logging.DEBUG, logger="intune_vpp")
    messages = []

    for name, call in calls(edits):
        try:
            answer = call()
        except IntuneVppError as error:
            messages.append(str(error))
        else:
            assert name != "read" or answer is True
            messages += [failed.reason for failed in answer.failures] if name == "check" else []

    messages += [*caplog.messages, *(sentence for _, sentence in engine.log)]
    assert [sentence for sentence in messages if CANARY in sentence] == []
    caplog.clear()
    engine.log.clear()
