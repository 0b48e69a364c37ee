"""Writes the GraphQL schema in its definition language; refuses a change that breaks queries of today.

A wanted break is written with `scripts/gen_graphql.py --breaking`, so that it is a decision and shows in the diff.
"""

from __future__ import annotations

import sys

from graphql import build_schema, find_breaking_changes

from generated import ROOT, settle
from specloop.app.graphql.schema import SCHEMA, sdl

FILE = "schemas/schema.graphql"


def breaks(before: str) -> list[str]:
    """What the schema of today no longer allows that the one of `before` did, one line each."""
    return [change.description for change in find_breaking_changes(build_schema(before), SCHEMA)]


def main() -> int:
    """0 when the file is current or written, and nothing breaks."""
    known = ROOT / FILE
    found = breaks(known.read_text("utf-8")) if known.is_file() else []
    if found and "--breaking" not in sys.argv[1:]:
        for line in found:
            print(f"{FILE}: {line}", file=sys.stderr)
        print(f"{FILE}: this breaks clients; if it is meant, run scripts/gen_graphql.py --breaking", file=sys.stderr)
        return 1
    return settle({FILE: sdl()})


if __name__ == "__main__":
    sys.exit(main())
