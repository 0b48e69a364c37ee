"""Everything about an upload that needs no database: packed documents and what can be derived from them.

This is where the processor time of an upload goes, so it runs before the writer is taken, and large ones on a thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final

from specloop.record import prices
from specloop.record.sessions import transcript
from specloop.record.sessions.compression import pack
from specloop.record.sessions.model import DocumentKind, SessionFigures, Upload, ValueKind
from specloop.record.sessions.transcript import ExchangeFacts, Facts, Parsed, Price, Usage
from specloop.record.sessions.uploading import plain

DERIVATION: Final = 1
"""The version of what is derived here; a session of an older one is derived anew when it is uploaded again."""
OPENING_LENGTH: Final = 300
VALUE_BYTES_MAX: Final = 2_000
FILES_MAX: Final = 5_000
_MODEL: Final = re.compile(rb'"model"\s*:\s*"([^"\\<>]{1,200})"')
_MARKDOWN_VERSION: Final = re.compile(rb"Markdown v([0-9][0-9A-Za-z.+-]{0,30})")
_SCHEMA_VERSION: Final = re.compile(rb'"schemaVersion"\s*:\s*"([^"\\]{1,30})"')
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PackedDocument:
    """A document ready to be stored."""

    sha256: str
    size: int
    body: bytes


@dataclass(frozen=True, slots=True)
class DerivedExchange:
    """An exchange ready to be stored; `body` is `text` packed."""

    key: str | None
    started_at: datetime | None
    ended_at: datetime | None
    text: str
    sha256: str
    body: bytes
    has_error: bool


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """How often something was used in the session."""

    kind: ValueKind
    value: str
    count: int = 1
    errors: int = 0


@dataclass(frozen=True, slots=True)
class DerivedUsage:
    """Tokens on one day (ISO date) with one model."""

    day: str
    model: str
    usage: Usage
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Derived:
    """What the documents say. `has_usage` is False when they are of a kind that tells no tokens."""

    problem: str | None
    opening: str | None
    agent: str | None
    slug: str | None
    markdown_version: str | None
    started_at: datetime | None
    ended_at: datetime | None
    models: tuple[str, ...]
    branches: tuple[str, ...]
    figures: SessionFigures
    exchanges: tuple[DerivedExchange, ...]
    values: tuple[DerivedValue, ...]
    usage: tuple[DerivedUsage, ...]
    has_usage: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """An upload ready to be stored."""

    documents: Mapping[DocumentKind, PackedDocument]
    derived: Derived
    schema_version: str | None


def prepare(upload: Upload) -> Prepared:
    """Pack the documents and derive what can be derived; never fails because of what a document says."""
    documents = {DocumentKind.MARKDOWN: upload.markdown, DocumentKind.RAW: upload.raw}
    if upload.session_data is not None:
        documents[DocumentKind.SESSION_DATA] = upload.session_data
    packed = {kind: pack_document(body) for kind, body in documents.items()}
    version = _SCHEMA_VERSION.search(upload.session_data or b"", 0, 2_000)
    return Prepared(
        packed,
        derive(upload.markdown, upload.raw, upload.session_data),
        plain(version[1].decode("utf-8", "replace")) if version else None,
    )


def pack_document(body: bytes) -> PackedDocument:
    """The stored form of a document."""
    return PackedDocument(sha256(body).hexdigest(), len(body), pack(body))


def derive(markdown: bytes, raw: bytes, session_data: bytes | None) -> Derived:
    """What the documents say, from session data where it can be read, else from the markdown (specstory.md §7.3)."""
    parsed = transcript.parse(markdown, session_data)
    if parsed.transcript is None:
        return _unreadable(markdown, raw, parsed)
    read = parsed.transcript
    branches = transcript.branches_in_raw(raw)
    facts = transcript.derive(read, _price_at(read.updated_at or read.created_at), branches)
    models = facts.models or _scan(_MODEL, raw)
    usage = _usage(facts)
    return Derived(
        problem=parsed.problem,
        opening=_opening(facts),
        agent=plain(read.agent) if read.agent else None,
        slug=plain(read.slug) if read.slug else None,
        markdown_version=_markdown_version(markdown),
        started_at=facts.started_at,
        ended_at=facts.ended_at,
        models=models,
        branches=branches,
        figures=_figures(facts),
        exchanges=tuple(_exchange(one) for one in facts.exchanges),
        values=_values(facts, models, branches),
        usage=usage,
        has_usage=parsed.source == "session_data",
    )


def _unreadable(markdown: bytes, raw: bytes, parsed: Parsed) -> Derived:
    """Nothing but the words: the whole markdown as one exchange, so that search finds it."""
    text = plain(markdown.decode("utf-8", "replace"))
    models, branches = _scan(_MODEL, raw), transcript.branches_in_raw(raw)
    return Derived(
        problem=parsed.problem or "the transcript cannot be read",
        opening=None,
        agent=None,
        slug=None,
        markdown_version=_markdown_version(markdown),
        started_at=None,
        ended_at=None,
        models=models,
        branches=branches,
        figures=SessionFigures(exchange_count=1),
        exchanges=(_exchange(ExchangeFacts(None, None, None, text, has_error=False)),),
        values=_named(ValueKind.MODEL, models) + _named(ValueKind.BRANCH, branches),
        usage=(),
        has_usage=False,
    )


def _price_at(moment: datetime | None) -> Price:
    day = None if moment is None else moment.replace(hour=12)

    def price(model: str, usage: Usage) -> Decimal | None:
        tokens = prices.TokenUsage(
            input=usage.input + usage.cache_read + usage.cache_write,
            output=usage.output + usage.reasoning,
            cache_read=usage.cache_read,
            cache_write=usage.cache_write,
            reasoning=usage.reasoning,
        )
        return prices.cost_usd(model, None, tokens, at=day)

    return price


def _opening(facts: Facts) -> str | None:
    text = facts.title or (facts.exchanges[0].text if facts.exchanges else "")
    return plain(text.strip())[:OPENING_LENGTH] or None


def _exchange(facts: ExchangeFacts) -> DerivedExchange:
    text = plain(facts.text)
    data = text.encode()
    key = plain(facts.key) if facts.key is not None else None
    digest = sha256(data).hexdigest()
    return DerivedExchange(key, facts.started_at, facts.ended_at, text, digest, pack(data), facts.has_error)


def _figures(facts: Facts) -> SessionFigures:
    return SessionFigures(
        exchange_count=len(facts.exchanges),
        message_count=facts.message_count,
        tool_calls=facts.tool_calls,
        tool_errors=facts.tool_errors,
        has_error=facts.has_error,
        input_tokens=facts.usage.input,
        output_tokens=facts.usage.output,
        cache_read_tokens=facts.usage.cache_read,
        cache_write_tokens=facts.usage.cache_write,
        reasoning_tokens=facts.usage.reasoning,
        cost_usd=None if facts.cost is None else float(facts.cost),
    )


def _values(facts: Facts, models: Sequence[str], branches: Sequence[str]) -> tuple[DerivedValue, ...]:
    tools = tuple(
        DerivedValue(ValueKind.TOOL, clipped(name), count.calls, count.errors) for name, count in facts.tools.items()
    )
    return (
        *_named(ValueKind.MODEL, models),
        *_named(ValueKind.BRANCH, branches),
        *_named(ValueKind.FILE, facts.files[:FILES_MAX]),
        *tools,
    )


def _named(kind: ValueKind, names: Iterable[str]) -> tuple[DerivedValue, ...]:
    return tuple(DerivedValue(kind, clipped(name)) for name in names if name)


def _usage(facts: Facts) -> tuple[DerivedUsage, ...]:
    fallback = (facts.started_at or facts.ended_at or _NO_TIME).date()
    by_key: dict[tuple[str, str], DerivedUsage] = {}
    for one in facts.usage_by_day:
        key = ((one.day or fallback).isoformat(), plain(one.model or "unknown")[:200])
        cost = None if one.cost is None else float(one.cost)
        known = by_key.get(key)
        if known is None:
            by_key[key] = DerivedUsage(*key, one.usage, cost)
        else:
            total = None if cost is None or known.cost_usd is None else known.cost_usd + cost
            by_key[key] = DerivedUsage(*key, known.usage + one.usage, total)
    return tuple(by_key.values())


def _scan(pattern: re.Pattern[bytes], raw: bytes) -> tuple[str, ...]:
    """The distinct values in a native transcript, in order; Claude's records carry branch and model."""
    return tuple(dict.fromkeys(plain(found.decode("utf-8", "replace")) for found in pattern.findall(raw)))


def _markdown_version(markdown: bytes) -> str | None:
    found = _MARKDOWN_VERSION.search(markdown, 0, 200)
    return found[1].decode() if found else None


def clipped(text: str) -> str:
    """At most as long as an index of PostgreSQL can hold."""
    cleaned = plain(text)[:1000]
    return cleaned.encode()[:VALUE_BYTES_MAX].decode("utf-8", "ignore")
