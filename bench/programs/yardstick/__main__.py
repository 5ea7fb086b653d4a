"""The tokens of `tokens.json` on a dynamic provider that does nothing but notice another name or file."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


class Nothing(ResourceProvider):
    """Returns the inputs as the outputs."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create nothing."""
        return CreateResult(props["displayName"], props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Report whether a property differs."""
        return DiffResult(changes=any(_olds.get(name) != value for name, value in _news.items()))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Update nothing."""
        return UpdateResult(_news)


class VppToken(Resource):
    """A token that is nowhere."""


for resource, declared in json.loads(Path("tokens.json").read_text())["resources"].items():
    given = declared["properties"]
    file = Path(given["token"]["fn::fileAsset"])
    VppToken(Nothing(), resource, {**given, "token": hashlib.sha256(file.read_bytes()).hexdigest()})
