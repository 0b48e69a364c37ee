"""`specloop workspaces`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from specloop.cli.keys import Workspace
from specloop.cli.output import AsJSON, print_json, say, show_item, show_rows
from specloop.cli.session import Session, save_profile

app = typer.Typer(help="Workspaces of your account.", no_args_is_help=True)


@app.command("list")
def list_workspaces(as_json: AsJSON = False) -> None:
    """Workspaces that you can see."""
    session = Session.current()
    rows = [
        {**row, "chosen": "●" if row["id"] == session.profile.workspace_id else ""}
        for row in session.pages("/api/v1/workspaces")
    ]
    show_rows(rows, ("chosen", "id", "name", "status", "created_at"), as_json=as_json, empty="No workspace yet.")


@app.command("create")
def create_workspace(
    name: str,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Make a workspace."""
    body = {"name": name, **({"description": description} if description else {})}
    show_item(Session.current().post("/api/v1/workspaces", body), ("id", "name", "status"), as_json=as_json)


@app.command("use")
def use_workspace(workspace: Annotated[str, typer.Argument(help="Name or id.")], as_json: AsJSON = False) -> None:
    """Choose the workspace of the next commands."""
    session = Session.current()
    chosen = session.workspace_named(workspace)
    save_profile(replace(session.profile, workspace_id=chosen))
    if as_json:
        print_json({"workspace_id": chosen})
    else:
        say(f"Using workspace {chosen}.")


@app.command("members")
def list_members(workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Members of the workspace."""
    session = Session.current(workspace)
    rows = list(session.pages(f"{session.workspace}/members"))
    show_rows(rows, ("user_id", "email", "name", "role"), as_json=as_json, empty="No members.")
