"""The text index on SQLite: FTS5 tables that keep no text, one for words and one for short beginnings of words.

A beginning of one or two letters stands for thousands of words, whose places FTS5 would merge at each query; a small
table of such beginnings answers those. Triggers of migration 0004 note what happened to exchanges, with the old text,
since only that takes the old words out again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import ScalarSelect, String, select, text

from specloop.db.batches import Write, execute_all
from specloop.db.context import Context
from specloop.record.search.keys import Keys, row_key, to_keys
from specloop.record.search.query import SHORT_LENGTH_MAX, Term
from specloop.record.search.words import cut
from specloop.record.sessions.compression import unpack
from specloop.record.sessions.tables import ExchangeRow

SCORED_MAX: Final = 4_000
LARGE_BYTES: Final = 64 * 1024
# Bodies of both kinds in one go: what an exchange held when it was indexed, and what it holds now.
_CHANGES: Final = text(
    "SELECT c.exchange_id, c.row_key, c.body, e.order_number, e.body FROM fts_changes c"
    " LEFT JOIN session_exchanges e ON e.id = c.exchange_id WHERE c.session_id = :session ORDER BY c.id"
)
_FORGET_CHANGES: Final = text("DELETE FROM fts_changes WHERE session_id = :session")
# The sizes of documents are the one part of a table without text that lists its rows.
_INDEXED: Final = text("SELECT group_concat(id) AS keys FROM fts_words_docsize").columns(keys=String)
_TABLES: Final = ("fts_words", "fts_prefixes")
_PUT_IN: Final = [text(f"INSERT INTO {table} (rowid, words) VALUES (:key, :words)") for table in _TABLES]  # noqa: S608
_TAKE_OUT: Final = [
    text(f"INSERT INTO {table} ({table}, rowid, words) VALUES ('delete', :key, :words)")  # noqa: S608
    for table in _TABLES
]

_SCORES: Final = text(
    "SELECT group_concat(row_key), group_concat(score) FROM (SELECT rowid AS row_key, -bm25(fts_words) AS score"
    " FROM fts_words WHERE fts_words MATCH :match AND rowid >= :floor ORDER BY rowid DESC LIMIT :limit)"
)

Rows = list[dict[str, Any]]


class SQLiteIndex:
    """FTS5."""

    async def update(self, ctx: Context, number: int, session_id: str) -> None:
        """See `TextIndex`."""
        first: dict[str, tuple[int | None, bytes | None]] = {}
        held: dict[str, tuple[int, bytes]] = {}
        changes = await (await ctx.session.connection()).execute(_CHANGES, {"session": session_id})
        for exchange_id, old_key, old_body, order, body in changes:
            first.setdefault(exchange_id, (old_key, old_body))
            if body is not None:
                held[exchange_id] = (row_key(number, order), body)
        # Of each exchange the first note tells what is in the index: a body, or nothing for a new one.
        old = [(key, body) for key, body in first.values() if key is not None and body is not None]
        forgotten = (_FORGET_CHANGES, [{"session": session_id}])
        await execute_all(ctx.session, [*await _taken_out(old), forgotten, *await _put_in(list(held.values()))])

    async def add(self, ctx: Context, number: int, session_id: str) -> None:
        """See `TextIndex`."""
        await execute_all(ctx.session, await _put_in(await _bodies(ctx, number, session_id)))

    async def remove(self, ctx: Context, numbers: Mapping[str, int]) -> None:
        """See `TextIndex`."""
        for session_id, number in numbers.items():
            await self.update(ctx, number, session_id)
            await execute_all(ctx.session, await _taken_out(await _bodies(ctx, number, session_id)))

    async def abandon(self, ctx: Context, session_ids: Sequence[str]) -> None:
        """See `TextIndex`. FTS5 takes out what it is told and not what it holds: other words would damage it."""
        await execute_all(ctx.session, [(_FORGET_CHANGES, [{"session": one} for one in session_ids])])

    async def matching(self, ctx: Context, terms: Sequence[Term]) -> Keys:
        """See `TextIndex`."""
        short = [term for term in terms if term.is_short]
        long = [term for term in terms if not term.is_short]
        if not short:
            return await _keys(ctx, "fts_words", _all_of(long))
        beginnings = await _keys(ctx, "fts_prefixes", " AND ".join(f'"{term.parts[0]}"' for term in short))
        if not long or not beginnings.size:
            return beginnings
        return np.intersect1d(await _keys(ctx, "fts_words", _all_of(long)), beginnings, assume_unique=True)

    async def scores(self, ctx: Context, terms: Sequence[Term], floor: int, *, is_whole: bool) -> dict[int, float]:
        """See `TextIndex`."""
        if is_whole:
            terms = [Term(term.parts, is_prefix=False) for term in terms]
        given = {"match": _all_of(terms), "floor": floor, "limit": SCORED_MAX if is_whole else -1}
        keys, scores = (await ctx.session.execute(_SCORES, given)).one()
        return dict(zip(to_keys(keys).tolist(), np.fromstring(scores or "", sep=",").tolist(), strict=True))

    async def any_scores(self, ctx: Context, terms: Sequence[Term], limit: int) -> dict[int, float]:
        """See `TextIndex`."""
        query = text("SELECT rowid, -rank FROM fts_words WHERE fts_words MATCH :match ORDER BY rank LIMIT :limit")
        whole = [Term(term.parts, is_prefix=False) for term in terms]
        given = {"match": " OR ".join(map(_expression, whole)), "limit": limit}
        return {row[0]: row[1] for row in await ctx.session.execute(query, given)}

    def indexed(self) -> ScalarSelect[Any]:
        """See `TextIndex`."""
        return _INDEXED.scalar_subquery()

    async def clear(self, ctx: Context) -> None:
        """See `TextIndex`."""
        for table in _TABLES:
            await ctx.session.execute(text(f"INSERT INTO {table} ({table}) VALUES ('delete-all')"))  # noqa: S608
        await ctx.session.execute(text("DELETE FROM fts_changes"))


async def _keys(ctx: Context, table: str, match: str) -> Keys:
    query = text(f"SELECT group_concat(rowid) FROM {table} WHERE {table} MATCH :match")  # noqa: S608  (one of two names)
    return to_keys(await ctx.session.scalar(query, {"match": match}))


async def _bodies(ctx: Context, number: int, session_id: str) -> list[tuple[int, bytes]]:
    query = select(ExchangeRow.order_number, ExchangeRow.body).where(ExchangeRow.session_id == session_id)
    return [(row_key(number, order), body) for order, body in await ctx.session.execute(query)]


async def _put_in(bodies: Sequence[tuple[int, bytes]]) -> list[Write]:
    return list(zip(_PUT_IN, await _cut_all(bodies), strict=True))


async def _taken_out(bodies: Sequence[tuple[int, bytes]]) -> list[Write]:
    return list(zip(_TAKE_OUT, await _cut_all(bodies), strict=True))


async def _cut_all(bodies: Sequence[tuple[int, bytes]]) -> tuple[Rows, Rows]:
    """The rows of both tables; many are cut on a thread, so that others are answered meanwhile."""
    if sum(len(body) for _, body in bodies) < LARGE_BYTES:
        return _rows(bodies)
    return await asyncio.to_thread(_rows, bodies)


def _rows(bodies: Iterable[tuple[int, bytes]]) -> tuple[Rows, Rows]:
    words: Rows = []
    prefixes: Rows = []
    for key, body in bodies:
        found = cut(unpack(body).decode())
        words.append({"key": key, "words": " ".join(found)})
        prefixes.append({"key": key, "words": " ".join(beginnings(found))})
    return words, prefixes


def beginnings(words: Iterable[str]) -> list[str]:
    """The different beginnings of one and two letters, in a fixed order."""
    different = set(words)
    return sorted({word[:length] for word in different for length in range(1, SHORT_LENGTH_MAX + 1)})


def _all_of(terms: Iterable[Term]) -> str:
    return " AND ".join(map(_expression, terms))


def _expression(term: Term) -> str:
    """A string of FTS5: parts are letters and digits only, so nothing in it can be an operator."""
    return f'"{" ".join(term.parts)}"' + (" *" if term.is_prefix else "")
