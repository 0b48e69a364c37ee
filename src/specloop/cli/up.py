"""`specloop up`: the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from specloop.settings import Role, load


def _roles() -> list[str]:
    return list(Role)


def up(
    context: typer.Context,
    listen: Annotated[
        list[str] | None, typer.Option(metavar="ADDR:PORT", help="Address to serve on; may repeat.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
    state_url: Annotated[str | None, typer.Option(help="State store, sqlite:///… or postgresql://…")] = None,
    telemetry_url: Annotated[str | None, typer.Option(help="Telemetry store, chdb://… or clickhouse://…")] = None,
    role: Annotated[
        str | None, typer.Option(metavar="|".join(Role), autocompletion=_roles, help="What this process does.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file; default: ./specloop.toml")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the log as JSON.")] = False,
) -> None:
    """Start the server. Settings come from these flags, then SPECLOOP_* variables, then specloop.toml."""
    flags = {
        "listen": listen or None,
        "data": data,
        "state_url": state_url,
        "telemetry_url": telemetry_url,
        "role": role,
        "log_style": "json" if as_json else None,
    }
    raise typer.Exit(context.obj.serve(load(flags, config).settings))
