"""Which server and as whom: `--url` and `--token` or their environment, else what `specloop login` kept."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from specloop import __version__
from specloop.cli.login import DEFAULT_URL
from specloop.cli.session import Session, load_profile, new_client
from specloop.cli.transfer.server import Access, RecordServer

USER_AGENT = f"specloop/{__version__}"
ServerURL = Annotated[
    str | None,
    typer.Option("--url", envvar="SPECLOOP_SERVER_URL", help="Server; default: the one signed in to."),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="SPECLOOP_TOKEN",
        show_envvar=True,
        help="Access token, device token or personal key; default: the sign-in.",
    ),
]


@dataclass(frozen=True, slots=True)
class Connection:
    """An open server; `account` tells the servers and users apart in what is remembered."""

    server: RecordServer
    url: str
    account: str


@contextmanager
def connected(url: str | None, token: str | None, stopped: threading.Event | None = None) -> Generator[Connection]:
    """A client for the server, closed at the end.

    Raises: NotLoggedIn when neither a token is given nor somebody is signed in.
    """
    if token is not None:
        place = (url or DEFAULT_URL).rstrip("/")
        client, account = new_client(place), place
        access = Access(token=lambda: token, renew=lambda: False)
    else:
        session = Session(load_profile())
        place = session.profile.url.rstrip("/")
        if url is not None and url.rstrip("/") != place:
            raise typer.BadParameter(f"you are signed in to {place}; give a --token for {url}", param_hint="--url")
        client, account = new_client(place, session.profile.ca), f"{place} {session.profile.email}"
        access = Access(token=lambda: session.profile.access_token, renew=session.renew)
    with client:
        yield Connection(RecordServer(client, access, USER_AGENT, stopped or threading.Event()), place, account)
