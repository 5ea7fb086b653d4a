"""Lets the plugin load only those modules of the SDK and of httpx that it uses.

The engine waits for the start of each plugin process, and starts several in a run.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType

_SDK = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")
"""Packages whose `__init__` modules load all of the SDK, which takes two thirds of the start."""

_UNUSED = "httpx._main"
"""The command line of httpx, which does without it if it cannot be imported. Where `rich` is installed, it takes a
third of the import."""


def load_lean() -> None:
    """Make `import pulumi.runtime.proto.provider_pb2` and its siblings load these modules and nothing else.

    In place of the SDK's packages stand empty ones with the same folders; whoever imports another part of the SDK in
    this process fails. An SDK that is loaded already stays, as under `pulumi.run.plugin`.
    """
    sys.modules.setdefault(_UNUSED, None)  # type: ignore[arg-type]
    if _SDK[0] in sys.modules:
        return
    found = find_spec(_SDK[0])
    folders = list(found.submodule_search_locations or ()) if found else []
    for name in _SDK:
        package = ModuleType(name, "An empty package in place of the SDK's.")
        package.__path__ = [f"{folder}/{'/'.join(name.split('.')[1:])}".rstrip("/") for folder in folders]
        sys.modules[name] = package
