"""`specloop scans`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from specloop.cli.agents import read_json_file
from specloop.cli.keys import Workspace
from specloop.cli.output import AsJSON, cell, part, progress_console, show_document, show_item, show_rows
from specloop.cli.session import Session

app = typer.Typer(help="Scans: look for failures and propose changes.", no_args_is_help=True)
ENDED = frozenset({"completed", "failed", "cancelled", "paused"})


@app.command("list")
def list_scans(workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Scans of the workspace."""
    session = Session.current(workspace)
    columns = ("id", "name", "status", "phase", "outcome", "created_at")
    rows = list(session.pages(f"{session.workspace}/scans"))
    show_rows(rows, columns, as_json=as_json, empty="No scan yet: `specloop scans start FILE` starts one.")


@app.command("start")
def start_scan(
    file: Annotated[
        Path, typer.Argument(help="JSON with agent_id, objective_id, sample_set_id …; - for standard input.")
    ],
    watch: Annotated[bool, typer.Option(help="Follow it until it ends.")] = True,
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """Start a scan and follow it."""
    session = Session.current(workspace)
    scan = session.post(f"{session.workspace}/scans", read_json_file(file))
    if watch:
        scan = follow(session, scan["id"])
    show_item(scan, ("id", "status", "outcome", "results"), as_json=as_json)


@app.command("show")
def show_scan(scan_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """One scan."""
    session = Session.current(workspace)
    show_item(session.get(f"{session.workspace}/scans/{scan_id}"), as_json=as_json)


@app.command("watch")
def watch_scan(scan_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Follow a scan until it ends."""
    session = Session.current(workspace)
    show_item(follow(session, scan_id), ("id", "status", "outcome", "results"), as_json=as_json)


@app.command("cancel")
def cancel_scan(scan_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Stop a scan; what it found stays readable."""
    session = Session.current(workspace)
    show_item(session.post(f"{session.workspace}/scans/{scan_id}/cancel"), ("id", "status"), as_json=as_json)


@app.command("events")
def list_events(scan_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """What happened in a scan."""
    session = Session.current(workspace)
    rows = list(session.pages(f"{session.workspace}/scans/{scan_id}/events"))
    show_rows(rows, ("seq", "ts", "phase", "type", "data"), as_json=as_json, empty="Nothing yet.")


@app.command("clusters")
def list_clusters(scan_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """Failure clusters of a scan."""
    session = Session.current(workspace)
    rows = list(session.pages(f"{session.workspace}/scans/{scan_id}/clusters"))
    show_rows(rows, ("name", "kind", "size", "share", "severity"), as_json=as_json, empty="No cluster.")


@app.command("report")
def show_report(scan_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """The report of an ended scan, as JSON."""
    session = Session.current(workspace)
    show_document(session.get(f"{session.workspace}/scans/{scan_id}/report"), as_json=as_json)


def follow(session: Session, scan_id: str) -> dict[str, Any]:
    """Show the progress of a scan on standard error until it ends; returns the scan."""
    path = f"{session.workspace}/scans/{scan_id}"
    with Progress(
        TextColumn("{task.description:<10}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        console=progress_console,
        transient=True,
    ) as bar:
        task = bar.add_task("queued", total=1)
        for _ in session.stream(f"{path}/events"):
            scan: dict[str, Any] = session.get(path)
            progress = part(scan, "progress")
            bar.update(
                task,
                description=cell(scan.get("phase") or scan["status"]),
                completed=progress.get("done", 0),
                total=max(1, progress.get("total", 1)),
            )
            if scan["status"] in ENDED:
                return scan
    return session.get(path)
