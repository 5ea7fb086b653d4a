"""The secret goes to Graph and nowhere else."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from builders import NOW, sealed_in, token_inputs, vpptoken
from intune_vpp.core import pulumi_state, stoken
from intune_vpp.core.errors import IntuneVppError
from intune_vpp.lifecycle.token_files import TokenFileCache
from intune_vpp_emulator.tenant import Tenant
from run_in_process import Run
from tenant_in_process import new_tenant

if TYPE_CHECKING:
    from collections.abc import Mapping


class FailsOnTokenFiles(httpx.BaseTransport):
    """Does not answer requests with a token file, and quotes them in its error."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass on what has no token in it."""
        if b'"token"' in request.content:
            raise httpx.WriteError(f"cannot write {request.content!r}", request=request)
        return self._inner.handle_request(request)


class Strict(Tenant):
    """Takes no file."""

    def create(self, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Refuse what comes."""
        return super().create({**body, "token": "garbage"}, **options)


def everything(error: BaseException) -> str:
    """All that is printed of an error: its text, its repr and its traceback with the chain of causes."""
    return "\n".join([str(error), repr(error), *traceback.format_exception(error)])


def secrets_of(text: str) -> list[str]:
    """What must show nowhere: the file, its beginning, and what is sealed in it."""
    return [text, text[:40], sealed_in(text)]


def assert_kept(text: str, *places: object) -> None:
    """None of it is in any of these."""
    for place in places:
        assert not [secret for secret in secrets_of(text) if secret in str(place)]


def test_life_of_a_token_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing said, logged, shown or kept over the life of a token holds the file or what is sealed in it."""
    caplog.set_level(logging.DEBUG)
    tenant = new_tenant()
    old, new = vpptoken(expires=NOW + timedelta(days=20)), vpptoken()
    first = Run(tenant)
    state = first.create(token_inputs(old, deletionProtection=False)).state
    second = Run(tenant)
    checked = second.check(token_inputs(new, deletionProtection=False), state)
    outcome = second.up(state, token_inputs(new, deletionProtection=False))
    third = Run(tenant)
    third.refresh(outcome.state)
    third.delete(outcome.state)
    assert {entry["path"].rsplit("/", 1)[-1] for entry in first.log if entry["method"] == "POST"} >= {"vppTokens"}
    for text in (old, new):
        assert_kept(text, caplog.text, [record.__dict__ for record in caplog.records])
        for run in (first, second, third):
            assert_kept(text, run.reporter.said, run.log, vars(run.assembly))
        assert_kept(text, repr(state), repr(outcome), repr(checked), pulumi_state.state_to(outcome.state))
        assert_kept(text, pulumi_state.args_to(checked.args))


def assert_told_without(text: str, error: BaseException, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """An error was raised and nothing of the file was reported with it."""
    assert isinstance(error, IntuneVppError)
    assert_kept(text, everything(error), run.reporter.said, run.log, caplog.text)


@pytest.mark.parametrize("trouble", ["unreachable", "refused"])
def test_failing_upload_shows_no_secret(trouble: str, caplog: pytest.LogCaptureFixture) -> None:
    """An upload that Graph refuses, or that never arrives, carries no file into texts and tracebacks."""
    caplog.set_level(logging.DEBUG)
    text = vpptoken()
    run = Run(new_tenant(), around=FailsOnTokenFiles) if trouble == "unreachable" else Run(new_tenant(Strict))
    with pytest.raises(IntuneVppError) as raised:
        run.create(token_inputs(text))
    assert_told_without(text, raised.value, run, caplog)


@pytest.mark.parametrize("organization", ["Contoso", "Fabrikam"])
def test_refused_adoption_shows_no_secret(organization: str, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is too old, or another organization's, is refused without a word of it."""
    caplog.set_level(logging.DEBUG)
    tenant = new_tenant()
    text = vpptoken(expires=NOW + timedelta(days=20))
    there = {"token": vpptoken(organization=organization), "appleId": "vpp@contoso.example"}
    run = Run(tenant)
    with pytest.raises(IntuneVppError) as raised:
        run.create(token_inputs(text, adoptTokenId=tenant.create_by_hand(there)["id"]))
    assert_told_without(text, raised.value, run, caplog)


def test_second_use_shows_no_secret(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is used twice is refused without a word of it."""
    caplog.set_level(logging.DEBUG)
    text = vpptoken()
    run = Run(tenant)
    run.create(token_inputs(text))
    with pytest.raises(IntuneVppError) as raised:
        run.create(token_inputs(text))
    assert_told_without(text, raised.value, run, caplog)


@pytest.mark.parametrize("cut", [10, 60, 101])
def test_refusals_of_check_tell_no_secret(tenant: Tenant, cut: int) -> None:
    """A file that was cut off is refused without a word of it, and under no property that the engine would print."""
    text = vpptoken()
    (problem,) = Run(tenant).check(token_inputs(text[:cut])).problems
    assert problem.property == ""
    assert text[:10] not in problem.reason


def test_the_file_cache_shows_how_many_and_not_what() -> None:
    """What remembers the files shows only how many they are."""
    cache = TokenFileCache()
    text = vpptoken()
    cache.put(stoken.parse(text.encode()))
    assert repr(cache) == "TokenFileCache(1 files)"
    assert_kept(text, cache)
