"""Pages of traces: the list, and one trace as a waterfall beside its chosen span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from specloop.app.web import diff
from specloop.app.web.choices import agent_choices
from specloop.app.web.conversation import ATTRIBUTES, messages_of
from specloop.app.web.frame import FrameHere, page_router
from specloop.app.web.plots import lane
from specloop.record.traces import Span, SpanNode, TraceDetail, TraceFilter, TraceReader, TraceStatus, TraceSummary
from specloop.record.traces.model import SPAN_KINDS, SPAN_STATUSES
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
PREFIX = "/app/w/{workspace_id}/traces"
Traces = Annotated[TraceReader, Depends(provided(TraceReader))]
ROWS_MAX = 500


@router.get(PREFIX)
@requires("read:workspace")
async def show_traces(ctx: Ctx, frame: FrameHere, traces: Traces, workspace_id: str) -> Response:
    """The newest traces first."""
    query = frame.query("q", "status", "agent_id")
    status = TraceStatus(query["status"]) if query.get("status") in set(TraceStatus) else None
    wanted = TraceFilter(agent_id=query.get("agent_id"), status=status, text=query.get("q"))
    found = await traces.list_traces(ctx, wanted, frame.page_request())
    choices = await agent_choices(ctx)
    named = {**query, "agent_id": dict(choices).get(query.get("agent_id", ""), "")}
    words = {"q": "text", "status": "state", "agent_id": "agent"}
    page = {
        "results": [row_of(one) for one in found.results],
        "total": found.total,
        "limit": found.limit,
        "offset": found.offset,
    }
    return frame.page(
        "traces",
        traces=page,
        query=query,
        agents=choices,
        shown_filters={words[name]: named[name] or value for name, value in query.items()},
        origin=f"{frame.request.url.scheme}://{frame.request.url.netloc}",
    )


def row_of(trace: TraceSummary) -> dict[str, Any]:
    """A trace as the list shows it."""
    used = trace.usage
    tokens = None if used.input_tokens is None and used.output_tokens is None else 0
    return {
        "trace_id": trace.trace_id,
        "name": trace.name,
        "service_name": ", ".join(trace.service_names),
        "status": trace.status.value,
        "duration_ms": (trace.end_ns - trace.start_ns) / 1e6,
        "span_count": trace.span_count,
        "tokens": None if tokens is None else (used.input_tokens or 0) + (used.output_tokens or 0),
        "started_at": datetime.fromtimestamp(trace.start_ns / 1e9, UTC),
    }


@router.get(PREFIX + "/{trace_id}")
@requires("read:workspace")
async def show_trace(ctx: Ctx, frame: FrameHere, traces: Traces, workspace_id: str, trace_id: str) -> Response:
    """The waterfall, with the span of `?span=`, else the first that failed, else the root."""
    detail = await traces.get_trace(ctx, trace_id)
    ordered = list(walk(detail.roots))
    wanted = frame.request.query_params.get("span")
    spans = [span for span, _ in ordered]
    failed = next((span for span in spans if span.status_code == 2), None)
    chosen = next((span for span in spans if span.span_id == wanted), failed or (spans[0] if spans else None))
    summary = detail.summary
    return frame.page(
        "trace",
        trace=row_of(summary),
        rows=_rows(detail, ordered),
        error_count=summary.error_count,
        is_cut=detail.is_truncated or len(ordered) > ROWS_MAX,
        chosen=None if chosen is None else span_detail(chosen, summary.start_ns),
    )


def walk(nodes: Sequence[SpanNode], depth: int = 0) -> Iterator[tuple[Span, int]]:
    """The spans in the order of the waterfall, each with its depth."""
    waiting = [(node, depth) for node in reversed(nodes)]
    while waiting:
        node, level = waiting.pop()
        yield node.span, level
        waiting += [(child, level + 1) for child in reversed(node.children)]


def _rows(detail: TraceDetail, ordered: Sequence[tuple[Span, int]]) -> list[dict[str, Any]]:
    start, end = detail.summary.start_ns, detail.summary.end_ns
    return [
        {
            "span_id": span.span_id,
            "name": span.name,
            "kind": kind_of(span),
            "depth": depth,
            "is_error": span.status_code == 2,
            "duration_ms": (span.end_ns - span.start_ns) / 1e6,
            "bar": lane(span.start_ns, span.end_ns, start, end),
        }
        for span, depth in ordered[:ROWS_MAX]
    ]


def kind_of(span: Span) -> str:
    """What the span is in the words of the GenAI conventions: a tool call, a model call, an agent, or anything else."""
    if span.genai.tool_name or span.genai.operation == "execute_tool":
        return "tool"
    if span.genai.model or span.genai.operation in {"chat", "text_completion", "generate_content", "embeddings"}:
        return "llm"
    return "agent" if span.genai.operation else "other"


def span_detail(span: Span, trace_start_ns: int) -> dict[str, Any]:
    """The right side of the page."""
    used = span.usage
    tokens = (used.input_tokens or 0) + (used.output_tokens or 0)
    words = {"tool": "tool call", "llm": "model call", "agent": "agent"}
    shown = {name for name, _ in ATTRIBUTES}
    status = SPAN_STATUSES[span.status_code] if 0 <= span.status_code < len(SPAN_STATUSES) else "unset"
    plain = SPAN_KINDS[span.kind] if 0 <= span.kind < len(SPAN_KINDS) else "internal"
    return {
        "span_id": span.span_id,
        "name": span.name,
        "status": status,
        "status_message": span.status_message,
        "duration_ms": (span.end_ns - span.start_ns) / 1e6,
        "offset_ms": (span.start_ns - trace_start_ns) / 1e6,
        "kind_word": words.get(kind_of(span), plain),
        "model": span.genai.model,
        "tokens": tokens,
        "messages": messages_of(span.attributes),
        "events": [{"name": event.name, "text": _event_text(event.attributes)} for event in span.events],
        "attributes": {
            name: diff.as_text(value)[:2000] for name, value in span.attributes.items() if name not in shown
        },
    }


def _event_text(attributes: Mapping[str, Any]) -> str:
    kind, message = attributes.get("exception.type"), attributes.get("exception.message")
    if kind or message:
        return ": ".join(str(part) for part in (kind, message) if part)
    return "\n".join(f"{name} = {diff.as_text(value)[:500]}" for name, value in attributes.items())
