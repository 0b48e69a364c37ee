"""Routers 15 and 19 over HTTP, the reading half: traces, their spans, figures. Translates only."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Response

from specloop.errors import ValidationFailed
from specloop.kit.json import dumps
from specloop.record.traces.model import TraceFilter, TraceStatus, all_spans
from specloop.record.traces.schema import (
    IntakeStatsBody,
    SpanBody,
    TraceBody,
    TraceDetailBody,
    TraceStatsBody,
    render_detail,
    render_intake,
    render_span,
    render_stats,
    render_trace,
)
from specloop.record.traces.schema_filters import SearchBody, SpanInstant
from specloop.record.traces.schema_opinions import render_annotation, render_feedback
from specloop.record.traces.service.opinions import TraceOpinions
from specloop.record.traces.service.reading import TraceReader
from specloop.transport.guard import requires
from specloop.transport.paging import CursorParams, PageBody, page_body
from specloop.transport.routing import Ctx, api_router, provided

router = api_router(tags=["Traces"])
Opinions = Annotated[TraceOpinions, Depends(provided(TraceOpinions))]
Traces = Annotated[TraceReader, Depends(provided(TraceReader))]
From = Annotated[SpanInstant | None, Query(alias="from", description="Inclusive")]
To = Annotated[SpanInstant | None, Query(alias="to", description="Exclusive")]
Word = Annotated[str | None, Query(min_length=1, max_length=200)]
BASE = "/api/v1/workspaces/{workspace_id}/traces"


def ordered_by(order: str) -> Any:
    """`sort` as a dependency, for a list that has one order only."""
    said = Query(max_length=200, description="The only order", json_schema_extra={"pattern": f"^({order})?$"})

    async def check(sort: str = "") -> None:
        if sort not in {"", order}:
            raise ValidationFailed.of(["query", "sort"], f"cannot sort by '{sort}'; allowed: {order}")

    check.__annotations__["sort"] = Annotated[str, said]
    return Depends(check)


def filter_parameters(
    start: From = None,
    end: To = None,
    status: TraceStatus | None = None,
    agent_id: Word = None,
    session_id: Word = None,
    tag: Word = None,
    min_latency: Annotated[float | None, Query(ge=0, le=1e9, description="Milliseconds")] = None,
    has_feedback: bool | None = None,
    score_below: Annotated[
        float | None, Query(alias="score<", allow_inf_nan=False, description="The lowest score is below")
    ] = None,
    q: Annotated[str | None, Query(max_length=400, description='Words that one span has; "phrases" literally')] = None,
) -> TraceFilter:
    """The filters of the trace list."""
    return TraceFilter(agent_id, status, start, end, tag, session_id, min_latency, q or None, has_feedback, score_below)


# Spans may be many and their attributes large, so pages and trees are written out once instead of being checked again.
@router.get(
    BASE,
    summary="List traces",
    responses={200: {"model": PageBody[TraceBody]}},
    dependencies=[ordered_by("-started_at")],
)
@requires("read:workspace")
async def list_traces(
    workspace_id: str,
    ctx: Ctx,
    traces: Traces,
    page: CursorParams,
    chosen: Annotated[TraceFilter, Depends(filter_parameters)],
) -> Response:
    """The newest first; `next_cursor` leads on."""
    return _json(page_body(await traces.list_traces(ctx, chosen, page), render_trace))


@router.get(BASE + "/stats", summary="Figures over a window", response_model=TraceStatsBody)
@requires("read:workspace")
async def show_stats(workspace_id: str, ctx: Ctx, traces: Traces, start: From = None, end: To = None) -> dict[str, Any]:
    """By default over the last 24 hours."""
    return render_stats(await traces.figures(ctx, start, end))


@router.post(BASE + "/search", summary="Search traces", responses={200: {"model": PageBody[TraceBody]}})
@requires("read:workspace")
async def search_traces(workspace_id: str, ctx: Ctx, traces: Traces, body: SearchBody) -> Response:
    """The newest first; all conditions of `filter` must hold."""
    return _json(page_body(await traces.list_traces(ctx, body.filter.to_model(), body.to_page()), render_trace))


@router.get(BASE + "/{trace_id}", summary="One trace with its span tree", responses={200: {"model": TraceDetailBody}})
@requires("read:workspace")
async def show_trace(workspace_id: str, trace_id: str, ctx: Ctx, traces: Traces, opinions: Opinions) -> Response:
    """Children are ordered by start time. Annotations are stored ones, then those that spans report."""
    detail = await traces.get_trace(ctx, trace_id)
    spans = all_spans(detail.roots)
    return _json(
        {
            **render_detail(detail),
            "feedback": [render_feedback(one) for one in await opinions.list_feedback(ctx, trace_id)],
            "annotations": [
                render_annotation(one) for one in await opinions.annotations_of(ctx, detail.summary.trace_id, spans)
            ],
        }
    )


@router.get(
    BASE + "/{trace_id}/spans",
    summary="The spans of a trace",
    responses={200: {"model": PageBody[SpanBody]}},
    dependencies=[ordered_by("started_at")],
)
@requires("read:workspace")
async def list_spans(workspace_id: str, trace_id: str, ctx: Ctx, traces: Traces, page: CursorParams) -> Response:
    """By start time."""
    return _json(page_body(await traces.list_spans(ctx, trace_id, page), render_span))


@router.get(
    "/otel/v1/traces/stats", summary="What arrived by OTLP", tags=["OpenTelemetry"], response_model=IntakeStatsBody
)
@requires("read:workspace", "write:traces", workspace_header=True)
async def show_intake(ctx: Ctx, traces: Traces) -> dict[str, Any]:
    """Over the last 24 hours."""
    return render_intake(await traces.intake_figures(ctx))


def _json(content: dict[str, Any]) -> Response:
    return Response(dumps(content), media_type="application/json")
