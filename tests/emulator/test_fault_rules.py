"""The rules that scripted faults are given as."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from emulator.client import FAULTS, a_client, a_tenant, error_of
from intune_vpp_emulator.fault_rules import described
from intune_vpp_emulator.faults import Faults, UnusableRuleError

NO_EFFECT = "it has no effect: it needs status, delay, pages, depth, bytes, encoding, drip, drop, sync or revoke."


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("x", "it is not a JSON object."),
        ({}, NO_EFFECT),
        ({"delay": 0, "method": "GET"}, NO_EFFECT),
        ({"drops": True}, "'drops' is not a member of a rule."),
        ({"status": 503, "Times": 2}, "'Times' is not a member of a rule."),
        ({"sync": "failed", "status": 503}, "'status' is not a member of a rule for syncs."),
        ({"sync": "inProgress"}, "sync is failed or hang."),
        ({"sync": ["failed"]}, "sync is failed or hang."),
        ({"status": "503"}, "status is a whole number from 200 to 599."),
        ({"status": 503.0}, "status is a whole number from 200 to 599."),
        ({"status": True}, "status is a whole number from 200 to 599."),
        ({"status": 101}, "status is a whole number from 200 to 599."),
        ({"status": None}, "status is a whole number from 200 to 599."),
        ({"status": 503, "times": 0}, "times is a whole number from 1 on, or always."),
        ({"status": 503, "times": True}, "times is a whole number from 1 on, or always."),
        ({"status": 503, "method": "get"}, "method is one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS."),
        ({"status": 503, "path": "vppTokens"}, "path is a glob that begins with / or *."),
        ({"status": 503, "path": None}, "path is a glob that begins with / or *."),
        ({"status": 503, "when": "while"}, "when is before or after."),
        ({"delay": -1}, "delay is a number of seconds, at most 3600."),
        ({"delay": float("nan")}, "delay is a number of seconds, at most 3600."),
        ({"delay": float("inf")}, "delay is a number of seconds, at most 3600."),
        ({"delay": True}, "delay is a number of seconds, at most 3600."),
        ({"delay": 1, "body": {}}, "body is used only together with status."),
        ({"delay": 1, "headers": {}}, "headers is used only together with status."),
        ({"status": 204, "body": {}}, "an answer with 204 has no body, which body needs."),
        ({"status": 304, "drip": 5}, "an answer with 304 has no body, which drip needs."),
        ({"status": 503, "times": "ever"}, "times is a whole number from 1 on, or always."),
        ({"status": 503, "after": -1}, "after is a whole number from 0 on."),
        ({"status": 503, "after": 1.5}, "after is a whole number from 0 on."),
        ({"status": 503, "probability": 1.1}, "probability is a number from 0 to 1."),
        ({"status": 503, "probability": "0.5"}, "probability is a number from 0 to 1."),
        ({"status": 503, "seed": 7}, "seed is used only together with probability."),
        ({"status": 503, "probability": 0.5, "seed": "7"}, "seed is a whole number from 0 on."),
        ({"pages": "many"}, "pages is endless or same."),
        ({"depth": 0}, "depth is a whole number from 1 to 10000000."),
        ({"depth": 10_000_001}, "depth is a whole number from 1 to 10000000."),
        ({"bytes": 0}, "bytes is a whole number from 1 to 1000000000000."),
        ({"bytes": "200 MB"}, "bytes is a whole number from 1 to 1000000000000."),
        ({"encoding": "br"}, "encoding is gzip."),
        ({"drip": 0}, "drip is a number of bytes a second, from 0.01 on."),
        ({"drop": False}, "drop is true, close or reset."),
        ({"drop": 1}, "drop is true, close or reset."),
        ({"drop": "rst"}, "drop is true, close or reset."),
        ({"sent": 5, "drip": 1}, "sent is used only together with drop."),
        ({"drop": True, "sent": -1}, "sent is a whole number from 0 on."),
        ({"drop": True, "status": 503}, "drop without sent leaves no answer, which status needs."),
        ({"drop": "reset", "drip": 5}, "drop without sent leaves no answer, which drip needs."),
        ({"sync": "failed", "drop": True}, "'drop' is not a member of a rule for syncs."),
        ({"sync": "failed", "probability": 2}, "probability is a number from 0 to 1."),
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
        (b"{", "Faults are a JSON array of rules."),
        (b'{"status": 503}', "Faults are a JSON array of rules."),
        (b'[{"status": 503}, {"drop": "never"}]', "Rule 2: drop is true, close or reset."),
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


def applied(faults: Faults, matches: int) -> str:
    """For each of so many requests `x` where a rule applied, else a dot."""
    return "".join("." if faults.for_request("GET", "/") is None else "x" for _ in range(matches))


def test_a_rule_skips_its_first_matches() -> None:
    """With `after`, so many matches pass, requests that do not match are not counted, and what is left is shown."""
    faults = Faults([{"status": 503, "method": "GET", "after": 3, "times": 2}])

    assert applied(faults, 2) == ".."
    assert faults.for_request("POST", "/") is None
    assert faults.waiting() == [{"status": 503, "method": "GET", "after": 1, "times": 2}]
    assert applied(faults, 5) == ".xx.."


def test_a_rule_that_skips_leaves_the_match_to_the_next() -> None:
    """A match that one rule lets pass is for the rules behind it."""
    faults = Faults([{"status": 503, "after": 1}, {"status": 500}])

    assert [rule and rule.status for rule in (faults.for_request("GET", "/") for _ in range(3))] == [500, 503, None]


def test_a_rule_can_last() -> None:
    """`always` is never used up, and is shown as it was given."""
    faults = Faults([{"status": 503, "times": "always"}])

    assert applied(faults, 1_000) == "x" * 1_000
    assert faults.waiting() == [{"status": 503, "times": "always"}]


def test_a_probability_is_that_of_each_match() -> None:
    """0 never applies, 1 always, and 0.25 to about a quarter of the matches; only those that apply are counted."""
    rule = {"status": 503, "times": "always"}

    assert applied(Faults([{**rule, "probability": 0}]), 500) == "." * 500
    assert applied(Faults([{**rule, "probability": 1}]), 500) == "x" * 500
    assert 400 < applied(Faults([{**rule, "probability": 0.25}]), 2_000).count("x") < 600
    assert applied(Faults([{"status": 503, "times": 3, "probability": 0.25}]), 500).count("x") == 3


def test_a_seed_repeats_a_run() -> None:
    """The same seed has the same faults, another one has others, and rules of one seed do not draw alike."""
    rule: dict[str, Any] = {"status": 503, "times": "always", "probability": 0.5}

    assert applied(Faults([rule], seed=7), 100) == applied(Faults([rule], seed=7), 100)
    assert applied(Faults([rule], seed=7), 100) != applied(Faults([rule], seed=8), 100)
    second = Faults([{**rule, "method": "POST"}, rule], seed=7)
    assert applied(second, 100) != applied(Faults([rule], seed=7), 100)


def test_a_rule_may_have_a_seed_of_its_own() -> None:
    """With a seed the draws of a rule depend neither on the seed of the run nor on the rules before it."""
    rule: dict[str, Any] = {"status": 503, "times": "always", "probability": 0.5, "seed": 3}
    behind = Faults([{"method": "POST", "status": 500}, rule], seed=9)

    assert applied(Faults([rule], seed=7), 100) == applied(behind, 100)


def test_rules_for_syncs_are_counted_alike() -> None:
    """A rule for syncs or revocations may skip matches, last, and depend on chance."""
    faults = Faults([{"sync": "failed", "after": 1, "times": 2}, {"revoke": {"actionState": "failed"}, "after": 1}])

    assert [faults.for_sync() for _ in range(4)] == [None, "failed", "failed", None]
    assert [faults.for_revocation() for _ in range(3)] == [None, {"actionState": "failed"}, None]


def test_the_page_has_each_member() -> None:
    """The table of the page is that of the rules."""
    page = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")

    assert "\n".join(f"| `{name}` | {words} | {text} |" for name, words, text in described()) in page
