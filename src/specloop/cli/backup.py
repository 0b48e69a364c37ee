"""`specloop backup` and `specloop restore`: the whole data folder as one checked file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from specloop.cli.operator import Archive, Config, Data, operator_of, settings_of
from specloop.cli.output import AsJSON, print_json, progress_console, say


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write the archive, such as specloop.tar.zst.")],
    data: Data = None,
    config: Config = None,
    as_json: AsJSON = False,
) -> None:
    """Write everything in the data folder into one file. The server may go on working."""
    with progress_console.status("Copying …"):
        archive = operator_of(context).back_up(settings_of(data, config), file)
    size = file.stat().st_size
    if as_json:
        print_json({"file": str(file), "bytes": size, **_facts(archive)})
    else:
        say(f"{file}: {len(archive.files)} files, {size / 2**20:.1f} MiB.")


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="An archive that `specloop backup` made.")],
    data: Annotated[Path, typer.Option(help="Data folder to make; must not exist yet, or be empty.")],
    as_json: AsJSON = False,
) -> None:
    """Make a data folder from a backup; every file and both databases are checked first."""
    with progress_console.status("Unpacking and checking …"):
        archive = operator_of(context).restore(file, data)
    if as_json:
        print_json({"data": str(data), **_facts(archive)})
    else:
        say(f"{data} is as it was at {archive.facts['created_at']}; start it with `specloop up --data {data}`.")


def _facts(archive: Archive) -> dict[str, object]:
    return {**archive.facts, "files": len(archive.files)}
