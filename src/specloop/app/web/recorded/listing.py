"""The list of recorded sessions: search as one types, facets with counts, order, pages. The address carries it all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, cast
from urllib.parse import urlencode
from zlib import crc32

from fastapi import Depends
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.web.frame import FrameHere, page_router
from specloop.app.web.recorded.places import Places, places_of
from specloop.app.web.recorded.reader import Projects, Reader, pulse
from specloop.app.web.recorded.titles import title_of
from specloop.app.web.recorded.words import one_line, plain, whole
from specloop.db.context import Context
from specloop.kit.clock import format_time
from specloop.record.projects import Project
from specloop.record.search import (
    MATCH_END,
    MATCH_START,
    Hit,
    SearchRequest,
    SearchService,
    SearchSort,
    is_too_short,
    parse_query,
)
from specloop.record.sessions import Session, SessionFilters, SessionOrder, SessionReader
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
PATH: Final = "/app/w/{workspace_id}/sessions"
Search = Annotated[SearchService, Depends(provided(SearchService))]
LIMIT: Final = 50
VALUE_MAX: Final = 400
FACET_SHOWN: Final = 6
FACETS: Final = (
    ("project", "Project", "project_ids"),
    ("agent", "Agent", "agents"),
    ("model", "Model", "models"),
    ("branch", "Branch", "branches"),
    ("machine", "Machine", "machines"),
    ("tag", "Tag", "tags"),
)
"""Name in the address, name on the page, field of the filters."""
ORDERS: Final[Mapping[str, tuple[str, SessionOrder]]] = {
    "recent": ("Newest first", SessionOrder.ACTIVE),
    "longest": ("Most exchanges", SessionOrder.EXCHANGES),
    "costly": ("Highest cost", SessionOrder.COST),
    "oldest": ("Oldest first", SessionOrder.ACTIVE),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for. `sort` is "" for the order that suits: the best hits, or the newest."""

    text: str
    chosen: Mapping[str, Sequence[str]]
    sort: str
    offset: int

    @property
    def is_search(self) -> bool:
        """Whether there are enough letters to look for anything, or filters written into the text."""
        query = parse_query(self.text)
        return bool(self.text) and (not is_too_short(self.text) or query != type(query)(terms=query.terms))

    @property
    def is_narrowed(self) -> bool:
        """Whether some sessions may be left out."""
        return self.is_search or bool(self.chosen)

    @property
    def filters(self) -> SessionFilters:
        """The facets as filters."""
        chosen: dict[str, Any] = {field: tuple(self.chosen.get(name, ())) for name, _, field in FACETS}
        return SessionFilters(**chosen)

    def address(self, **changes: Any) -> str:
        """`?…` of this, or of this with changes."""
        values: dict[str, Any] = {"q": self.text, **self.chosen, "sort": self.sort, "offset": self.offset, **changes}
        pairs = [(name, one) for name, value in values.items() for one in _each(value) if one]
        return "?" + urlencode(pairs) if pairs else ""

    def toggled(self, name: str, value: str) -> str:
        """The address with one value of a facet chosen, or no longer."""
        known = list(self.chosen.get(name, ()))
        values = [one for one in known if one != value] if value in known else [*known, value]
        return self.address(**{name: values, "offset": 0})


def _each(value: Any) -> list[Any]:
    return list(cast("Sequence[Any]", value)) if isinstance(value, list | tuple) else [value]


def wanted_of(params: QueryParams) -> Wanted:
    """Reads the address; what makes no sense in it is left out."""
    chosen = {
        name: tuple(dict.fromkeys(value[:VALUE_MAX] for value in params.getlist(name)[:20] if value))
        for name, _, _ in FACETS
    }
    sort = params.get("sort", "")
    return Wanted(
        text=params.get("q", "").strip()[:VALUE_MAX],
        chosen={name: values for name, values in chosen.items() if values},
        sort=sort if sort in ORDERS or sort == "relevance" else "",
        offset=whole(params.get("offset", "")),
    )


@router.get(PATH)
@requires("read:workspace", users_only=True)
async def show_sessions(
    ctx: Ctx, frame: FrameHere, reader: Reader, projects: Projects, search: Search, workspace_id: str
) -> Response:
    """The visitor's sessions, narrowed as the address says."""
    wanted = wanted_of(frame.request.query_params)
    places = places_of(frame)
    known = {one.client_id: one for one in await projects.list_projects(ctx)}
    rows, total, facets = await _found(ctx, reader, search, wanted, places)
    here = f"{frame.shell.base}/sessions"
    page = {"results": rows, "total": total, "limit": LIMIT, "offset": wanted.offset}
    response = frame.page(
        "recordings",
        page=page,
        wanted=wanted,
        here=here,
        facets=facet_views(wanted, facets, known),
        orders=_orders(wanted),
        narrowed=_narrowed(wanted, known),
        mark=await mark_of(ctx, reader),
        is_too_short=bool(wanted.text) and not wanted.is_search,
    )
    if "hx-request" in frame.request.headers:
        # typing changes the present entry of the history; following a facet or a page makes a new one
        name = "HX-Push-Url" if "hx-boosted" in frame.request.headers else "HX-Replace-Url"
        response.headers[name] = here + wanted.address()
    return response


