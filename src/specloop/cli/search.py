"""`specloop search`: finds recorded sessions by what was said in them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from specloop.cli.output import AsJSON, cell, console, plain, print_json, say
from specloop.cli.transfer.connect import ServerURL, Token, connected

MATCH_START, MATCH_END = "\u0002", "\u0003"
FACETS_SHOWN = 5

Names = list[str] | None


class Mode(StrEnum):
    """By words, or by words and meaning."""

    TEXT = "text"
    HYBRID = "hybrid"


class Sort(StrEnum):
    """Best first or newest first."""

    RELEVANCE = "relevance"
    RECENT = "recent"


def search(
    query: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY...",
            help='Words, "phrases" and filters: agent: project: model: branch: tag: machine: file: tool:'
            " after: before: has:error",
        ),
    ],
    agent: Annotated[Names, typer.Option(help="Only this agent, by its whole name; may be repeated.")] = None,
    project: Annotated[Names, typer.Option(help="Only this project, by its id.")] = None,
    model: Annotated[Names, typer.Option(help="Only sessions that used this model.")] = None,
    branch: Annotated[Names, typer.Option(help="Only sessions on this branch.")] = None,
    tag: Annotated[Names, typer.Option(help="Only sessions with this tag.")] = None,
    machine: Annotated[Names, typer.Option(help="Only sessions of this machine.")] = None,
    file: Annotated[Names, typer.Option(help="Only sessions that touched such a file, by part of its path.")] = None,
    tool: Annotated[Names, typer.Option(help="Only sessions that used this tool.")] = None,
    since: Annotated[str | None, typer.Option(help="Only sessions that went on after this day or time.")] = None,
    until: Annotated[str | None, typer.Option(help="Only sessions that began before this day or time.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Only sessions in which a tool failed.")] = False,
    mode: Annotated[Mode, typer.Option(help="By words, or by words and meaning.")] = Mode.TEXT,
    sort: Annotated[Sort, typer.Option(help="What comes first.")] = Sort.RELEVANCE,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many.")] = 0,
    facets: Annotated[bool, typer.Option("--facets", help="Count agents, projects, models … of all hits.")] = False,
    url: ServerURL = None,
    token: Token = None,
    as_json: AsJSON = False,
) -> None:
    """Find sessions by what was said in them."""
    lists = {
        "agent": agent,
        "project": project,
        "model": model,
        "branch": branch,
        "tag": tag,
        "machine": machine,
        "file": file,
        "tool": tool,
    }
    wanted: dict[str, Any] = {name: values for name, values in lists.items() if values}
    wanted |= {"since": since, "until": until, "has": "error" if errors else None}
    with connected(url, token) as connection:
        answer = connection.server.get(
            "/api/v1/search",
            q=" ".join(query),
            mode=mode.value,
            sort=sort.value,
            limit=limit,
            offset=offset,
            facets=str(facets).lower(),
            **wanted,
        )
    if as_json:
        print_json(answer)
        return
    _show(answer)


def _show(answer: dict[str, Any]) -> None:
    hits: list[dict[str, Any]] = answer["hits"]
    if not hits:
        say("Nothing found. Words may be beginnings; all of them must be in one exchange.", style="dim")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("session", "agent", "project", "when", "what was said"):
        table.add_column(column, overflow="fold", no_wrap=column in {"agent", "when"})
    for hit in hits:
        table.add_row(
            Text(cell(hit["clientId"])),
            Text(cell(hit["metadata"].get("agentName"))),
            Text(cell(hit["projectName"])),
            Text(cell((hit.get("endedAt") or hit["updatedAt"])[:10])),
            highlighted(str(hit["snippet"])),
        )
    console.print(table)
    say(f"{len(hits)} of {answer['total']} sessions", style="dim")
    for name, values in answer["facets"].items():
        if values:
            say(
                f"{name}: " + ", ".join(f"{one['value']} ({one['count']})" for one in values[:FACETS_SHOWN]),
                style="dim",
            )


def highlighted(snippet: str) -> Text:
    """A snippet for a terminal: its marks become a style, and nothing else in it can steer."""
    text = Text()
    for index, piece in enumerate(snippet.split(MATCH_START)):
        marked, _, rest = piece.partition(MATCH_END) if index else ("", "", piece)
        text.append(plain(marked), style="bold yellow").append(plain(rest))
    return text
