"""`specloop keys`."""

from __future__ import annotations

from typing import Annotated

import typer

from specloop.cli.operator import Config, Data, operator_of, settings_of
from specloop.cli.output import AsJSON, print_json, say, show_rows
from specloop.cli.session import Session

app = typer.Typer(help="Keys of the chosen workspace: fetch agent configuration, push traces.", no_args_is_help=True)
Workspace = Annotated[str | None, typer.Option("--workspace", "-w", help="Name or id; default: the chosen one.")]


@app.command("list")
def list_keys(workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Keys, never their secrets."""
    session = Session.current(workspace)
    columns = ("key_id", "name", "prefix", "last4", "status", "last_used_at", "expires_at")
    rows = list(session.pages(f"{session.workspace}/keys"))
    show_rows(rows, columns, as_json=as_json, empty="No key yet: `specloop keys create NAME` makes one.")


@app.command("create")
def create_key(
    name: str,
    expires_at: Annotated[str | None, typer.Option(help="RFC 3339 time; default: never.")] = None,
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """Make a key and show it once."""
    session = Session.current(workspace)
    body = {"name": name, **({"expires_at": expires_at} if expires_at else {})}
    answer = session.post(f"{session.workspace}/keys", body)
    if as_json:
        print_json(answer)
        return
    say(answer["key"], "bold")
    say("Keep it now: it is not shown again.", "dim")


@app.command("revoke")
def revoke_key(key_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Make a key useless at once."""
    session = Session.current(workspace)
    session.send("DELETE", f"{session.workspace}/keys/{key_id}")
    if as_json:
        print_json({"key_id": key_id, "status": "revoked"})
    else:
        say("Revoked.")


@app.command("rotate-signing")
def rotate_signing_key(
    context: typer.Context, data: Data = None, config: Config = None, as_json: AsJSON = False
) -> None:
    """Sign sign-in tokens with a new key; for the operator, while the server is stopped."""
    kid = operator_of(context).rotate_signing_key(settings_of(data, config))
    if as_json:
        print_json({"kid": kid})
    else:
        say(f"The next start signs with key {kid}; tokens of the old key stay good until they end.")
