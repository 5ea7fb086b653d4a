"""The program of the tests on the dynamic door."""

from __future__ import annotations

PROGRAM = """\
import json, os
import pulumi
from intune_vpp import dynamic
from intune_vpp.dynamic import VppToken

declared, operations, tokens = json.loads(os.environ["TOKENS"]), json.loads(os.environ["OPERATIONS"]), {}
for name, given in declared.items():
    options = pulumi.ResourceOptions(**given.pop("opts", {}))
    token = given.pop("token", None)
    token = pulumi.FileAsset(token) if token else None
    tokens[name] = made = VppToken(name, token=token, opts=options, **given)
    pulumi.export(name, {"state": made.state, "sync": made.last_sync_status, "file": made.token_file})
for name, given in operations.items():
    kind = getattr(dynamic, given.pop("kind"))
    if given.get("vpp_token_id") in tokens:
        given["vpp_token_id"] = tokens[given["vpp_token_id"]].id
    kind(name, opts=pulumi.ResourceOptions(**given.pop("opts", {})), **given)
"""
"""A program that declares what the environment says, so that a test reads as a list of declarations."""
