"""One trace: a waterfall beside the chosen span, what was said about it, and the acts on it.

A click on a span asks for the same address again; only the part that changes is sent then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.responses import Response

from specloop.app.web.frame import Frame, FrameHere, Posted, page_router, parsed, refused
from specloop.app.web.shell import Form
from specloop.app.web.traced.opinions_view import OpinionLine, lines_of, own_thumb
from specloop.app.web.traced.span_view import TABS, SpanView, span_view
from specloop.app.web.traced.waterfall import first_choice, kinds_in
from specloop.app.web.traced.waterfall import lines_of as waterfall_of
from specloop.app.web.traces import PREFIX, Glance, row_of
from specloop.app.web.workspaces import check_typed
from specloop.db.context import Context
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.errors import SpecloopError
from specloop.identity.workspaces.service import members
from specloop.kit import json
from specloop.record.sessions import Session, SessionReader
from specloop.record.traces import Span, TraceDetail, TraceReader
from specloop.record.traces.model import all_spans
from specloop.record.traces.opinions import Feedback, FeedbackKind
from specloop.record.traces.schema import render_detail
from specloop.record.traces.schema_opinions import AnnotationBody, FeedbackBody, render_annotation, render_feedback
from specloop.record.traces.service.glance import TraceGlance
from specloop.record.traces.service.opinions import TraceOpinions, TraceRemoval
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
ONE: Final = PREFIX + "/{trace_id}"
Opinions = Annotated[TraceOpinions, Depends(provided(TraceOpinions))]
Reader = Annotated[TraceReader, Depends(provided(TraceReader))]
Removal = Annotated[TraceRemoval, Depends(provided(TraceRemoval))]
Recorded = Annotated[SessionReader, Depends(provided(SessionReader))]
SPAN_PART: Final = "span"
ANNOTATIONS_SHOWN: Final = 200


@router.get(ONE)
@requires("read:workspace")
async def show_trace(
    ctx: Ctx, frame: FrameHere, glance: Glance, opinions: Opinions, recorded: Recorded, workspace_id: str, trace_id: str
) -> Response:
    """`?span=` chooses the span and `?tab=` what is shown of it; without, the first failure, else the root."""
    if frame.request.headers.get("hx-target") == SPAN_PART:
        return frame.part("span", **await _chosen(ctx, frame, glance, await glance.outline(ctx, trace_id)))
    return await _page(ctx, frame, glance, opinions, recorded, trace_id, Form())


@router.get(ONE + "/export.json")
@requires("read:workspace")
async def export_trace(ctx: Ctx, traces: Reader, opinions: Opinions, workspace_id: str, trace_id: str) -> Response:
    """Everything about the trace as a JSON file, in the words of the API."""
    detail = await traces.get_trace(ctx, trace_id)
    found = detail.summary.trace_id
    said = await opinions.annotations_of(ctx, found, all_spans(detail.roots))
    body: dict[str, Any] = {
        **render_detail(detail),
        "feedback": [render_feedback(one) for one in await opinions.list_feedback(ctx, found)],
        "annotations": [render_annotation(one) for one in said],
    }
    headers = {"Content-Disposition": f'attachment; filename="trace-{found}.json"', "Cache-Control": "no-store"}
    return Response(json.dumps(body), media_type="application/json", headers=headers)


@router.post(ONE + "/feedback")
@requires("write:workspace")
async def give_feedback(
    ctx: Ctx,
    frame: FrameHere,
    glance: Glance,
    opinions: Opinions,
    recorded: Recorded,
    workspace_id: str,
    trace_id: str,
    posted: Posted,
) -> Response:
    """A thumb, a score, a label, a comment or a correction by the visitor; one of each kind stands."""
    here = _here(frame, trace_id, posted)
    try:
        kind = posted.get("kind", "")
        body = {"kind": kind, "value": _value(kind, posted), "span_id": posted.get("span_id") or None}
        await opinions.give_feedback(ctx, trace_id, parsed(FeedbackBody, body).to_model())
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _page(ctx, frame, glance, opinions, recorded, trace_id, _told(form, error), status=error.status)
    return frame.go(f"{here}#said", "Thank you: your feedback is kept with the trace.")


@router.post(ONE + "/feedback/withdraw")
@requires("write:workspace")
async def withdraw_feedback(
    ctx: Ctx, frame: FrameHere, opinions: Opinions, workspace_id: str, trace_id: str, posted: Posted
) -> Response:
    """Takes back what the visitor said of one kind about the span, or without one about the whole trace."""
    kind = next((one for one in FeedbackKind if one.value == posted.get("kind")), FeedbackKind.THUMBS)
    said_by, span_id = ctx.principal.user_id or "", posted.get("span_id", "").lower()
    await opinions.withdraw_feedback(ctx, trace_id, user_ref=said_by, kind=kind, name="", span_id=span_id)
    return frame.go(f"{_here(frame, trace_id, posted)}#said", "Taken back.")


@router.post(ONE + "/annotations")
@requires("write:workspace")
async def annotate(
    ctx: Ctx,
    frame: FrameHere,
    glance: Glance,
    opinions: Opinions,
    recorded: Recorded,
    workspace_id: str,
    trace_id: str,
    posted: Posted,
) -> Response:
    """A judgement by the visitor."""
    names = ("name", "score", "label", "explanation", "span_id")
    try:
        body = {name: posted[name].strip() for name in names if posted.get(name, "").strip()}
        await opinions.annotate(ctx, trace_id, parsed(AnnotationBody, body).to_model())
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _page(ctx, frame, glance, opinions, recorded, trace_id, _told(form, error), status=error.status)
    return frame.go(f"{_here(frame, trace_id, posted)}#said", "The annotation is kept with the trace.")


@router.post(ONE + "/delete")
@requires("admin:workspace")
async def delete_trace(
    ctx: Ctx, frame: FrameHere, removal: Removal, workspace_id: str, trace_id: str, posted: Posted
) -> Response:
    """For good, once the end of its id was typed."""
    base = f"{frame.shell.base}/traces"
    try:
        check_typed(posted, trace_id[-8:])
        await removal.delete(ctx, trace_id)
    except SpecloopError as error:
        await refused(ctx, error, posted)
        return frame.go(f"{base}/{trace_id}", error.detail, is_bad=True)
    return frame.go(base, "The trace is deleted, with all that was said about it.")


async def _page(
    ctx: Context,
    frame: Frame,
    glance: TraceGlance,
    opinions: TraceOpinions,
    recorded: SessionReader,
    trace_id: str,
    form: Form,
    status: int = 200,
) -> Response:
    detail = await glance.outline(ctx, trace_id)
    lines = waterfall_of(detail)
    chosen = await _chosen(ctx, frame, glance, detail)
    feedback = await opinions.list_feedback(ctx, detail.summary.trace_id)
    view: SpanView | None = chosen["chosen"]
    return frame.page(
        "trace",
        status=status,
        **chosen,
        rows=lines,
        kinds=kinds_in(lines),
        failed=[line.span_id for line in lines if line.is_error],
        is_cut=detail.is_truncated,
        said=await _said(ctx, opinions, detail, feedback, chosen["span"]),
        own_thumb=own_thumb(feedback, ctx.principal.user_id or ""),
        sessions=await _sessions(ctx, frame, recorded, detail.summary.session_ids),
        form=form,
        is_annotating="annotate" in frame.request.query_params or "name" in form.values,
        about=form.values.get("span_id", view.span_id if view and status != 200 else ""),
    )


async def _chosen(ctx: Context, frame: Frame, glance: TraceGlance, detail: TraceDetail) -> dict[str, Any]:
    """The chosen span for the templates, the tab of it, and its trace."""
    wanted = frame.request.query_params.get("span", "").lower()
    tab = frame.request.query_params.get("tab", "")
    line = first_choice(detail, wanted)
    span = None if line is None else await glance.span(ctx, detail.summary.trace_id, line.span_id)
    return {
        "trace": row_of(detail.summary),
        "span": span,
        "chosen": None if span is None else await _view(span, detail.summary.start_ns),
        "tab": tab if tab in TABS else TABS[0],
    }


async def _view(span: Span, start_ns: int) -> SpanView:
    # a span may carry megabytes of text, and the loop serves everybody
    return await asyncio.to_thread(span_view, span, start_ns)


async def _said(
    ctx: Context, opinions: TraceOpinions, detail: TraceDetail, feedback: Sequence[Feedback], span: Span | None
) -> list[OpinionLine]:
    """Everything stored, and what the chosen span itself reports."""
    annotations = await opinions.annotations_of(ctx, detail.summary.trace_id, [] if span is None else [span])
    names: Mapping[str, str] = {}
    if feedback or annotations:
        people = await members.list_people(ctx, None, PageRequest(limit=LIMIT_MAX))
        names = {one.member.user_id: one.name or one.email for one in people.results}
    return lines_of(feedback, annotations[-ANNOTATIONS_SHOWN:], names)


async def _sessions(
    ctx: Context, frame: Frame, recorded: SessionReader, session_ids: Sequence[str]
) -> list[dict[str, str]]:
    """The trace's sessions: recorded ones with their page, others with the traces that share their id."""
    found: dict[str, Session] = {}
    for session in await recorded.named(ctx, list(session_ids)):
        found.setdefault(session.client_id, session)
        found.setdefault(session.id, session)
    return [_session(frame, session_id, found.get(session_id)) for session_id in session_ids[:5]]


def _session(frame: Frame, session_id: str, recorded: Session | None) -> dict[str, str]:
    base = frame.shell.base
    page = f"{base}/projects/{recorded.project.id}/sessions/{recorded.id}" if recorded else ""
    return {"id": session_id, "title": recorded.display_title[:120] if recorded else "", "page": page}


def _value(kind: str, posted: Mapping[str, str]) -> Any:
    text = posted.get("value", "").strip()
    if kind != FeedbackKind.SCORE.value:
        return text
    try:
        return float(text)
    except ValueError:
        return text  # the rule of the kind says what is wrong


def _told(form: Form, error: SpecloopError) -> Form:
    """The form again: what is wrong stands above it, since its fields are small."""
    first = next(iter(form.problems.values()), "") or form.problem or error.detail
    return Form(form.values, {}, first)


def _here(frame: Frame, trace_id: str, posted: Mapping[str, str]) -> str:
    """The page with the span that the visitor looked at."""
    looked_at = posted.get("looked_at", "")
    is_span = len(looked_at) == 16 and all(letter in "0123456789abcdef" for letter in looked_at)
    return f"{frame.shell.base}/traces/{trace_id}" + (f"?span={looked_at}" if is_span else "")
