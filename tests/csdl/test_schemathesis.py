"""The emulator against the document of Graph's metadata: requests that fit it and requests that do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from csdl.openapi import document
from emulator.client import a_body, a_tenant, bearer
from intune_vpp_emulator.app import ROOT, create_app

if TYPE_CHECKING:
    from intune_vpp_emulator.tenant import Tenant

CHECKED = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.unsupported_method,
]
"""Not `positive_data_acceptance`: metadata does not say which texts are files of Apple's, or which tokens there are."""


TOKEN_ID = "11111111-2222-4333-8444-555555555555"
_RUN = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,  # the same requests in each run
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def operations(token_id: str | None = None, *, typed: bool = False) -> list[Any]:
    """Version, path and method of each operation; or of those with a body or options, which can be of a wrong type."""
    return [
        pytest.param(version, path, method, id=f"{method} {path}")
        for version in ("v1.0", "beta")
        for path, methods in document(version, token_id)["paths"].items()
        for method, operation in methods.items()
        if method != "parameters" and (not typed or "requestBody" in operation or option_names(operation))
    ]


def option_names(operation: dict[str, Any]) -> set[str]:
    """The query options of an operation in the document."""
    return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}


def an_operation(tenant: Tenant, version: str, token_id: str | None, path: str, method: str) -> Any:
    """An operation of the document, which is sent to the tenant."""
    schema = schemathesis.openapi.from_dict(document(version, token_id))
    schema.app = create_app(tenant)
    return schema[path][method]


def a_token(tenant: Tenant) -> None:
    """The one token of the tenant, new."""
    tenant.tokens = []
    tenant.create(BODY)
    (made,) = tenant.tokens
    tenant.tokens = [replace(made, id=TOKEN_ID, members={**made.members, "id": TOKEN_ID})]


BODY = a_body()


@pytest.mark.parametrize(("version", "path", "method"), operations())
def test_what_fits_the_metadata_is_answered_by_it(version: str, path: str, method: str) -> None:
    """Of a request that fits, the answer has a status, a type and members that the metadata allows."""
    tenant = a_tenant()
    operation = an_operation(tenant, version, None, path, method)

    @_RUN
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE), is_there=st.booleans())
    def answers(case: Any, is_there: bool) -> None:  # noqa: FBT001 - hypothesis passes it by its name
        a_token(tenant)
        if is_there and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = TOKEN_ID
        case.call_and_validate(base_url=ROOT, headers=bearer(tenant), checks=CHECKED)

    answers()


@pytest.mark.parametrize(("version", "path", "method"), operations(TOKEN_ID, typed=True))
def test_what_does_not_fit_the_metadata_is_refused(version: str, path: str, method: str) -> None:
    """A body or an option of another type than the metadata says is refused, in Graph's envelope."""
    tenant = a_tenant()
    operation = an_operation(tenant, version, TOKEN_ID, path, method)
    options = option_names(document(version, TOKEN_ID)["paths"][path][method])

    @_RUN
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def refuses(case: Any) -> None:
        assume(set(case.query or {}) <= options)  # others are custom options, which OData leaves to the service
        a_token(tenant)
        case.call_and_validate(base_url=ROOT, headers=bearer(tenant), checks=[*CHECKED, checks.negative_data_rejection])

    refuses()
