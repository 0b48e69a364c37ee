"""The demo's last offer: bring the user's own coding sessions in, and search them."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import typer

from specloop.cli.output import progress_console, say
from specloop.cli.session import Session
from specloop.cli.transfer.options import Target, Wanted


def offer_import(session: Session, *, is_agreed: bool, as_json: bool, home: Path | None = None) -> None:
    """Ask whether the transcripts on this machine shall be imported, and do it; `is_agreed` answers beforehand.

    Where nobody can be asked, only the command is named. Nothing is said on a machine without transcripts.
    """
    found = import_module("specloop.record.sessions.importers").find_local(home or Path.home())
    if not found:
        return
    agents = sorted({one.source for one in found})
    count = f"{len(found)} coding sessions" if len(found) > 1 else "A coding session"
    what = f"{count} of yours on this machine ({', '.join(agents)})"
    if not is_agreed and (as_json or not sys.stdin.isatty()):
        progress_console.print(f"[dim]·[/] {what}; `specloop sessions import` brings them here")
        return
    if not is_agreed and not typer.confirm(f"{what}. Import them into the demo's server? Secrets are taken out"):
        return
    where = Target(session.profile.url, session.profile.access_token)
    work = import_module("specloop.cli.transfer.work").Work()
    with suppress(typer.Exit):  # a transcript that could not be sent was named; the demo goes on
        work.import_all(Wanted(), where, is_dry=False, is_verbose=False, as_json=as_json)
    if not as_json:
        say(f"Search them: {session.profile.url}/app/w/{session.profile.workspace_id}/sessions")
