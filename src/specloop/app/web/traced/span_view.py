"""One span for the right side of the trace page: what went in and out, what it cost, everything that was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from specloop.app.web import diff
from specloop.app.web.traced.talk import Said, talk_of
from specloop.app.web.traced.waterfall import KINDS, kind_of
from specloop.kit import json
from specloop.record.traces import Span
from specloop.record.traces.conversation import messages_of
from specloop.record.traces.model import SPAN_KINDS, SPAN_STATUSES, Event
from specloop.record.traces.schema import render_span

VALUE_MAX: Final = 4_000
TABS: Final = ("talk", "attributes", "events", "json")


@dataclass(frozen=True, slots=True)
class Fact:
    """A name with its value; `title` is the exact value where the text rounds, `is_code` a value to be copied."""

    name: str
    text: str
    title: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Attributes of one origin."""

    name: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event inside the span."""

    name: str
    offset_ms: float
    is_bad: bool
    headline: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Joined:
    """A link to another span."""

    trace_id: str
    span_id: str
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SpanView:
    """The chosen span."""

    span_id: str
    trace_id: str
    parent_id: str
    name: str
    kind: str
    kind_word: str
    status: str
    status_message: str
    duration_ms: float
    offset_ms: float
    said: Sequence[Said]
    facts: Sequence[Fact]
    usage: Mapping[str, Any]
    groups: Sequence[Group]
    events: Sequence[Happened]
    links: Sequence[Joined]
    json_text: str

    @property
    def attribute_count(self) -> int:
        """All attributes of all origins."""
        return sum(len(group.rows) for group in self.groups)


def span_view(span: Span, trace_start_ns: int) -> SpanView:
    """Everything the page says about `span`."""
    status = SPAN_STATUSES[span.status_code] if 0 <= span.status_code < len(SPAN_STATUSES) else "unset"
    kind = kind_of(span)
    return SpanView(
        span_id=span.span_id,
        trace_id=span.trace_id,
        parent_id=span.parent_span_id or "",
        name=span.name,
        kind=kind,
        kind_word=KINDS[kind],
        status=status,
        status_message=span.status_message,
        duration_ms=(span.end_ns - span.start_ns) / 1e6,
        offset_ms=(span.start_ns - trace_start_ns) / 1e6,
        said=talk_of(messages_of(span)),
        facts=_facts(span),
        usage=_usage(span),
        groups=_groups(span),
        events=[_happened(event, span) for event in span.events],
        links=[Joined(link.trace_id, link.span_id, _rows(link.attributes)) for link in span.links],
        json_text=diff.as_text(json.loads(json.dumps(render_span(span)))),
    )


def _facts(span: Span) -> list[Fact]:
    genai = span.genai
    plain = SPAN_KINDS[span.kind] if 0 <= span.kind < len(SPAN_KINDS) else "internal"
    asked = genai.request_model if genai.request_model != genai.model else ""
    told = (
        ("Operation", genai.operation),
        ("Model", genai.model),
        ("Asked for", asked),
        ("Provider", genai.provider),
        ("Agent", genai.agent_name or genai.agent_id),
        ("Tool", genai.tool_name),
        ("Call", genai.tool_call_id),
        ("Error", genai.error_type),
        ("User", genai.user_id),
        ("Service", span.service_name),
        ("Made by", " ".join(part for part in (span.scope.name, span.scope.version) if part)),
        ("Span kind", "" if plain in {"unspecified", "internal"} else plain),
    )
    return [
        Fact(name, text[:400], is_code=name in {"Model", "Asked for", "Call", "Error"}) for name, text in told if text
    ]


def _usage(span: Span) -> dict[str, Any]:
    used = span.usage
    if used.input_tokens is None and used.output_tokens is None and used.cost_usd is None:
        return {}
    return {
        "input": used.input_tokens,
        "output": used.output_tokens,
        "cache_read": used.cache_read_tokens,
        "cache_write": used.cache_write_tokens,
        "reasoning": used.reasoning_tokens,
        "cost_micro": None if used.cost_usd is None else round(used.cost_usd * 1_000_000),
        "is_unpriced": used.cost_usd is None and bool(used.calls_unpriced),
    }


def _groups(span: Span) -> list[Group]:
    groups = (
        Group("Span", _rows(span.attributes)),
        Group("Resource", _rows(span.resource_attributes)),
        Group("Scope", _rows(span.scope.attributes)),
    )
    return [group for group in groups if group.rows]


def _rows(attributes: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, _shown(value)) for name, value in sorted(attributes.items())]


def _shown(value: Any) -> str:
    text = diff.as_text(value)
    return text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}… ({len(text)} characters)"


def _happened(event: Event, span: Span) -> Happened:
    kind, message = event.attributes.get("exception.type"), event.attributes.get("exception.message")
    headline = ": ".join(str(part)[:400] for part in (kind, message) if part)
    rest = {name: value for name, value in event.attributes.items() if not headline or name not in _IN_HEADLINE}
    return Happened(event.name, (event.time_ns - span.start_ns) / 1e6, event.name == "exception", headline, _rows(rest))


_IN_HEADLINE: Final = frozenset({"exception.type", "exception.message"})
