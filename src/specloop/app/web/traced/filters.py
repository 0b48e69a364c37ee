"""Filters of the trace list as an address carries them. What makes no sense is dropped, so that every link works."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final

from specloop.record.traces import TraceFilter, TraceStatus

PERIODS: Final = {
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last 24 hours", timedelta(days=1)),
    "7d": ("last 7 days", timedelta(days=7)),
    "30d": ("last 30 days", timedelta(days=30)),
}
LATENCIES: Final = (("1000", "over 1 s"), ("5000", "over 5 s"), ("10000", "over 10 s"), ("60000", "over 1 min"))
_WORDS: Final = {
    "q": "text",
    "status": "state",
    "agent_id": "agent",
    "agent": "agent",
    "period": "time",
    "from": "from",
    "to": "to",
    "tag": "tag",
    "session_id": "session",
    "model": "model",
    "min_latency": "took",
    "has_feedback": "feedback",
    "score_below": "score",
}
NAMES: Final = tuple(_WORDS)


@dataclass(frozen=True)
class Shown:
    """A filter in force: its name in the address, its word, its value in words."""

    name: str
    word: str
    text: str


@dataclass(frozen=True)
class Asked:
    """A filter with the part of the address that made sense, and the same for people."""

    query: Mapping[str, str]
    chosen: TraceFilter
    shown: Sequence[Shown]


def read(given: Mapping[str, str], now: datetime, agents: Mapping[str, str]) -> Asked:
    """The filters of an address; `agents` are names by id."""
    query: dict[str, str] = {}
    values: dict[str, Any] = {}
    shown: list[Shown] = []
    for name, text in given.items():
        found = _READERS.get(name, _text)(text.strip()) if name in _WORDS else None
        if found is None:
            continue
        query[name] = text.strip()
        values[name] = found
        shown.append(Shown(name, _WORDS[name], _told(name, text.strip(), agents)))
    return Asked(query, _filter(values, now), shown)


def _filter(values: Mapping[str, Any], now: datetime) -> TraceFilter:
    start: datetime | None = values.get("from")
    if "period" in values:
        # whole minutes, so that the same list is asked for while somebody looks at it
        since = now.replace(second=0, microsecond=0) - values["period"]
        start = since if start is None else max(start, since)
    return TraceFilter(
        agent_id=values.get("agent_id"),
        agent_name=values.get("agent"),
        status=values.get("status"),
        start=start,
        end=values.get("to"),
        tag=values.get("tag"),
        session_id=values.get("session_id"),
        latency_ms_min=values.get("min_latency"),
        text=values.get("q"),
        has_feedback=values.get("has_feedback"),
        score_below=values.get("score_below"),
        model=values.get("model"),
    )


def _text(text: str) -> str | None:
    return text[:200] or None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and 0 <= value <= 1e9 else None


def moment(text: str) -> datetime | None:
    """A date or a time (UTC unless it says otherwise) from an address; None for anything else."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1970 < value.year < 2262:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _status(text: str) -> TraceStatus | None:
    return TraceStatus(text) if text in set(TraceStatus) else None


def _period(text: str) -> timedelta | None:
    return PERIODS[text][1] if text in PERIODS else None


def _flag(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "status": _status,
    "period": _period,
    "from": moment,
    "to": moment,
    "min_latency": _number,
    "has_feedback": _flag,
    "score_below": _number,
}


def _told(name: str, text: str, agents: Mapping[str, str]) -> str:
    match name:
        case "agent_id":
            return agents.get(text, text)
        case "period":
            return PERIODS[text][0]
        case "min_latency":
            return dict(LATENCIES).get(text, f"over {text} ms")
        case "has_feedback":
            return "given" if text == "true" else "none yet"
        case "score_below":
            return f"below {text}"
        case "from" | "to":
            return text.replace("T", " ")
        case _:
            return text
