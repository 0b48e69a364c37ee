"""The root command, and how errors end the program: one line on standard error and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.text import Text

from specloop import __version__
from specloop.cli import (
    agents,
    backup,
    changesets,
    config,
    demo,
    devices,
    doctor,
    keys,
    login,
    scans,
    search,
    sessions,
    traces,
    up,
    users,
    workspaces,
)
from specloop.cli.operator import Operator
from specloop.cli.output import plain
from specloop.cli.session import NotLoggedIn
from specloop.errors import SpecloopError, StartupError
from specloop.settings import Settings

NO_SERVER = 7
EXIT_BY_STATUS = {400: 2, 401: 3, 403: 3, 404: 4, 422: 2, 429: NO_SERVER, 502: NO_SERVER, 503: NO_SERVER}


@dataclass(frozen=True, slots=True)
class Program:
    """What only `main` can give: the server, and checks that need the stores."""

    serve: Callable[[Settings], int]
    diagnose: Callable[[Settings, bool], list[doctor.Finding]]
    operator: Callable[[], Operator]


def build() -> typer.Typer:
    """The command tree."""
    app = typer.Typer(
        name="specloop",
        help="Specify, run, record and improve software built with AI agents, on your own machine.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_root)
    app.command("up")(up.up)
    app.command("demo")(demo.demo)
    app.command("doctor")(doctor.doctor)
    app.command("backup")(backup.backup)
    app.command("restore")(backup.restore)
    app.command("login")(login.login)
    app.command("logout")(login.logout)
    app.add_typer(config.app, name="config")
    app.add_typer(workspaces.app, name="workspaces")
    app.add_typer(keys.app, name="keys")
    app.add_typer(devices.app, name="devices")
    app.add_typer(users.users_app, name="users")
    app.add_typer(users.accounts_app, name="accounts")
    app.add_typer(agents.app, name="agents")
    app.add_typer(scans.app, name="scans")
    app.add_typer(changesets.app, name="changesets")
    app.add_typer(sessions.app, name="sessions")
    app.command("search")(search.search)
    app.add_typer(traces.app, name="traces")
    return app


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"specloop {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Specify, run, record and improve software built with AI agents, on your own machine."""


def run(program: Program) -> None:
    """Run the command line and leave the process with its exit code."""
    try:
        build()(obj=program, prog_name="specloop")
    except SpecloopError as error:
        _fail(error.detail, _exit_code(error))
    except httpx.ConnectError as error:
        _fail(_explain(error), NO_SERVER)
    except httpx.HTTPError as error:
        _fail(f"the server did not answer: {error}", NO_SERVER)
    except httpx.InvalidURL as error:
        _fail(f"this is no address of a server: {error}", 2)
    except KeyError as error:
        _fail(f"the server's answer has no {error}; is it of the same version as this program?", 1)


def _explain(error: httpx.ConnectError) -> str:
    place = error.request.url.copy_with(path="/")
    if "certificate" in str(error).lower():
        return f"the certificate of {place} is not trusted; name one with --ca (its data folder's tls/server.crt)"
    return f"no server answers at {place}; start one with `specloop up`"


def _exit_code(error: SpecloopError) -> int:
    if isinstance(error, StartupError):
        return error.exit_code
    if isinstance(error, NotLoggedIn):
        return 3
    return EXIT_BY_STATUS.get(error.status, 1)


def _fail(message: str, code: int) -> None:
    words = Text.assemble(("specloop: ", "bold red"), plain(message))
    Console(stderr=True, highlight=False).print(words, soft_wrap=True)
    sys.exit(code)
