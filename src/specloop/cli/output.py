"""What commands print: a table or a list of facts for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from specloop.kit import json

Document = dict[str, Any]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
console = Console()
progress_console = Console(stderr=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(value).decode())


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """A table of `columns`; `empty` says what to do when there is nothing."""
    if as_json:
        print_json(list(rows))
        return
    if not rows:
        console.print(Text(empty, style="dim"))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(row.get(column))) for column in columns))
    console.print(table)


def show_item(item: Mapping[str, Any], fields: Iterable[str] | None = None, *, as_json: bool) -> None:
    """Facts, one per line."""
    if as_json:
        print_json(item)
        return
    names = list(fields or item)
    width = max((len(name) for name in names), default=0)
    for name in names:
        console.print(Text.assemble((name.ljust(width + 2), "dim"), cell(item.get(name))), soft_wrap=True)


def part(document: Document, name: str) -> Document:
    """The object under `name`; an empty one where there is none."""
    return document.get(name) or {}


def parts(document: Document, name: str) -> list[Document]:
    """The objects under `name`; an empty list where there are none."""
    return document.get(name) or []


def cell(value: Any) -> str:
    """A value as short text without control characters: what a server sends must not steer the terminal."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4g}"
        case str():
            return "".join(character for character in value if character.isprintable() or character == "\n")
        case list() | dict():
            return json.dumps(value).decode()
        case _:
            return str(value)
