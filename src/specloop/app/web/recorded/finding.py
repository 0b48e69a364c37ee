"""What the command palette finds of recorded work: projects by name, sessions by what was said in them."""

from __future__ import annotations

from typing import Final

from specloop.app.web.frame import Frame
from specloop.app.web.recorded.places import places_of
from specloop.app.web.recorded.titles import title_of
from specloop.app.web.recorded.words import squeezed
from specloop.db.context import Context
from specloop.record.projects import ProjectService
from specloop.record.search import SearchRequest, SearchService, is_too_short

SHOWN: Final = 6
NAME_MAX: Final = 80


async def session_hits(ctx: Context, frame: Frame, search: SearchService, text: str) -> list[dict[str, str]]:
    """The best sessions for `text`, each leading to the exchange that matched first."""
    if is_too_short(text):
        return []
    places = places_of(frame)
    answer = await search.search(ctx, SearchRequest(text, limit=SHOWN, exchanges_max=1))
    hits: list[dict[str, str]] = []
    for hit in answer.hits:
        number = hit.exchanges[0].order_number + 1 if hit.exchanges else 1
        anchor = f"?from={number}#e{number}" if number > 1 else ""
        href = places.session(hit.session) + anchor
        hits.append({"href": href, "icon": "session", "text": title_of(hit.session), "kind": "Session"})
    return hits


async def project_hits(ctx: Context, frame: Frame, projects: ProjectService, text: str) -> list[dict[str, str]]:
    """Projects with `text` in their name."""
    places = places_of(frame)
    found = [one for one in await projects.list_projects(ctx) if text in one.name.lower() or text == one.client_id]
    return [
        {"href": places.project(one), "icon": "folder", "text": squeezed(one.name, NAME_MAX), "kind": "Project"}
        for one in found[:SHOWN]
    ]