async def _found(
    ctx: Context, reader: SessionReader, search: SearchService, wanted: Wanted, places: Places
) -> tuple[list[dict[str, Any]], int, Mapping[str, Sequence[tuple[str, int]]]]:
    if wanted.is_search:
        sort = SearchSort.RECENT if wanted.sort == "recent" else SearchSort.RELEVANCE
        request = SearchRequest(
            wanted.text, wanted.filters, sort=sort, limit=LIMIT, offset=wanted.offset, has_facets=True
        )
        answer = await search.search(ctx, request)
        return [row_of(places, hit.session, hit) for hit in answer.hits], answer.total, answer.facets
    order = ORDERS.get(wanted.sort, ORDERS["recent"])[1]
    descending = wanted.sort != "oldest"
    found = await reader.list_sessions(
        ctx, wanted.filters, order=order, descending=descending, limit=LIMIT, offset=wanted.offset
    )
    total, facets = await reader.count(ctx, wanted.filters), await reader.facets(ctx, wanted.filters)
    return [row_of(places, one) for one in found], total, facets


def row_of(places: Places, session: Session, hit: Hit | None = None) -> dict[str, Any]:
    """A session as lists show it, with where the words were found."""
    href = places.session(session)
    numbers = [one.order_number + 1 for one in hit.exchanges] if hit else []
    return {
        "session": session,
        "title": title_of(session),
        "href": f"{href}?from={numbers[0]}#e{numbers[0]}" if numbers and numbers[0] > 1 else href,
        "base": href,
        "project_href": places.project(session.project),
        "pieces": pieces_of(hit.snippet) if hit else [],
        "numbers": numbers[:8],
        "number_count": len(numbers),
        "opening": "" if hit and hit.snippet else opening_of(session),
    }


def opening_of(session: Session) -> str:
    """The beginning of the first prompt, unless the title says the same."""
    opening = one_line(session.opening or "", 160)
    title = title_of(session)
    return "" if opening[:30] == title[:30] else opening


def pieces_of(snippet: str) -> list[tuple[str, bool]]:
    """A snippet as texts and whether they matched."""
    pieces: list[tuple[str, bool]] = []
    for index, part in enumerate(snippet.split(MATCH_START)):
        matched, _, rest = part.partition(MATCH_END) if index else ("", "", part)
        pieces += [(matched, True), (rest, False)]
    return [(plain(text), is_match) for text, is_match in pieces if text]


def facet_views(
    wanted: Wanted, facets: Mapping[str, Sequence[tuple[str, int]]], projects: Mapping[str, Project]
) -> list[dict[str, Any]]:
    """Facets as lists of links; chosen values stay in sight even when nothing is left of them."""
    views: list[dict[str, Any]] = []
    for name, title, _ in FACETS:
        chosen = wanted.chosen.get(name, ())
        counted = dict(facets.get(name, ()))
        values = [
            *((value, counted.get(value, 0)) for value in chosen),
            *(
                (value, count)
                for value, count in counted.items()
                if value and value not in chosen and not value.startswith("<")
            ),
        ]
        links = [
            {
                "text": plain(projects[value].name if name == "project" and value in projects else value),
                "count": count,
                "href": wanted.toggled(name, value),
                "is_chosen": value in chosen,
                "id": f"f-{name}-{crc32(value.encode('utf-8', 'replace')):x}",
            }
            for value, count in values
        ]
        if len(links) > 1 or chosen:
            views.append({"title": title, "shown": links[:FACET_SHOWN], "rest": links[FACET_SHOWN:100]})
    return views


def _orders(wanted: Wanted) -> list[tuple[str, str, bool]]:
    """The orders that make sense, as value, text and whether it is the present one."""
    if wanted.is_search:
        return [("", "Best first", wanted.sort != "recent"), ("recent", "Newest first", wanted.sort == "recent")]
    return [
        ("" if key == "recent" else key, text, key == (wanted.sort or "recent")) for key, (text, _) in ORDERS.items()
    ]


def _narrowed(wanted: Wanted, projects: Mapping[str, Project]) -> dict[str, str]:
    """What narrows the list, in words."""
    told = {"text": wanted.text} if wanted.is_search else {}
    for name, title, _ in FACETS:
        values = wanted.chosen.get(name, ())
        if values:
            told[title.lower()] = " or ".join(
                plain(projects[one].name if name == "project" and one in projects else one) for one in values
            )
    return told


@router.get(PATH + "/pulse")
@requires("read:workspace", users_only=True)
async def feel_pulse(ctx: Ctx, request: Request, reader: Reader, workspace_id: str) -> Response:
    """304 until some session comes, goes or changes."""
    return pulse(request, await mark_of(ctx, reader))


async def mark_of(ctx: Context, reader: SessionReader) -> str:
    """A mark that changes with any session."""
    newest = await reader.list_sessions(ctx, order=SessionOrder.UPDATED, limit=1)
    moment = format_time(newest[0].updated_at) if newest else ""
    return f"{await reader.count(ctx)}-{moment}"
