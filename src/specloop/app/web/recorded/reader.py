"""The reader: one recorded session as a conversation, in pieces that follow each other as one scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.web.frame import Frame, FrameHere, PartFrame, page_router
from specloop.app.web.recorded import conversation
from specloop.app.web.recorded.conversation import Chunk, Heading
from specloop.app.web.recorded.markup import to_html
from specloop.app.web.recorded.places import SESSION, Places, places_of, shows
from specloop.app.web.recorded.titles import title_of
from specloop.app.web.recorded.words import plain, whole
from specloop.app.web.session_traces import session_traces
from specloop.db.context import Context
from specloop.errors import NotFound
from specloop.record.projects import ProjectService
from specloop.record.sessions import DocumentCorrupt, DocumentKind, Exchange, Session, SessionReader
from specloop.record.sessions.service.uploads import off_loop
from specloop.record.sessions.transcript import Transcript
from specloop.record.traces import TraceReader
from specloop.transport.routing import Ctx, provided

router = page_router()
Reader = Annotated[SessionReader, Depends(provided(SessionReader))]
Traces = Annotated[TraceReader, Depends(provided(TraceReader))]
Projects = Annotated[ProjectService, Depends(provided(ProjectService))]
UNREAD_MAX = 400_000
FILES_MAX = 60
NO_TEXT = Markup("")


@dataclass(frozen=True, slots=True)
class Reading:
    """A session opened: its transcript with the outline, or what stands in for it."""

    session: Session
    transcript: Transcript | None
    headings: Sequence[Heading]
    chunk: Chunk | None
    problem: str = ""
    stand_in: Markup = NO_TEXT
    files: Sequence[conversation.TouchedFile] = ()


async def session_here(ctx: Ctx, reader: Reader, request: Request) -> Session:
    """The session that the path names.

    Raises: SessionNotFound.
    """
    return await reader.find(ctx, request.path_params["project"], request.path_params["session"])


SessionHere = Annotated[Session, Depends(session_here)]


def place_of(request: Request) -> conversation.Place:
    """The piece that `?from=` (an exchange, counted from 1) and `?skip=` name; nonsense means the first."""
    wanted = request.query_params
    return max(whole(wanted.get("from", ""), 1) - 1, 0), whole(wanted.get("skip", ""))


async def open_session(ctx: Context, reader: SessionReader, session: Session, start: conversation.Place) -> Reading:
    """Reads and cuts the session; a corrupt or unreadable document is told and not hidden."""
    try:
        parsed = await reader.transcript(ctx, session)
    except DocumentCorrupt as error:
        return Reading(session, None, (), None, error.detail)
    problem = plain(parsed.problem or "")
    if parsed.transcript is None or not parsed.transcript.exchanges:
        return await _unread(ctx, reader, session, problem)
    rows = await reader.exchanges(ctx, session.id)
    transcript = parsed.transcript
    return await off_loop(session.markdown_size, lambda: read(session, transcript, rows, start, problem))


def read(
    session: Session, transcript: Transcript, rows: Sequence[Exchange], start: conversation.Place, problem: str = ""
) -> Reading:
    """The piece at `start` of a transcript, with the outline of all of it."""
    headings = conversation.headings_of(transcript, rows)
    root = conversation.root_of(transcript)
    chunk = conversation.chunk_at(transcript, headings, start, session.agent_name or "Agent", root)
    files = conversation.touched_files(transcript, root)
    return Reading(session, transcript, headings, chunk, problem, NO_TEXT, files)


async def _unread(ctx: Context, reader: SessionReader, session: Session, problem: str) -> Reading:
    """A session that no parser understands is shown as the markdown that was sent."""
    body = await reader.document(ctx, session, DocumentKind.MARKDOWN) or b""
    text = body[:UNREAD_MAX].decode("utf-8", "replace")
    shown = await off_loop(len(body), lambda: to_html(text))
    return Reading(session, None, (), None, problem, shown)


@shows(router, SESSION)
async def show_session(
    ctx: Ctx, frame: FrameHere, reader: Reader, projects: Projects, session: SessionHere
) -> Response:
    """The whole page: what the session was, its outline, and the piece that the address names."""
    places = places_of(frame)
    reading = await open_session(ctx, reader, session, place_of(frame.request))
    return frame.page("recording", **values_of(frame, places, reading), is_owner=frame.shell.may("write:workspace"))


def values_of(frame: Frame, places: Places, reading: Reading) -> dict[str, Any]:
    """What the templates of the reader need, for its owner."""
    session = reading.session
    return {
        "session": session,
        "title": title_of(session),
        "here": places.session(session),
        "project_href": places.project(session.project),
        "reading": reading,
        "headings": reading.headings[: conversation.OUTLINE_MAX],
        "heading_count": len(reading.headings),
        "files": reading.files[:FILES_MAX],
        "file_count": len(reading.files),
        "chunk": reading.chunk,
        "is_live": True,
        "share_href": f"/share/{session.id}",  # the client's id may be the link of somebody who shared it before
        "origin": str(frame.request.base_url).rstrip("/"),
    }


@shows(router, SESSION + "/piece")
async def show_piece(ctx: Ctx, frame: PartFrame, reader: Reader, session: SessionHere) -> Response:
    """One piece alone, for the page that asks for more of itself; with `?live` the outline comes along."""
    places = places_of(frame)
    reading = await open_session(ctx, reader, session, place_of(frame.request))
    if reading.chunk is None:
        raise NotFound
    values = values_of(frame, places, reading)
    is_fresh = "live" in frame.request.query_params
    return frame.part("piece", **values, is_fresh=is_fresh, is_owner=frame.shell.may("write:workspace"))


@shows(router, SESSION + "/items/{place}")
async def show_item(ctx: Ctx, frame: PartFrame, reader: Reader, session: SessionHere, place: str) -> Response:
    """One text or call in full: a part for the page that opens it, else a page of its own."""
    parsed = await reader.transcript(ctx, session)
    places = places_of(frame)
    view = await full_item(session, parsed.transcript, place)
    if "hx-request" in frame.request.headers:
        return frame.part("item_body", item=view)
    return frame.page("recording_item", **values_of(frame, places, read_nothing(session)), item=view)


async def full_item(session: Session, transcript: Transcript | None, place: str) -> conversation.ItemView:
    """The item in full.

    Raises: NotFound.
    """
    item = None if transcript is None else conversation.find_item(transcript, place)
    if item is None or transcript is None:
        raise NotFound("That part of the session is not there (any more)")
    root, agent = conversation.root_of(transcript), session.agent_name or "Agent"
    return await off_loop(session.markdown_size, lambda: conversation.view_of(item, place, root, agent, is_full=True))


def read_nothing(session: Session) -> Reading:
    """A reading without content, for pages about a part of the session."""
    return Reading(session, None, (), None)


@shows(router, SESSION + "/traces")
async def show_traces(ctx: Ctx, frame: PartFrame, traces: Traces, session: SessionHere) -> Response:
    """The traces that name the session: a part for its page, else the list of traces narrowed to it."""
    if "hx-request" not in frame.request.headers:
        return frame.go(f"/app/w/{ctx.workspace_id}/traces?{urlencode({'session_id': session.client_id})}")
    found = await session_traces(ctx, traces, session)
    return frame.part("recording_traces", **found, traces_href=f"/app/w/{ctx.workspace_id}/traces")


@shows(router, SESSION + "/pulse")
async def feel_pulse(ctx: Ctx, session: SessionHere, request: Request) -> Response:
    """304 until the session changes: what an open page asks every few seconds."""
    return pulse(request, session.etag)


def pulse(request: Request, mark: str) -> Response:
    """204 with the mark of a state, or 304 when the page has that state."""
    tag = f'"{mark}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    return Response(status_code=304 if request.headers.get("if-none-match") == tag else 204, headers=headers)
