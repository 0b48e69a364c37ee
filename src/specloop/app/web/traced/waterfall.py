"""The rows of a waterfall: depth, bar, kind, failures, in the order in which a reader goes through a trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from specloop.app.web.plots import Bar, lane
from specloop.record.traces import Span, SpanNode, TraceDetail

DEPTH_SHOWN_MAX: Final = 12
KINDS: Final = {
    "agent": "agent",
    "llm": "model call",
    "tool": "tool call",
    "retrieval": "retrieval",
    "other": "step",
}
"""The kinds of spans with their words; each has its own shape in the templates."""
_BY_OPERATION: Final = {
    "execute_tool": "tool",
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "embeddings": "retrieval",
    "retrieval": "retrieval",
    "rerank": "retrieval",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "agent",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One span in the waterfall. `inner` counts the spans below it."""

    span_id: str
    name: str
    kind: str
    depth: int
    inner: int
    is_error: bool
    duration_ms: float
    bar: Bar


def kind_of(span: Span) -> str:
    """What the span is in the words of the GenAI conventions: a key of `KINDS`."""
    genai = span.genai
    if genai.operation in _BY_OPERATION:
        return _BY_OPERATION[genai.operation]
    if genai.tool_name:
        return "tool"
    if genai.model:
        return "llm"
    return "agent" if genai.agent_name and genai.operation else "other"


def walk(nodes: Sequence[SpanNode]) -> Iterator[tuple[SpanNode, int]]:
    """Every node with its depth, parents before children, children by start time."""
    waiting = [(node, 0) for node in reversed(nodes)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in reversed(node.children)]


def lines_of(detail: TraceDetail) -> list[Line]:
    """The rows of the whole trace."""
    ordered = list(walk(detail.roots))
    inner = _inner_counts(ordered)
    start, end = detail.summary.start_ns, detail.summary.end_ns
    return [
        Line(
            span_id=node.span.span_id,
            name=node.span.name,
            kind=kind_of(node.span),
            depth=min(depth, DEPTH_SHOWN_MAX),
            inner=count,
            is_error=node.span.is_failed,
            duration_ms=(node.span.end_ns - node.span.start_ns) / 1e6,
            bar=lane(node.span.start_ns, node.span.end_ns, start, end),
        )
        for (node, depth), count in zip(ordered, inner, strict=True)
    ]


def _inner_counts(ordered: Sequence[tuple[SpanNode, int]]) -> list[int]:
    """How many spans follow each one at a greater depth, before one at its own or a lesser."""
    counts = [0] * len(ordered)
    open_rows: list[int] = []
    for place, (_, depth) in enumerate(ordered):
        while open_rows and ordered[open_rows[-1]][1] >= depth:
            row = open_rows.pop()
            counts[row] = place - row - 1
        open_rows.append(place)
    for row in open_rows:
        counts[row] = len(ordered) - row - 1
    return counts


def kinds_in(lines: Sequence[Line]) -> list[tuple[str, str, int]]:
    """(kind, word, how many) of the kinds that occur, in the order of `KINDS`."""
    counted = Counter(line.kind for line in lines)
    return [(kind, word, counted[kind]) for kind, word in KINDS.items() if counted[kind]]


def first_choice(detail: TraceDetail, wanted: str | None) -> Span | None:
    """The span of the address, else the deepest cause: the first failed one without a failed child, else the root."""
    nodes = [node for node, _ in walk(detail.roots)]
    named = next((node.span for node in nodes if node.span.span_id == wanted), None)
    if named is not None:
        return named
    failed = (
        node.span for node in nodes if node.span.is_failed and not any(child.span.is_failed for child in node.children)
    )
    return next(failed, nodes[0].span if nodes else None)
