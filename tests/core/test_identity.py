"""Which tokens of a listing have to be asked themselves, because the listing leaves blank what they are."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from builders import args, file, observed
from intune_vpp.core import identity

OTHER_TIME = "2027-12-24T08:00:00Z"


@pytest.mark.parametrize(
    ("listed", "asks", "expected"),
    [
        ({}, {}, False),
        ({"organization_name": None}, {}, True),
        ({"organization_name": ""}, {}, True),
        ({"expiration_date_time": None}, {}, True),
        ({"apple_id": None}, {}, True),
        ({"display_name": None}, {}, True),
        ({"display_name": None}, {"display_name": None}, False),
        ({"location_name": None}, {}, True),
        ({"location_name": None}, {"data_sharing_consent_granted": None}, False),
        ({"role_scope_tag_ids": ()}, {"role_scope_tag_ids": ("7",)}, True),
        ({"role_scope_tag_ids": ()}, {}, False),
        ({}, {"claim_token_management_from_external_mdm": True}, False),
        ({"automatically_update_apps": False}, {"automatically_update_apps": True}, False),
        ({"organization_name": "Fabrikam", "expiration_date_time": None}, {}, False),
        ({"organization_name": "Fabrikam", "apple_id": None}, {"organization_name": "Fabrikam"}, True),
        ({"organization_name": None, "expiration_date_time": OTHER_TIME}, {}, False),
    ],
)
def test_what_a_listing_leaves_uncertain(listed: dict[str, Any], asks: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table
    """A token is asked itself where a decisive member is blank, and no other member shows that it is another token."""
    assert identity.is_uncertain(observed(**listed), file(), args(file(), **asks)) is expected


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ({}, False),
        ({"organization_name": None}, True),
        ({"organization_name": None, "expiration_date_time": OTHER_TIME}, False),
        ({"organization_name": None, "expiration_date_time": OTHER_TIME, "state": "duplicateLocationId"}, True),
        ({"organization_name": None, "location_name": "Monroe"}, False),
        ({"organization_name": "Fabrikam", "location_name": None}, False),
        ({"location_name": None}, False),
        ({"expiration_date_time": None}, False),
        ({"expiration_date_time": None, "state": "duplicateLocationId"}, True),
        ({"expiration_date_time": OTHER_TIME, "state": "duplicateLocationId"}, False),
    ],
)
def test_which_duplicates_a_listing_leaves_uncertain(listed: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table
    """A token is asked itself where its expiration or Intune's flag speaks for a duplicate, and a member is blank."""
    assert identity.may_be_duplicate(observed(), replace(observed(**listed), id="another")) is expected


def test_the_index_misses_no_duplicate() -> None:
    """For any two tokens, the index returns what is a duplicate, and what a listing leaves uncertain, in its order."""
    expirations = (None, "no date", OTHER_TIME, "2027-12-24T08:00:00.7Z", "2027-12-24T09:00:00+01:00")
    organizations, locations = (None, "Contoso"), (None, "Lincoln", "Monroe")
    states = ("valid", "duplicateLocationId")
    members = product(expirations, organizations, locations, states)
    tokens = [
        replace(
            observed(), id=str(at), expiration_date_time=ends, organization_name=name, location_name=place, state=state
        )
        for at, (ends, name, place, state) in enumerate(members)
    ]
    index = identity.SimilarTokens(tokens)

    for token in tokens:
        similar = index.to(token)
        related = [one for one in tokens if identity.may_be_duplicate(token, one)]
        assert identity.duplicates(token, similar) == identity.duplicates(token, tokens)
        assert [one for one in similar if one in related] == related
    assert 1 < len(index.to(replace(tokens[0], expiration_date_time=OTHER_TIME))) < len(tokens)
