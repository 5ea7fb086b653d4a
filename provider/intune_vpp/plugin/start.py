"""The entry point of the plugin. It imports nothing of the SDK, unlike `serve`."""

from __future__ import annotations

from intune_vpp.engine.lean_imports import load_lean


def main() -> int:
    """Serve until told to stop, and return the exit status."""
    load_lean()
    from intune_vpp.plugin import serve  # noqa: PLC0415 - it imports the stubs of the protocol

    return serve.main()
