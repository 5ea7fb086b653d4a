"""Lets the plugin load the stubs of the engine's protocol without the SDK that contains them."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType

_PACKAGES = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")


def load_without_sdk() -> None:
    """Make `import pulumi.runtime.proto.provider_pb2` and its siblings load these modules and nothing else.

    The engine waits for the start of each plugin process, and starts several in a run. The `__init__` modules of the
    SDK's packages load all of it, which takes two thirds of the start. In their place stand empty packages with the
    same folders; whoever imports another part of the SDK in this process fails. Does nothing if the SDK is loaded
    already, as under `pulumi.run.plugin`.
    """
    if _PACKAGES[0] in sys.modules:
        return
    found = find_spec(_PACKAGES[0])
    folders = list(found.submodule_search_locations or ()) if found else []
    for name in _PACKAGES:
        package = ModuleType(name, "An empty package in place of the SDK's.")
        package.__path__ = [f"{folder}/{'/'.join(name.split('.')[1:])}".rstrip("/") for folder in folders]
        sys.modules[name] = package
