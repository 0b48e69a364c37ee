"""Sample pages of traces and analytics, drawn from sample spans by the pages' own functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from specloop.app.web import figures
from specloop.app.web.analysed.call_sheets import call_sheets
from specloop.app.web.analysed.columns import columns_of
from specloop.app.web.analysed.period import Period
from specloop.app.web.analysed.recorded_sheets import days_sheet, group_sheet, tools_sheet
from specloop.app.web.traced.filters import LATENCIES, PERIODS, read
from specloop.app.web.traced.opinions_view import lines_of as opinion_lines
from specloop.app.web.traced.span_view import span_view
from specloop.app.web.traced.waterfall import kinds_in, lines_of
from specloop.app.web.traces import row_of
from specloop.kit import json
from specloop.record.sessions import DayActivity, ToolUse, UsageSum
from specloop.record.traces import Span, TraceDetail, TraceStatus, TraceSummary
from specloop.record.traces.model import Event, GenAI, Link, Scope, Usage, build_tree
from specloop.record.traces.opinions import Annotation, Annotator, Feedback, FeedbackKind, Judgement, Opinion
from specloop.record.traces.trends import CallFigures, DayFigures, Trends
from tests.browser import samples as s
from tests.browser.samples import name_of

Values = dict[str, Any]
START = int(s.ago(minutes=4).timestamp()) * 1_000_000_000
MS = 1_000_000
USED = Usage(4_310, 511, Decimal("0.008317"), 1_024, None, 96)
MESSAGES: list[Values] = [
    {"role": "system", "parts": [{"type": "text", "content": "You help people with orders."}]},
    {"role": "user", "parts": [{"type": "text", "content": "My order 4711 never arrived."}]},
]
ANSWER: list[Values] = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "I should look the order up first."},
            {"type": "text", "content": "I am sorry to hear that, let me look."},
            {"type": "tool_call", "id": "call_1", "name": "search_orders", "arguments": {"order_id": 4711}},
        ],
    }
]


def span(number: int, parent: int | None, name: str, start_ms: int, took_ms: int, **more: Any) -> Span:
    """A sample span; ids are made from small numbers."""
    values: Values = {
        "trace_id": s.TRACE,
        "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}",
        "name": name,
        "kind": 1,
        "service_name": "checkout",
        "start_ns": START + start_ms * MS,
        "end_ns": START + (start_ms + took_ms) * MS,
        "status_code": 0,
        "status_message": "",
        "trace_state": "",
        "flags": 0,
        "scope": Scope("checkout", "1.0", {}),
        "attributes": {"server.address": "shop.example"},
        "resource_attributes": {"service.name": "checkout"},
        "events": (),
        "links": (),
        "dropped": (0, 0, 0),
        "genai": GenAI(),
        "usage": Usage(),
        "tags": (),
    }
    return Span(**{**values, **more})


def spans(variant: str) -> list[Span]:
    """A trace with every kind of span; the empty one has a single, silent step."""
    if variant == "empty":
        return [span(1, None, "", 0, 1840)]
    hostile = {s.HOSTILE: s.HOSTILE, "__proto__": s.HOSTILE} if variant == "hostile" else {}
    said = [*MESSAGES, *({"role": s.HOSTILE, "content": s.HOSTILE} for _ in hostile)]
    chat = {
        "gen_ai.input.messages": json.dumps(said).decode(),
        "gen_ai.output.messages": json.dumps(ANSWER).decode(),
        **hostile,
    }
    failure = {
        "exception.type": "TimeoutError",
        "exception.message": "no answer",
        "exception.stacktrace": "Traceback …",
    }
    return [
        span(
            1, None, name_of(variant, "invoke_agent router"), 0, 1840, genai=GenAI("invoke_agent", agent_name="router")
        ),
        span(
            2,
            1,
            name_of(variant, "chat gpt-4.1"),
            20,
            700,
            status_code=2,
            status_message=name_of(variant, "timeout after 30 s"),
            genai=GenAI("chat", "openai", name_of(variant, "gpt-4.1"), error_type="TimeoutError"),
            usage=USED,
            attributes=chat,
            events=(Event(START + 690 * MS, "exception", failure), Event(START + 5 * MS, "sent", hostile or {"n": 1})),
            links=(Link("ab" * 16, "cd" * 8, "", {"why": name_of(variant, "retry of")}),),
        ),
        span(3, 1, "execute_tool search_orders", 730, 400, genai=GenAI("execute_tool", tool_name="search_orders")),
        *(span(n, 3, f"GET /orders/{n}", 740 + n * 10, 30) for n in range(4, 7)),
        span(20, 1, "embeddings", 1200, 300, genai=GenAI("embeddings")),
    ]


def summary(variant: str = "full", **changes: Any) -> TraceSummary:
    """The summary of the sample trace."""
    names = [name_of(variant, "router")] if variant != "empty" else []
    made = TraceSummary(
        trace_id=s.TRACE,
        name=name_of(variant, "invoke_agent router") if variant != "empty" else "",
        root_span_id=f"{1:016x}",
        status=TraceStatus.OK if variant == "empty" else TraceStatus.ERROR,
        start_ns=START,
        end_ns=START + 1840 * MS,
        span_count=1 if variant == "empty" else 7,
        error_count=0 if variant == "empty" else 1,
        usage=Usage() if variant == "empty" else replace(USED, calls_unpriced=2),
        service_names=names,
        agent_ids=names,
        agent_names=names,
        models=["gpt-4.1"] if names else [],
        session_ids=names,
        user_ids=names if variant == "hostile" else [],
        tags=[*names, "vip"] if names else [],
    )
    return replace(made, **changes)


def traces(variant: str) -> Values:
    """The list: with filters, without anything, with hostile names."""
    given = {"status": "error", "period": "7d", "tag": name_of(variant, "beta")} if variant != "empty" else {}
    asked = read(given, datetime.now(UTC), {})
    rows = [row_of(summary(variant)), row_of(summary(variant, name="refund", usage=Usage(), error_count=0))] * 6
    return {
        "traces": rows if variant != "empty" else [],
        "total": 1204 if variant != "empty" else 0,
        "next_cursor": "bmV4dA==" if variant != "empty" else None,
        "cursor": "",
        "mark": "20261122",
        "longest_ms": 1840.0,
        "query": dict(asked.query),
        "shown": asked.shown,
        "agents": [(s.AGENT, "BFCL tool router")] if variant != "empty" else [],
        "periods": [(name, words) for name, (words, _) in PERIODS.items()],
        "latencies": LATENCIES,
        "origin": "http://127.0.0.1:8000",
    }


def trace(tab: str) -> Callable[[str], Values]:
    """One trace with a span on one of its tabs."""

    def values(variant: str) -> Values:
        found = spans(variant)
        detail = TraceDetail(summary(variant), build_tree(found), is_truncated=variant == "hostile")
        rows = lines_of(detail)
        chosen = found[min(1, len(found) - 1)]
        return {
            "trace": row_of(detail.summary),
            "span": chosen,
            "chosen": span_view(chosen, START),
            "tab": tab,
            "rows": rows,
            "kinds": kinds_in(rows),
            "failed": [row.span_id for row in rows if row.is_error],
            "is_cut": detail.is_truncated,
            "said": opinions(variant),
            "own_thumb": "up" if variant == "full" else "",
            "sessions": [{"id": name_of(variant, "conv-1"), "title": "Lost parcel", "page": "#"}]
            if variant != "empty"
            else [],
            "form": s.EMPTY_FORM,
            "is_annotating": variant == "hostile",
            "about": "",
        }

    return values


def opinions(variant: str) -> Any:
    """Feedback and annotations of every kind."""
    if variant == "empty":
        return []
    at, words = s.ago(minutes=1), name_of(variant, "The refund was promised, not booked.")
    given = [
        (FeedbackKind.THUMBS, "down", 0.0),
        (FeedbackKind.COMMENT, words, None),
    ]
    feedback = [Feedback("", s.TRACE, Opinion(kind, value), score, at, at, "") for kind, value, score in given]
    judged = Judgement("correctness", Annotator.MODEL, 0.9, "right", words, f"{2:016x}")
    return opinion_lines(feedback, [Annotation("", s.TRACE, judged, at, "")], {})


PERIOD = Period(date(2026, 10, 24), date(2026, 11, 22), 30)


def analytics(variant: str) -> Values:
    """Figures over time; the empty one has nothing in it."""
    full = variant != "empty"
    return {
        "period": PERIOD,
        "lengths": (7, 30, 90),
        "sessions": _sessions(variant) if full else {"total": {"sessions": 0}},
        "calls": _calls(variant) if full else {"total": {"spans": 0}, "read_at": s.ago(seconds=1)},
    }


def analytics_waiting(variant: str) -> Values:
    """Agent calls are still being counted."""
    return {**analytics("full"), "period": PERIOD, "calls": None, "sessions": _sessions(variant)}


def _sums(*names: str) -> list[UsageSum]:
    return [
        UsageSum(name, 3 + n, 90_000 * (n + 1), 8_000, 70_000, 0, 0, 1.25 * n or None, 0)
        for n, name in enumerate(names)
    ]


def _sessions(variant: str) -> Values:
    name = name_of(variant, "specloop")
    days = days_sheet(PERIOD.days, _sums(*PERIOD.days[3:20]), [DayActivity(day, 2, 1) for day in PERIOD.days[3:20]])
    sheets = (
        days,
        group_sheet("project", "Sessions by project", "Project", _sums(name, "", *(f"p{n}" for n in range(10)))),
        group_sheet("model", "Sessions by model", "Model", _sums(name, "gpt-4.1")),
        group_sheet("agent", "Sessions by agent", "Agent", _sums("claude-code", name)),
        tools_sheet([ToolUse(name, 3, 40, 2), ToolUse("Bash", 8, 410, 31)]),
    )
    return {
        "total": {
            "sessions": 34,
            "input": 2_900_000,
            "output": 120_000,
            "cache_read": 2_000_000,
            "cost_micro": 12_500_000,
            "unpriced": 1,
        },
        "days": days,
        "charts": [("Sessions begun", columns_of(days.column("sessions"), figures.count, "Sessions"))],
        "sheets": {sheet.key: sheet for sheet in sheets},
    }


def _calls(variant: str) -> Values:
    rows = [
        CallFigures(name_of(variant, "gpt-4.1"), 900, 12, (812.0, 2_900.0), USED),
        CallFigures("house-model", 20, 0, (None, None), Usage()),
    ]
    days = [DayFigures(day, 40 + n, 400, n, USED) for n, day in enumerate(PERIOD.days)]
    sheets = call_sheets(Trends(PERIOD.start, PERIOD.end, s.ago(seconds=9), days, rows, rows, rows, USED), PERIOD.days)
    sheet = sheets["calls-by-day"]
    return {
        "total": {
            "traces": 1_204,
            "spans": 12_040,
            "failed": 91,
            "input": 4_310,
            "output": 511,
            "cost_micro": 8_317,
            "unpriced": 3,
        },
        "read_at": s.ago(seconds=9),
        "days": sheet,
        "charts": [
            ("Traces", columns_of(sheet.column("traces"), figures.count, "Traces")),
            ("Cost", columns_of(sheet.column("cost_usd"), lambda one: figures.money(round(one)), "Cost")),
        ],
        "sheets": sheets,
    }


PAGES: dict[str, tuple[str, Callable[[str], Values]]] = {
    "traces": ("traces", traces),
    "trace": ("trace", trace("talk")),
    "trace-attributes": ("trace", trace("attributes")),
    "trace-events": ("trace", trace("events")),
    "trace-json": ("trace", trace("json")),
    "analytics": ("analytics", analytics),
    "analytics-waiting": ("analytics", analytics_waiting),
}
