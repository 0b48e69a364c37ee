"""`specloop login` and `logout`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from specloop.cli.output import AsJSON, print_json, say
from specloop.cli.session import Profile, Session, forget_profile, load_profile, new_client, read_answer, save_profile
from specloop.errors import Unauthenticated

DEFAULT_URL = "http://127.0.0.1:8000"


def login(
    email: Annotated[str, typer.Option(prompt=True, help="Your e-mail address.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, help="Your password; asked for if not given.")],
    url: Annotated[str, typer.Option(help="Address of the server.")] = DEFAULT_URL,
    ca: Annotated[Path | None, typer.Option(help="PEM file that vouches for the server's certificate.")] = None,
    register: Annotated[str | None, typer.Option(metavar="NAME", help="Make a new account with this name.")] = None,
    as_json: AsJSON = False,
) -> None:
    """Sign in to a server and remember it for the other commands."""
    authority = str(ca.resolve()) if ca else None
    body = {"email": email, "password": password}
    if register is not None:
        body["tenant_name"] = register
    with new_client(url, authority) as client:
        answer = read_answer(client.post(f"/api/v1/auth/{'login' if register is None else 'register'}", json=body))
    profile = Profile(
        url, email, answer["access_token"], answer["refresh_token"], answer.get("workspace_id") or "", authority
    )
    if not profile.workspace_id:
        rooms = Session(profile, keeps_profile=False).get("/api/v1/workspaces")["results"]
        profile = replace(profile, workspace_id=rooms[0]["id"] if rooms else "")
    save_profile(profile)
    if as_json:
        print_json({"url": url, "email": email, "workspace_id": profile.workspace_id})
    else:
        say(f"Signed in to {url} as {email}.")


def logout(as_json: AsJSON = False) -> None:
    """End the session on the server and forget it here."""
    with suppress(Unauthenticated):  # the server has ended it already
        Session(load_profile()).send("POST", "/api/v1/auth/logout")
    forget_profile()
    if as_json:
        print_json({"signed_out": True})
    else:
        say("Signed out.")
