"""`specloop traces`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from specloop.cli.keys import Workspace
from specloop.cli.output import AsJSON, cell, console, print_json, show_item, show_rows
from specloop.cli.session import Session

app = typer.Typer(help="Recorded traces.", no_args_is_help=True)


@app.command("list")
def list_traces(
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 20,
    status: Annotated[str | None, typer.Option(help="Only traces with this status.")] = None,
    workspace: Workspace = None,
    as_json: AsJSON = False,
) -> None:
    """The newest traces."""
    session = Session.current(workspace)
    rows = session.get(f"{session.workspace}/traces", limit=limit, status=status)["results"]
    columns = ("trace_id", "name", "status", "span_count", "duration_ms", "started_at")
    show_rows(
        rows, columns, as_json=as_json, empty="No trace yet. Point an OTLP exporter at /otel with a workspace key."
    )


@app.command("show")
def show_trace(trace_id: str, workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """One trace as a tree of spans."""
    session = Session.current(workspace)
    trace = session.get(f"{session.workspace}/traces/{trace_id}")
    if as_json:
        print_json(trace)
        return
    show_item(trace, ("trace_id", "name", "status", "started_at", "duration_ms"), as_json=False)
    for root in trace["spans"]:
        console.print(_tree(root))


@app.command("stats")
def show_stats(workspace: Workspace = None, as_json: AsJSON = False) -> None:
    """What was ingested."""
    session = Session.current(workspace)
    show_item(session.get(f"{session.workspace}/traces/stats"), as_json=as_json)


def _tree(span: dict[str, Any]) -> Tree:
    tree = Tree(Text(f"{cell(span['name'])}  {cell(span.get('duration_ms'))} ms"))
    for child in span.get("children", []):
        tree.children.append(_tree(child))
    return tree
