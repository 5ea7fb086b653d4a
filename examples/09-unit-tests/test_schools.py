"""Unit tests of the program: without the engine, a tenant, credentials or token files."""

from typing import Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

EXPIRES = "2027-11-28T00:00:00Z"


class Intune(Mocks):
    """Answers each resource with an id, its inputs, and the outputs that the tests need."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Inputs and outputs have the names of the state, such as `displayName`."""
        return f"id of {args.name}", {**args.inputs, "expirationDateTime": EXPIRES}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """The program calls no function."""
        raise NotImplementedError(args.token)


pulumi.runtime.set_mocks(Intune())

# The program runs when it is imported: after set_mocks.
from schools import LOCATIONS, tokens  # noqa: E402


@pulumi.runtime.test
def test_each_location_is_guarded() -> pulumi.Output[None]:
    """A file of another location fails the run."""

    def check(expected: list[str]) -> None:
        assert expected == LOCATIONS

    return pulumi.Output.all(*(token.expected_location_name for token in tokens.values())).apply(check)


@pulumi.runtime.test
def test_nothing_unprotects_a_token() -> pulumi.Output[None]:
    """`deletion_protection` is on unless a program sets it to False."""

    def check(protections: list[bool | None]) -> None:
        assert False not in protections

    return pulumi.Output.all(*(token.deletion_protection for token in tokens.values())).apply(check)


@pulumi.runtime.test
def test_the_expiration_is_exported() -> pulumi.Output[None]:
    """An output that Intune would give comes from the mocks."""

    def check(expirations: list[str]) -> None:
        assert set(expirations) == {EXPIRES}

    return pulumi.Output.all(*(token.expiration_date_time for token in tokens.values())).apply(check)
