"""A trace's summary from its spans: the same figures as a list of traces shows, without asking the store again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from specloop.record.traces.model import Span, TraceStatus, TraceSummary, Usage, UsageGroup
from specloop.record.traces.pricing import is_model_call, usage_of


def summary_of(spans: Sequence[Span]) -> TraceSummary:
    """The summary of the trace whose spans, all of them and as they are stored, these are; at least one."""
    root = min(spans, key=lambda span: (span.parent_span_id is not None, span.start_ns))
    failures = sum(span.is_failed for span in spans)
    scores = [span.score_min for span in spans if span.score_min is not None]
    return TraceSummary(
        trace_id=root.trace_id,
        name=root.name,
        root_span_id=root.span_id,
        status=TraceStatus.ERROR if failures else TraceStatus.OK,
        start_ns=min(span.start_ns for span in spans),
        end_ns=max(span.end_ns for span in spans),
        span_count=len(spans),
        error_count=failures,
        usage=usage_of(_counted(spans)),
        service_names=_names(span.service_name for span in spans),
        agent_ids=_names(span.genai.agent_id for span in spans),
        agent_names=_names(span.genai.agent_name for span in spans),
        models=_names(span.genai.model for span in spans),
        session_ids=_names(span.genai.session_id for span in spans),
        user_ids=_names(span.genai.user_id for span in spans),
        tags=_names(tag for span in spans for tag in span.tags),
        score_min=min(scores, default=None),
    )


def _counted(spans: Sequence[Span]) -> list[UsageGroup]:
    """The spans whose tokens are their own, each a group: one that repeats what a child tells gives way to it."""
    used = [span for span in spans if _tells(span.usage)]
    repeated = {span.parent_span_id for span in used}
    return [_group(span) for span in used if span.span_id not in repeated]


def _tells(usage: Usage) -> bool:
    return any(value is not None for value in (usage.input_tokens, usage.output_tokens, usage.cost_usd))


def _group(span: Span) -> UsageGroup:
    is_told = span.usage.cost_usd is not None
    return UsageGroup(
        key=span.trace_id,
        is_call=is_model_call(span.genai.operation),
        provider=span.genai.provider,
        model=span.genai.model,
        tier_tokens=span.usage.input_tokens or 0,
        last_ns=span.start_ns,
        calls=1,
        tokens=span.usage,
        untold=Usage() if is_told else span.usage,
        untold_calls=int(not is_told),
        told=span.usage.cost_usd,
    )


def _names(values: Iterable[str]) -> list[str]:
    return sorted({value for value in values if value})
