"""`specloop doctor`: looks at the data folder, engines, certificate, clock and disk, and says what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from specloop.cli.output import AsJSON, console, print_json
from specloop.settings import load

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it."""

    check: str
    status: Literal["ok", "warning", "failed"]
    detail: str
    advice: str = ""


def doctor(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Data folder.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file; default: ./specloop.toml")] = None,
    as_json: AsJSON = False,
) -> None:
    """Check this installation and say what to do. Exit code 1 when something has failed."""
    findings: list[Finding] = context.obj.diagnose(load({"data": data}, config).settings)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _show(finding)
    if any(finding.status == "failed" for finding in findings):
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    mark, colour = MARKS[finding.status]
    console.print(Text.assemble((f"{mark} ", colour), (finding.check.ljust(14), "bold"), finding.detail))
    if finding.advice:
        console.print(Text(f"  {'':14}{finding.advice}", style="dim"))
