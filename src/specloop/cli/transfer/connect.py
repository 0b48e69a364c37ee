"""Which server and as whom: `--url` and `--token` or their environment, else what `specloop login` kept."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from specloop import __version__
from specloop.cli.login import DEFAULT_URL
from specloop.cli.session import NotLoggedIn, Session, load_profile, new_client
from specloop.cli.transfer.device_link import linked
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
def connected(
    url: str | None, token: str | None, stopped: threading.Event | None = None, *, is_long: bool = False
) -> Generator[Connection]:
    """A client for the server, closed at the end.

    A sign-in is for what a person does: it may ask some hundred times per minute. So long work of somebody who is
    signed in is done as a device, which may do nothing but record and is unlinked at the end.

    Raises: NotLoggedIn when neither a token is given nor somebody is signed in.
    """
    with ExitStack() as stack:
        if token is not None:
            place = (url or DEFAULT_URL).rstrip("/")
            client, account = stack.enter_context(new_client(place)), place
            access = Access(token=lambda: token, renew=lambda: False)
        else:
            session = Session(load_profile())
            place = session.profile.url.rstrip("/")
            if url is not None and url.rstrip("/") != place:
                raise NotLoggedIn(f"you are signed in to {place}, not to {url}: pass a --token for that one")
            client = stack.enter_context(new_client(place, session.profile.ca))
            account = f"{place} {session.profile.email}"
            access = Access(token=lambda: session.profile.access_token, renew=session.renew)
            if is_long:
                access = stack.enter_context(linked(session, client))
        yield Connection(RecordServer(client, access, USER_AGENT, stopped or threading.Event()), place, account)
