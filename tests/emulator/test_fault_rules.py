"""The rules that scripted faults are given as."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from emulator.client import FAULTS, a_client, a_tenant, error_of
from intune_vpp_emulator.faults import Faults, UnusableRuleError


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("x", "it is not a JSON object."),
        ({}, "it needs a status, a delay, a sync or a revoke."),
        ({"delay": 0, "method": "GET"}, "it needs a status, a delay, a sync or a revoke."),
        ({"drop": True}, "'drop' is not a member of a rule."),
        ({"status": 503, "Times": 2}, "'Times' is not a member of a rule."),
        ({"sync": "failed", "status": 503}, "'status' is not a member of a rule for syncs."),
        ({"sync": "inProgress"}, "sync is failed or hang."),
        ({"sync": ["failed"]}, "sync is failed or hang."),
        ({"status": "503"}, "status is a whole number from 200 to 599."),
        ({"status": 503.0}, "status is a whole number from 200 to 599."),
        ({"status": True}, "status is a whole number from 200 to 599."),
        ({"status": 101}, "status is a whole number from 200 to 599."),
        ({"status": None}, "status is a whole number from 200 to 599."),
        ({"status": 503, "times": 0}, "times is a whole number from 1 on."),
        ({"status": 503, "times": True}, "times is a whole number from 1 on."),
        ({"status": 503, "method": "get"}, "method is one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS."),
        ({"status": 503, "path": "vppTokens"}, "path is a glob that begins with / or *."),
        ({"status": 503, "path": None}, "path is a glob that begins with / or *."),
        ({"status": 503, "when": "while"}, "when is before or after."),
        ({"delay": -1}, "delay is a number of seconds, at most 3600."),
        ({"delay": float("nan")}, "delay is a number of seconds, at most 3600."),
        ({"delay": float("inf")}, "delay is a number of seconds, at most 3600."),
        ({"delay": True}, "delay is a number of seconds, at most 3600."),
        ({"delay": 1, "body": {}}, "headers and body need a status."),
        ({"delay": 1, "headers": {}}, "headers and body need a status."),
        ({"status": 204, "body": {}}, "an answer with 204 has no body."),
    ],
)
def test_a_bad_rule_is_refused_in_a_sentence(rule: Any, sentence: str) -> None:
    """A rule that makes no sense is refused, says which it is and why, and takes the others with it."""
    faults = Faults()
    with pytest.raises(UnusableRuleError) as refused:
        faults.add([{"status": 503}, rule])

    assert str(refused.value) == f"Rule 2: {sentence}"
    assert faults.waiting() == []


@pytest.mark.parametrize(
    "headers", [[], {"Retry-After": 2}, {"a b": "c"}, {"a": "b\r\nc"}, {"Content-Length": "5"}, {1: "a"}]
)
def test_bad_headers_are_refused(headers: Any) -> None:
    """Headers that no answer could have, or that the connection needs for itself, are refused."""
    with pytest.raises(UnusableRuleError, match="headers is a JSON object of texts, without those that belong"):
        Faults([{"status": 429, "headers": headers}])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "The body must be a JSON array of rules."),
        (b'{"status": 503}', "The body must be a JSON array of rules."),
        (b'[{"status": 503}, {"drop": true}]', "Rule 2: 'drop' is not a member of a rule."),
        (b'[{"delay": NaN}]', "Rule 1: delay is a number of seconds, at most 3600."),
    ],
)
def test_bad_rules_are_a_400(content: bytes, sentence: str) -> None:
    """The control route answers the sentence, and nothing waits."""
    client = a_client(a_tenant())
    answer = client.post(FAULTS, content=content)

    assert (answer.status_code, error_of(answer)["message"]) == (400, sentence)
    assert client.get(FAULTS).json() == []


def test_a_rule_is_used_as_often_as_it_says_among_threads() -> None:
    """However many ask at once, a rule is used neither more nor less often than it says."""
    faults = Faults([{"status": 503, "times": 500}])
    used: list[object] = []

    def ask() -> None:
        used.extend(one for one in (faults.for_request("GET", "/") for _ in range(100)) if one is not None)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(used) == 500
    assert faults.waiting() == []


def test_given_rules_are_kept_as_they_were() -> None:
    """A rule that its giver changes afterwards stays what it was."""
    rule: dict[str, Any] = {"status": 503}
    faults = Faults([rule])
    rule["status"] = 200

    assert faults.waiting() == [{"status": 503, "times": 1}]
