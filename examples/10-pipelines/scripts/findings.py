"""Prints the findings in the output of `pulumi preview --refresh --json`, one per line; exits with 1 if there are any.

    python3 scripts/findings.py preview.json

A finding is a warning or an error of `diagnostics`, or, in `changeSummary`, a change that the next `pulumi up` would
make. With such a change, the notes (diagnostics of severity `info`) say what was changed outside of Pulumi, or in the
program.
"""

import json
import sys
from pathlib import Path
from typing import Any

NOT_FINISHED = "error: The preview did not finish. The log of this run shows why."


def findings(report: str) -> list[str]:
    """Return the findings in the output of a preview, each once."""
    try:
        preview = json.loads(report)
    except ValueError:
        return [NOT_FINISHED]
    summary = preview.get("changeSummary")
    changes = [f"change: {count} to {kind}" for kind, count in (summary or {}).items() if kind != "same"]
    wanted = {"warning", "error", "info"} if changes else {"warning", "error"}
    lines = [_line(one) for one in preview.get("diagnostics", []) if one["severity"] in wanted] + changes
    if summary is None and not lines:
        lines = [NOT_FINISHED]
    return list(dict.fromkeys(lines))


def _line(diagnostic: dict[str, Any]) -> str:
    severity, message = diagnostic["severity"], " ".join(diagnostic["message"].split())
    return f"{severity}: {message.removeprefix(f'{severity}: ')}"


if __name__ == "__main__":
    found = findings(Path(sys.argv[1]).read_text())
    print("\n".join(found) if found else "ok: Intune and the program agree, and no token needs attention.")
    sys.exit(1 if found else 0)
