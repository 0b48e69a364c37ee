"""`specloop devices`: codes that link SpecStory's command line, and the devices that were linked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from specloop.cli.operator import operator_of, settings_of
from specloop.cli.output import AsJSON, print_json, say, show_rows
from specloop.cli.session import NotLoggedIn, Session
from specloop.errors import BadRequest
from specloop.kit.clock import format_time

app = typer.Typer(help="Machines that record coding sessions here.", no_args_is_help=True)


DEVICES = "/api/v1/auth/devices"
COLUMNS = ("device_id", "name", "username", "os_display_name", "client", "client_version", "last_used_at", "created_at")


@app.command("code")
def make_code(
    context: typer.Context,
    email: Annotated[str | None, typer.Option(help="Whose device it will be; needed with --data.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data folder of a server on this machine: no sign-in is needed.")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Server; you must be signed in to it (`specloop login`).")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file; default: ./specloop.toml")] = None,
    as_json: AsJSON = False,
) -> None:
    """Make a one-time code for `specstory login`."""
    if data is not None and url is not None:
        raise BadRequest("give --data or --url, not both")
    if data is not None:
        if email is None:
            raise BadRequest("name the user with --email")
        fresh = operator_of(context).make_device_code(settings_of(data, config), email)
        code, expires_at = fresh.code, format_time(fresh.expires_at)
    else:
        answer = _signed_in(url, email).post("/api/v1/auth/device-codes")
        code, expires_at = answer["code"], answer["expires_at"]
    if as_json:
        print_json({"code": code, "expires_at": expires_at})
        return
    say(f"{code[:3]}-{code[3:]}", "bold")
    say(f"Good once, until {expires_at}. Type it where `specstory login` asks for it.", "dim")


def _signed_in(url: str | None, email: str | None) -> Session:
    session = Session.current()
    if url is not None and session.profile.url.rstrip("/") != url.rstrip("/"):
        raise NotLoggedIn(f"you are not signed in to {url}: run `specloop login --url {url}`")
    if email is not None and session.profile.email.lower() != email.lower():
        raise NotLoggedIn(f"you are signed in as {session.profile.email}, not as {email}: run `specloop login`")
    return session


@app.command("list")
def list_devices(as_json: AsJSON = False) -> None:
    """Your devices that may still record."""
    rows = list(Session.current().pages(DEVICES))
    show_rows(
        rows, COLUMNS, as_json=as_json, empty="No device yet: `specloop devices code` makes a code that links one."
    )


@app.command("revoke")
def revoke_device(device_id: str, as_json: AsJSON = False) -> None:
    """Let a device record no more."""
    Session.current().send("DELETE", f"{DEVICES}/{device_id}")
    if as_json:
        print_json({"device_id": device_id, "status": "revoked"})
    else:
        say("Revoked.")
