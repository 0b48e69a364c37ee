"""Writes the OpenAPI document and the tables of scopes and routes, from the assembled application."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from generated import settle
from specloop.identity.scopes import AccountRole, Scope, WorkspaceRole, account_scopes, workspace_scopes
from specloop.main import running
from specloop.settings import load
from specloop.transport.net import ListenAddress

METHODS = ("get", "post", "put", "patch", "delete")


async def read_document() -> dict[str, Any]:
    """The document of a program in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"data": Path(folder), "self_traces": False}).settings
        async with running(settings, bytes(32), [ListenAddress("127.0.0.1", 8000)]) as program:
            return program.app.openapi()


def scope_table() -> dict[str, Any]:
    """What each role holds."""
    return {
        "scopes": [scope.value for scope in Scope],
        "account_roles": {role.value: sorted(account_scopes(role)) for role in AccountRole},
        "workspace_roles": {role.value: sorted(workspace_scopes(AccountRole.MEMBER, role)) for role in WorkspaceRole},
        "owner_in_any_workspace": sorted(workspace_scopes(AccountRole.OWNER, None)),
    }


def routes_page(document: dict[str, Any]) -> str:
    """Every route with the scope it asks for."""
    lines = [
        "# Routes",
        "",
        "Several scopes: any one of them is enough.",
        "",
        "| route | scope | what it does |",
        "|---|---|---|",
    ]
    for path, item in sorted(document["paths"].items()):
        for method in METHODS:
            if method in item:
                operation = item[method]
                scope = ", ".join(operation.get("x-scopes", [])) or ("public" if not operation["security"] else "any")
                lines.append(f"| `{method.upper()} {path}` | {scope} | {operation.get('summary', '')} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Generate all three."""
    document = asyncio.run(read_document())
    return settle(
        {
            "schemas/openapi/specloop.json": json.dumps(document, indent=1) + "\n",
            "schemas/scopes.json": json.dumps(scope_table(), indent=2) + "\n",
            "docs/reference/routes.md": routes_page(document),
        }
    )


if __name__ == "__main__":
    sys.exit(main())
