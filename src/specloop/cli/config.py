"""`specloop config show`: every setting, its value and where the value came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from rich.table import Table
from rich.text import Text

from specloop.cli.output import AsJSON, cell, console, print_json
from specloop.kit.log import redact
from specloop.settings import Settings, load

app = typer.Typer(help="Look at the settings.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Look at the settings."""


@app.command("show")
def show(
    file: Annotated[Path | None, typer.Option("--config", help="Settings file; default: ./specloop.toml")] = None,
    as_json: AsJSON = False,
) -> None:
    """Print each setting with its source."""
    loaded = load(file=file)
    rows = [
        {
            "name": name,
            "value": _shown(getattr(loaded.settings, name)),
            "source": loaded.sources[name],
            "help": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("setting", "value", "source", "what it is"):
        table.add_column(column, overflow="fold")
    for row in rows:
        style = "dim" if row["source"] == "default" else ""
        table.add_row(*(Text(cell(row[name]), style=style) for name in ("name", "value", "source", "help")))
    console.print(table)


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "(set)" if value.get_secret_value() else ""
    if isinstance(value, dict):
        return sorted(str(name) for name in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, list):
        return value  # pyright: ignore[reportUnknownVariableType]
    return redact(str(value)) if value is not None else ""
