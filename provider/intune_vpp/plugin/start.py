"""The entry point of the plugin. It imports nothing of the SDK, unlike `serve`."""

from __future__ import annotations

import sys

from intune_vpp.engine.protocol import load_without_sdk


def main() -> int:
    """Serve until told to stop, and return the exit status."""
    load_without_sdk()
    # The command line of httpx: it does without if that cannot be imported. Where `rich` is installed, it takes a third
    # of the import.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    from intune_vpp.plugin import serve  # noqa: PLC0415 - it imports the stubs of the protocol

    return serve.main()
