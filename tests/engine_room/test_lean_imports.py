"""The plugin loads the stubs of the engine's protocol without the SDK, and httpx without its command line."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from intune_vpp.engine import lean_imports

if TYPE_CHECKING:
    import pytest

_SHOWN = ("pulumi", "httpx", "msal", "rich")
_LOADED = f"print(*sorted(name for name in sys.modules if name.partition('.')[0] in {_SHOWN}))"


def loaded(*statements: str) -> list[str]:
    """The modules of the SDK and of the clients that a new process has loaded after these statements."""
    program = "; ".join(["import sys", *statements, _LOADED])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_plugin_does_not_load_the_sdk() -> None:
    """All modules of the plugin, as it loads them for a call, need nothing of the SDK but stubs."""
    modules = "from intune_vpp.plugin import functions, operation, property_values, provider, serve, vpp_token"

    found = loaded("from intune_vpp.engine.lean_imports import load_lean", "load_lean()", modules)

    assert {"pulumi", "pulumi.runtime", "pulumi.runtime.proto", "pulumi.runtime.proto.provider_pb2"} <= set(found)
    beside = [name for name in found if not name.startswith("pulumi.runtime.proto") and name.startswith("pulumi.")]
    assert beside == ["pulumi.runtime"]
    assert not any(name == "httpx" or name.startswith("msal.") for name in found)


def test_httpx_is_loaded_without_its_command_line() -> None:
    """The plugin loads httpx for a request, and not the packages of its command line."""
    found = loaded(
        "from intune_vpp.engine.lean_imports import load_lean", "load_lean()", "import httpx", "httpx.Client"
    )

    assert "httpx._client" in found
    assert not any(name.partition(".")[0] == "rich" for name in found)


def test_the_entry_point_loads_nothing_early() -> None:
    """The module of the entry point itself loads neither stubs nor SDK."""
    assert loaded("import intune_vpp.plugin.start") == []


def test_an_sdk_that_is_loaded_stays() -> None:
    """If the SDK is loaded already, as under `pulumi.run.plugin`, it is not replaced."""
    found = loaded("import pulumi", "from intune_vpp.engine import lean_imports", "lean_imports.load_lean()")

    assert "pulumi.output" in found


def test_without_an_sdk_the_packages_have_no_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """If there is no SDK, the import of a stub finds nothing, and fails as any import does."""
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] != "pulumi"}
    monkeypatch.setattr(lean_imports, "sys", type("Python", (), {"modules": modules}))
    monkeypatch.setattr(lean_imports, "find_spec", lambda _: None)

    lean_imports.load_lean()

    assert [modules[name].__path__ for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")] == [[], [], []]
