"""`python -m intune_vpp_emulator`."""

from __future__ import annotations

import sys

_EXTRA = {"click", "cryptography", "flask", "jwt", "trustme", "werkzeug"}


def main() -> None:
    """Run the command line; where a package is missing, name it in one sentence."""
    try:
        from .cli import main as commands  # noqa: PLC0415 - the extra may be missing
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
        sys.exit(f"The emulator needs {missing.name}: pip install 'intune-vpp[emulator]'")
    commands(prog_name="intune-vpp-emulator")


if __name__ == "__main__":
    main()
