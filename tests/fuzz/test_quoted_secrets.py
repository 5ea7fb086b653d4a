"""No part of a secret is shown, whatever an answer or an error quotes of the request."""

from __future__ import annotations

import re

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fuzz.quoting import (
    ASSERTION,
    CLIENT_SECRET,
    FILE,
    METHODS,
    QUOTATIONS,
    REQUESTS,
    SPELLINGS,
    Method,
    Quotation,
    Services,
    Shown,
    everything,
    shown_of,
)
from fuzz.strategies import THOROUGH, fuzzed
from intune_vpp.core.errors import IntuneVppError

fuzzed_by_tenths = settings(fuzzed, max_examples=200 if THOROUGH else 10)
"""Each example signs in, and there is a test for each kind of request."""

STAGES = {"OIDC token of GitHub Actions": ["issuer"], "OIDC token of Azure DevOps": ["issuer"]}
DEBUG_LINE = re.compile(
    r"(GET|POST|PATCH|DELETE) /[^\s?#]*: (\d{3}|[A-Z][A-Za-z]+) "
    r"\((request id [0-9A-Za-z-]+, )?try \d+, \d+\.\d{3} s\)"
)
"""Method, path, status or type of the error; request id if there is one, attempt and time."""

_KEPT = Quotation(0, 0, 4000, "whole", "message", "request-id", 403, httpx.ReadError)


def stages(method: Method) -> list[str]:
    """The requests of a sign-in and what follows, by their order."""
    return [*STAGES.get(method.name, []), *(["discovery"] if "Msi" not in str(method.values) else []), "token"]


@pytest.mark.parametrize("kind", REQUESTS)
@fuzzed_by_tenths
@example(method=METHODS[0], quotation=_KEPT)
@given(method=st.sampled_from(METHODS), quotation=QUOTATIONS)
def test_what_graph_quotes(kind: str, method: Method, quotation: Quotation) -> None:
    """No part of a bearer or of a token file is shown, whichever request it was sent with."""
    services = Services(method, "graph", quotation)
    shown = shown_of(method, services, REQUESTS[kind])

    assert services.quoted
    assert shown.leaks(services.secrets, quotation) == []
    require_plain(shown)


@pytest.mark.parametrize(("method", "stage"), [(one, stage) for one in METHODS for stage in stages(one)], ids=str)
@fuzzed_by_tenths
@given(quotation=QUOTATIONS, kind=st.sampled_from([*REQUESTS]))
def test_what_a_sign_in_quotes(method: Method, stage: str, quotation: Quotation, kind: str) -> None:
    """No part of a secret, an assertion, a request token or a private key is shown, whatever quotes it."""
    services = Services(method, stage, quotation)
    shown = shown_of(method, services, REQUESTS[kind])

    assert services.quoted
    assert shown.leaks(services.secrets, quotation) == []
    require_plain(shown)


def require_plain(shown: Shown) -> None:
    """Requests are logged in one form, and libraries log nothing."""
    logged = shown.logs.records
    assert {one.name.partition(".")[0] for one in logged} <= {"intune_vpp"}
    lines = [one.getMessage() for one in logged if one.name == "intune_vpp.graph.sender"]
    assert lines
    assert [line for line in lines if not DEBUG_LINE.fullmatch(line)] == []
    assert [one for one in shown.sent if "?" in one.path] == []


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", [FILE, ASSERTION, CLIENT_SECRET], ids=["file", "assertion", "client secret"])
def test_the_search_finds_what_it_is_to_find(secret: str, spelling: str) -> None:
    """A quotation in a sentence, a cause or context of an error, or a log record would be noticed, in each spelling."""
    quotation = Quotation(0, 3, 40, spelling, "message", None, 400, httpx.ReadError)
    quoted = SPELLINGS[spelling](quotation.part(secret))
    behind = IntuneVppError("Said nothing.")
    behind.__context__ = OSError(5, quoted)

    assert Shown([f"Cannot use {quoted} here."]).leaks([secret], quotation)
    assert Shown(everything(behind)).leaks([secret], quotation)
    assert Shown(["Cannot use it here."]).leaks([secret], quotation) == []


def test_an_honest_answer_is_shown() -> None:
    """What is shown of a request that succeeds is not nothing, and the requests are recorded."""
    for method in METHODS:
        services = Services(method, "nowhere", _KEPT)
        shown = shown_of(method, services, REQUESTS["get"])
        assert any("apps@contoso.example" in one for one in shown.texts)
        assert [one.status for one in shown.sent][-1] == 200
        assert shown.leaks(services.secrets, _KEPT) == []
