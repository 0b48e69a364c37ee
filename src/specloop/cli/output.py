"""What commands print: a table or a list of facts for people, JSON for programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from json import dumps as pretty
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from specloop.kit import json

Document = dict[str, Any]
AsJSON = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
console = Console(highlight=False)
progress_console = Console(stderr=True)
_UNSEEN = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
"""Characters that JSON may hold as they are and that terminals act on: C1 controls and marks of direction."""


def print_json(value: Any) -> None:
    """One JSON document on standard output; what a terminal would act on stands there as an escape."""
    typer.echo(_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value).decode()))


def show_document(value: Any, *, as_json: bool) -> None:
    """A JSON document: indented for people, on one line for programs."""
    if as_json:
        print_json(value)
    else:
        say(pretty(value, indent=2, ensure_ascii=False))


def say(text: str, style: str = "") -> None:
    """One remark or one text of the server, as it is: no markup, no control characters, no wrapping."""
    console.print(Text(plain(text), style=style), soft_wrap=True)


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
        fact = (plain(name).ljust(width + 2), "dim")
        console.print(Text.assemble(fact, cell(item.get(name))), soft_wrap=True)


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
            return plain(value)
        case list() | dict():
            return plain(json.dumps(value).decode())
        case _:
            return str(value)


def plain(text: str) -> str:
    """`text` without what could steer a terminal: escapes, other controls, marks that change the direction."""
    return "".join(character for character in text if character.isprintable() or character == "\n")
