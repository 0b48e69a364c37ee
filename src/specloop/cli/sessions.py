"""`specloop sessions`: brings the sessions of local coding agents to a server, and reads what is there."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from specloop.cli.operator import Config, Data, operator_of, settings_of
from specloop.cli.output import AsJSON, cell, part, print_json, progress_console, say, show_item, show_rows
from specloop.cli.transfer.connect import ServerURL, Token, connected
from specloop.cli.transfer.options import IntoProject, OnlyProject, SourceNames, Target, Wanted, WithoutRedaction
from specloop.cli.transfer.reading import Form, find_session, read_session

if TYPE_CHECKING:
    from specloop.cli.transfer.work import Work

app = typer.Typer(help="Sessions of coding agents: bring them here, read them.", no_args_is_help=True)
_LIST_COLUMNS = ("clientId", "agent", "title", "endedAt", "projectId")


def _work() -> Work:
    """What takes long to load, and what other commands must not wait for."""
    return import_module("specloop.cli.transfer.work").Work()


@app.command("import")
def import_sessions(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Files or folders; default: all agents' stores.")
    ] = None,
    source: SourceNames = None,
    project: OnlyProject = None,
    into: IntoProject = None,
    since: Annotated[str | None, typer.Option(help="Only transcripts changed since a day, time or age (7d).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")] = False,
    without_redaction: WithoutRedaction = False,
    url: ServerURL = None,
    token: Token = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name every session.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Send local transcripts to the server, those that it does not have yet. Secrets are taken out before."""
    wanted = Wanted(tuple(source or ()), project, into, since, tuple(paths or ()), without_redaction)
    _work().import_all(wanted, Target(url, token), is_dry=dry_run, is_verbose=verbose, as_json=as_json)


@app.command("watch")
def watch_sessions(
    source: SourceNames = None,
    project: OnlyProject = None,
    into: IntoProject = None,
    without_redaction: WithoutRedaction = False,
    quiet_seconds: Annotated[float, typer.Option(min=0.0, help="Send a session at most this often.")] = 10.0,
    url: ServerURL = None,
    token: Token = None,
    as_json: AsJSON = False,
) -> None:
    """Send sessions while they happen, until you press Ctrl-C."""
    wanted = Wanted(tuple(source or ()), project, into, without_redaction=without_redaction)
    _work().watch(wanted, Target(url, token), quiet_seconds=quiet_seconds, as_json=as_json)


@app.command("sources")
def list_sources(as_json: AsJSON = False) -> None:
    """The coding agents that are known, and how many transcripts each has on this machine. Asks no server."""
    columns = ("source", "agent", "transcripts", "megabytes")
    show_rows(_work().sources(), columns, as_json=as_json, empty="")


@app.command("list")
def list_sessions(
    project: Annotated[str | None, typer.Option(help="Only this project: its folder, or its id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    url: ServerURL = None,
    token: Token = None,
    as_json: AsJSON = False,
) -> None:
    """The newest sessions on the server."""
    with connected(url, token) as connection:
        if project is None:
            answer = connection.server.get("/api/v1/sessions/recent", limit=limit)
        else:
            answer = connection.server.get(
                f"/api/v1/projects/{quote(_work().project_id(project), safe='')}/sessions", limit=limit
            )
    sessions: list[dict[str, Any]] = answer["sessions"]
    if as_json:
        print_json(sessions)
        return
    rows = [{**each, "agent": part(each, "metadata").get("agentName"), "title": _title(each)} for each in sessions]
    show_rows(rows, _LIST_COLUMNS, as_json=False, empty="No session yet: `specloop sessions import` brings them.")


@app.command("show")
def show_session(
    session: Annotated[str, typer.Argument(help="Id, PROJECT/ID, or address of a session.")],
    url: ServerURL = None,
    token: Token = None,
    as_json: AsJSON = False,
) -> None:
    """What is known about one session, without its text."""
    with connected(url, token) as connection:
        place = find_session(connection.server, session)
        facts: dict[str, Any] = connection.server.get(place.path)["session"]
    for long in ("markdownContent", "exchanges"):
        facts.pop(long, None)
    show_item(facts, as_json=as_json)


@app.command("export")
def export_session(
    session: Annotated[str, typer.Argument(help="Id, PROJECT/ID, or address of a session.")],
    form: Annotated[Form, typer.Option("--format", "-f", help="What to write.")] = Form.MARKDOWN,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; default: standard output.")] = None,
    url: ServerURL = None,
    token: Token = None,
    as_json: AsJSON = False,
) -> None:
    """Write one session exactly as it was sent: markdown, SessionData, or the agent's own text."""
    with connected(url, token) as connection:
        place = find_session(connection.server, session)
        body = read_session(connection.server, place, form)
    if output is not None:
        output.write_bytes(body)
    if as_json:
        facts = {
            "project_id": place.project_id,
            "session_id": place.session_id,
            "format": form.value,
            "bytes": len(body),
        }
        print_json({**facts, "file": str(output)} if output else {**facts, "content": body.decode("utf-8", "replace")})
    elif output is None:
        sys.stdout.buffer.write(body)
    else:
        say(f"{output}: {len(body)} bytes.")


@app.command("reindex")
def reindex_sessions(context: typer.Context, data: Data = None, config: Config = None, as_json: AsJSON = False) -> None:
    """Make the search index of this machine's server anew. The server may go on; searches find what is done so far."""
    with progress_console.status("Indexing …") as status:
        sessions = operator_of(context).reindex(
            settings_of(data, config), lambda done, total: status.update(f"Indexing … {done} of {total} sessions")
        )
    if as_json:
        print_json({"sessions": sessions})
    else:
        say(f"{sessions} {'session' if sessions == 1 else 'sessions'} indexed.")


def _title(session: dict[str, Any]) -> str:
    metadata = part(session, "metadata")
    return cell(session.get("userTitle") or metadata.get("title") or metadata.get("summary") or session.get("name"))
