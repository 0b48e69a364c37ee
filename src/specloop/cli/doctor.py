"""`specloop doctor`: looks at the data folder, engines, certificate, clock and disk, and says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol

import typer
from rich.text import Text

from specloop.cli.output import AsJSON, cell, console, print_json, say
from specloop.settings import load

FACTS = ("check", "status", "detail", "advice")
MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}


class Finding(Protocol):
    """What one check found, and what to do about it."""

    @property
    def check(self) -> str:
        """What was looked at."""
        ...

    @property
    def status(self) -> Literal["ok", "warning", "failed"]:
        """How it is."""
        ...

    @property
    def detail(self) -> str:
        """What was seen."""
        ...

    @property
    def advice(self) -> str:
        """What to do; empty when there is nothing to do."""
        ...


def doctor(
    context: typer.Context,
    listen: Annotated[
        list[str] | None, typer.Option(metavar="ADDR:PORT", help="Address to serve on; may repeat.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
    state_url: Annotated[str | None, typer.Option(help="State store, sqlite:///… or postgresql://…")] = None,
    telemetry_url: Annotated[str | None, typer.Option(help="Telemetry store, chdb://… or clickhouse://…")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file; default: ./specloop.toml")] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also read every stored document, compare checksums and the search index.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Check this installation and say what to do. Exit code 1 when something has failed."""
    flags = {"listen": listen or None, "data": data, "state_url": state_url, "telemetry_url": telemetry_url}
    findings: Sequence[Finding] = context.obj.diagnose(load(flags, config).settings, deep)
    if as_json:
        print_json([{name: getattr(finding, name) for name in FACTS} for finding in findings])
    else:
        for finding in findings:
            _show(finding)
    if any(finding.status == "failed" for finding in findings):
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    mark, colour = MARKS[finding.status]
    name = (finding.check.ljust(14), "bold")
    console.print(Text.assemble((f"{mark} ", colour), name, cell(finding.detail)), soft_wrap=True)
    if finding.advice:
        say(f"  {'':14}{finding.advice}", "dim")
