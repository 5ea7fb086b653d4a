"""What all waits for Intune share."""

from __future__ import annotations

from datetime import timedelta

import pytest

from intune_vpp.core.waiting import in_words


@pytest.mark.parametrize(
    ("allowed", "words"),
    [
        (timedelta(minutes=20), "20 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=2), "2 minutes"),
        (timedelta(hours=1), "60 minutes"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(seconds=61), "61 seconds"),
        (timedelta(seconds=0.5), "0.5 seconds"),
        (timedelta(0), "0 minutes"),
    ],
)
def test_a_duration_in_words(allowed: timedelta, words: str) -> None:
    """A duration is a number of minutes if it is whole minutes, else of seconds, and one of them is singular."""
    assert in_words(allowed) == words
