"""What can be asked of an import. Light: what carries it out is loaded when it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

SourceNames = Annotated[
    list[str] | None,
    typer.Option(
        "--source", "-s", metavar="NAME", help="Only this source (see `specloop sessions sources`); may be repeated."
    ),
]
OnlyProject = Annotated[
    str | None, typer.Option("--project", help="Only sessions of this project: its folder, or its id.")
]
IntoProject = Annotated[
    str | None, typer.Option("--into", metavar="ID", help="Put all sessions into this project, wherever they are from.")
]
WithoutRedaction = Annotated[bool, typer.Option("--without-redaction", help="Send secrets as they stand.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions are meant, where they go, and whether their secrets stay in."""

    sources: tuple[str, ...] = ()
    project: str | None = None
    into: str | None = None
    since: str | None = None
    paths: tuple[Path, ...] = ()
    without_redaction: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """The server and the token given, if any."""

    url: str | None = None
    token: str | None = None
