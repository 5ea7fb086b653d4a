"""What is believed without proof is said to be so."""

from __future__ import annotations

import re
from pathlib import Path

import intune_vpp_emulator
from intune_vpp_emulator.guesses import GUESSES


def test_every_guess_has_its_line_and_every_line_its_guess() -> None:
    """The guesses in the list and those marked in the code are the same."""
    folder = Path(intune_vpp_emulator.__file__).parent
    marked = {name for one in folder.rglob("*.py") for name in re.findall(r"a guess: ([a-z0-9-]+)", one.read_text())}

    assert marked == set(GUESSES)
