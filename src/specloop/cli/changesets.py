"""`specloop changesets`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.syntax import Syntax
from rich.text import Text

from specloop.cli.keys import Workspace
from specloop.cli.output import AsJSON, cell, console, parts, plain, print_json, say, show_item, show_rows
from specloop.cli.session import Session

app = typer.Typer(help="Proposed changes: review, accept, reject, roll back.", no_args_is_help=True)


@app.command("list")
def list_changesets(
    status: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """Change sets of the workspace."""
    session = Session.current(workspace)
    rows = list(session.pages(f"{session.workspace}/changesets", status=status))
    show_rows(rows, ("id", "status", "verdict", "risk", "title", "created_at"), as_json=as_json, empty="No change set.")


@app.command("show")
def show_changeset(changeset_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """One change set: verdict, evidence, gates, edits."""
    session = Session.current(workspace)
    item = session.get(f"{session.workspace}/changesets/{changeset_id}")
    if as_json:
        print_json(item)
        return
    show_item(item, ("id", "title", "status", "verdict", "risk", "summary"), as_json=False)
    for gate in parts(item, "gates"):
        mark = ("✓ ", "green") if gate["passed"] else ("✗ ", "red")
        console.print(Text.assemble(mark, cell(gate["name"]).ljust(16), cell(gate.get("detail") or "")))
    for edit in parts(item, "edits"):
        say(f"{edit['op']} {edit['pointer']}", "bold")
        say(edit.get("rationale") or "", "dim")
        if edit.get("diff"):
            console.print(Syntax(plain(edit["diff"]), "diff", theme="ansi_light", background_color="default"))


@app.command("accept")
def accept_changeset(
    changeset_id: str,
    note: Annotated[str | None, typer.Option(help="Why.")] = None,
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """Promote the change: it is live on the next call."""
    session = Session.current(workspace)
    body = {"note": note} if note else {}
    answer = session.post(f"{session.workspace}/changesets/{changeset_id}/accept", body)
    show_item(answer, ("id", "status"), as_json=as_json)


@app.command("reject")
def reject_changeset(
    changeset_id: str,
    reason: Annotated[str, typer.Option(prompt=True, help="Why.")],
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """Turn the change down."""
    session = Session.current(workspace)
    answer = session.post(f"{session.workspace}/changesets/{changeset_id}/reject", {"reason": reason})
    show_item(answer, ("id", "status"), as_json=as_json)


@app.command("rollback")
def roll_back_changeset(
    changeset_id: str,
    reason: Annotated[str, typer.Option(prompt=True, help="Why.")],
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """Go back to what was served before."""
    session = Session.current(workspace)
    answer = session.post(f"{session.workspace}/changesets/{changeset_id}/rollback", {"reason": reason})
    show_item(answer, ("id", "status"), as_json=as_json)
