"""Writes schemas/errors.json and docs/reference/errors.md from the error classes of every domain."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from generated import ROOT, settle
from specloop.errors import SpecloopError


def error_classes() -> dict[str, type[SpecloopError]]:
    """Every error class of the product by its qualified name."""
    source = ROOT / "src"
    for path in sorted((source / "specloop").rglob("errors.py")):
        import_module(".".join(Path(path).relative_to(source).with_suffix("").parts))
    found: dict[str, type[SpecloopError]] = {}
    waiting: list[type[SpecloopError]] = [SpecloopError]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if kind is not SpecloopError and kind.__module__.startswith("specloop."):
            found[f"{kind.__module__}.{kind.__qualname__}"] = kind
    return dict(sorted(found.items()))


def main() -> int:
    """Generate both."""
    rows = [
        {
            "code": kind.code,
            "status": kind.status,
            "title": kind.title,
            "class": name,
            "meaning": " ".join((kind.__doc__ or "").split()),
        }
        for name, kind in error_classes().items()
    ]
    rows.sort(key=lambda row: (str(row["status"]), str(row["code"]), str(row["class"])))
    lines = ["# Errors", "", "| status | code | meaning |", "|---|---|---|"]
    lines += [f"| {row['status']} | `{row['code']}` | {row['meaning']} |" for row in rows]
    return settle(
        {
            "schemas/errors.json": json.dumps(rows, indent=2) + "\n",
            "docs/reference/errors.md": "\n".join(lines) + "\n",
        }
    )


if __name__ == "__main__":
    sys.exit(main())
