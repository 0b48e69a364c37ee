"""`specloop sessions`: brings the sessions of local coding agents to a server, and reads what is there."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from specloop import __version__
from specloop.cli.output import AsJSON, cell, part, print_json, say, show_item, show_rows
from specloop.cli.transfer.choosing import (
    IntoProject,
    OnlyProject,
    SourceNames,
    WithoutRedaction,
    choose,
    project_id_of,
    target,
    usual_places,
)
from specloop.cli.transfer.connect import ServerURL, Token, connected
from specloop.cli.transfer.importing import Importer, Result
from specloop.cli.transfer.preparing import Preparer
from specloop.cli.transfer.reading import Form, find_session, read_session
from specloop.cli.transfer.reporting import Reporter
from specloop.cli.transfer.server import seconds_since
from specloop.cli.transfer.state import SentState
from specloop.cli.transfer.watching import Watcher
from specloop.record.sessions.importers.device import device_id, machine_name
from specloop.record.sessions.importers.payload import Client
from specloop.record.sessions.redaction import BetterleaksScanner, RedactionUnavailable

app = typer.Typer(help="Sessions of coding agents: bring them here, read them.", no_args_is_help=True)
INTERRUPTED = 130
_LIST_COLUMNS = ("clientId", "agent", "title", "endedAt", "projectId")


@app.command("import")
def import_sessions(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files or folders; default: every agent's own store."),
    ] = None,
    source: SourceNames = None,
    project: OnlyProject = None,
    into: IntoProject = None,
    since: Annotated[
        str | None, typer.Option(help="Only transcripts changed since this day, time or age (7d).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent; send nothing.")] = False,
    without_redaction: WithoutRedaction = False,
    url: ServerURL = None,
    token: Token = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name every session.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Send local transcripts to the server, those that it does not have yet. Secrets are taken out before."""
    choice = choose(source, since, paths)
    preparer = _preparer(without_redaction=without_redaction, into=into, only=project)
    began = time.monotonic()
    with stopping() as stopped, connected(url, token, stopped) as connection:
        transcripts = choice.transcripts()
        importer = Importer(connection.server, preparer, SentState(connection.account), is_dry=dry_run, stopped=stopped)
        reporter = Reporter(as_json=as_json, is_verbose=verbose)
        with reporter.progress(len(transcripts)):
            summary = importer.run(transcripts, reporter.heard)
    reporter.summed_up(summary, seconds_since(began), is_dry=dry_run)
    if stopped.is_set():
        raise typer.Exit(INTERRUPTED)
    if summary.results[Result.FAILED]:
        raise typer.Exit(1)


@app.command("watch")
def watch_sessions(
    source: SourceNames = None,
    project: OnlyProject = None,
    into: IntoProject = None,
    without_redaction: WithoutRedaction = False,
    quiet_seconds: Annotated[
        float, typer.Option(min=0.0, help="Send a session that changes at most this often.")
    ] = 10.0,
    url: ServerURL = None,
    token: Token = None,
    as_json: AsJSON = False,
) -> None:
    """Send sessions while they happen, until you press Ctrl-C."""
    choice = choose(source)
    preparer = _preparer(without_redaction=without_redaction, into=into, only=project)
    with stopping() as stopped, connected(url, token) as connection:
        importer = Importer(connection.server, preparer, SentState(connection.account))
        watcher = Watcher(importer, usual_places(), choice.sources, stopped, quiet_seconds=quiet_seconds)
        reporter = Reporter(as_json=as_json, is_verbose=True)

        def ready(roots: list[Path]) -> None:
            if as_json:
                print_json({"event": "watching", "folders": [str(root) for root in roots]})
            else:
                say(f"Following {len(roots)} folders; Ctrl-C ends.")
            sys.stdout.flush()

        watcher.run(lambda outcome: (reporter.heard(outcome), sys.stdout.flush())[0], ready)


@app.command("sources")
def list_sources(as_json: AsJSON = False) -> None:
    """The stores of coding agents on this machine and how many transcripts they hold. Asks no server."""
    found = choose(None).transcripts()
    rows = list[dict[str, Any]]()
    for name in dict.fromkeys(each.source for each in found):
        mine = [each for each in found if each.source == name]
        rows.append({"source": name, "transcripts": len(mine), "megabytes": round(sum(e.size for e in mine) / 1e6, 1)})
    show_rows(rows, ("source", "transcripts", "megabytes"), as_json=as_json, empty="No transcript found.")


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
            answer = connection.server.get(f"/api/v1/projects/{project_id_of(project)}/sessions", limit=limit)
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


@contextmanager
def stopping() -> Generator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, in the place of ending the program at once."""
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _preparer(*, without_redaction: bool, into: str | None, only: str | None) -> Preparer:
    client = Client("specloop", __version__, device_id(), machine_name())
    scanner = None if without_redaction else _scanner()
    return Preparer(client, scanner, target(into), project_id_of(only) if only else None)


def _scanner() -> BetterleaksScanner:
    try:
        return BetterleaksScanner()
    except RedactionUnavailable as error:
        raise RedactionUnavailable(f"{error.detail} Give --without-redaction to send secrets as they stand.") from error


def _title(session: dict[str, Any]) -> str:
    metadata = part(session, "metadata")
    return cell(session.get("userTitle") or metadata.get("title") or metadata.get("summary") or session.get("name"))
