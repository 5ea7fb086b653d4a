"""Scope tags: those that do not exist, and an application that is bound to some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from emulator.client import TOKENS, TOKENS_V1, a_body, a_body_v1, a_client, a_file, a_tenant, error_of, graph

if TYPE_CHECKING:
    import httpx

    from intune_vpp_emulator.tenant import Tenant

BOUND = frozenset({"1", "2"})
NOT_FOUND = "Resource does not contain a tag allowed by the current role."


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and sentence of a refusal of Intune's."""
    error = error_of(answer)
    return answer.status_code, error["code"], error["intune"]["Message"].partition(" - ")[0]


def a_bound_tenant() -> tuple[Tenant, dict[str, str]]:
    """A tenant whose applications are bound to two tags, with the ids of its tokens by their tag."""
    tenant = a_tenant()
    made = {tag: tenant.create(a_body(f"Location {tag}", roleScopeTagIds=[tag]))["id"] for tag in ("0", "1", "2")}
    tenant.allowed_scope_tags = BOUND
    return tenant, made


@pytest.mark.parametrize("tags", [["42"], ["0", "42"], [""], ["zero"]])
def test_tags_that_do_not_exist_are_refused(tags: list[str]) -> None:
    """A create, a PATCH and an edit in the admin centre with a tag that does not exist are Intune's 400."""
    tenant = a_tenant()
    client = graph(tenant)
    made = tenant.create(a_body("Denver"))
    one = f"{TOKENS}/{made['id']}"

    answers = [
        client.post(TOKENS, json=a_body(roleScopeTagIds=tags)),
        client.patch(one, json={"roleScopeTagIds": tags}),
        client.post(f"/_emulator/portal/{made['id']}", json={"roleScopeTagIds": tags}),
    ]

    sentence = f"Invalid Role Scope Tag defined: {next(tag for tag in tags if tag != '0')}."
    assert [refusal(one) for one in answers] == [(400, "BadRequest", sentence)] * 3
    assert tenant.list_tokens().tokens == [made]


def test_the_tags_of_a_tenant_can_be_chosen() -> None:
    """A tenant has the tags that it was given, and no others."""
    tenant = a_tenant(scope_tags=frozenset({"0", "42"}))

    assert tenant.create(a_body(roleScopeTagIds=["42"]))["roleScopeTagIds"] == ["42"]
    assert graph(tenant).post(TOKENS, json=a_body(roleScopeTagIds=["7"])).status_code == 400


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"displayName": "Books"}),
        ("PATCH", "", {"token": a_file()}),
        ("DELETE", "", None),
        ("POST", "/syncLicenses", None),
        ("POST", "/revokeLicenses", {"notifyManagedDevices": False}),
    ],
)
def test_other_tokens_are_not_found(method: str, below: str, body: Any) -> None:
    """A token without an allowed tag is a 404 of Intune's that speaks of tags, to each request, and stays as it is."""
    tenant, made = a_bound_tenant()

    answer = graph(tenant).request(method, f"{TOKENS}/{made['0']}{below}", json=body)

    assert refusal(answer) == (404, "ResourceNotFound", NOT_FOUND)
    tenant.allowed_scope_tags = None
    assert len(tenant.list_tokens().tokens) == 3


def test_other_tokens_are_not_listed() -> None:
    """A LIST and a count leave out the tokens without an allowed tag, in both versions."""
    tenant, made = a_bound_tenant()
    client = graph(tenant)

    for tokens in (TOKENS, TOKENS_V1):
        assert [one["id"] for one in client.get(tokens).json()["value"]] == [made["1"], made["2"]]
        assert client.get(f"{tokens}/$count").text == "2"


@pytest.mark.parametrize(
    ("tags", "code", "sentence"),
    [
        (None, "ConditionNotMet", "Must define one or more tags allowed by the current role"),
        ([], "ConditionNotMet", "Must define one or more tags allowed by the current role"),
        (["0"], "BadRequest", "Added a tag which is not allowed by the current role: 0"),
        (["1", "0"], "BadRequest", "Added a tag which is not allowed by the current role: 0"),
    ],
)
def test_a_create_needs_allowed_tags(tags: list[str] | None, code: str, sentence: str) -> None:
    """A create without an allowed tag, or with one that is not, is refused as administrators quote it."""
    tenant, _ = a_bound_tenant()
    body = a_body() if tags is None else a_body(roleScopeTagIds=tags)

    assert refusal(graph(tenant).post(TOKENS, json=body)) == (400, code, sentence)
    assert graph(tenant).post(TOKENS, json=a_body(roleScopeTagIds=["2"])).status_code == 201


def test_v1_cannot_name_a_tag() -> None:
    """On v1.0, which has no such member, a bound application cannot create; one that has the default tag can."""
    tenant, _ = a_bound_tenant()

    assert refusal(graph(tenant).post(TOKENS_V1, json=a_body_v1()))[1] == "ConditionNotMet"
    tenant.allowed_scope_tags = frozenset({"0"})
    assert graph(tenant).post(TOKENS_V1, json=a_body_v1()).status_code == 201


@pytest.mark.parametrize(
    ("tags", "status"), [(["2"], 200), (["1", "2"], 200), (["0"], 200), (["0", "1"], 200), (["3", "1"], 400), ([], 400)]
)
def test_a_patch_may_keep_a_tag_but_not_add_it(tags: list[str], status: int) -> None:
    """A PATCH may drop tags and keep those that are there; it may not add one that is not allowed, or leave none."""
    tenant = a_tenant()
    made = tenant.create(a_body(roleScopeTagIds=["0", "1"]))["id"]
    tenant.allowed_scope_tags = BOUND | {"0"} if tags == ["0"] else BOUND

    answer = graph(tenant).patch(f"{TOKENS}/{made}", json={"roleScopeTagIds": tags})

    assert answer.status_code == status


def test_other_members_change_without_a_word_of_tags() -> None:
    """A PATCH without tags of a token that is seen is taken, also where it has tags that are not allowed."""
    tenant = a_tenant()
    made = tenant.create(a_body(roleScopeTagIds=["0", "1"]))["id"]
    tenant.allowed_scope_tags = BOUND

    assert graph(tenant).patch(f"{TOKENS}/{made}", json={"displayName": "Books"}).status_code == 200


def test_an_administrator_is_bound_to_nothing() -> None:
    """The control routes create, edit and delete whatever the applications are bound to."""
    tenant, made = a_bound_tenant()
    client = a_client(tenant)

    created = client.post("/_emulator/portal", json={"token": a_file(), "appleId": "vpp@contoso.example"})
    edited = client.post(f"/_emulator/portal/{made['0']}", json={"displayName": "Books"})
    deleted = client.delete(f"/_emulator/portal/{made['0']}")

    assert [one.status_code for one in (created, edited, deleted)] == [201, 200, 204]
