"""The text index on PostgreSQL: a tsvector per exchange under a GIN index.

Words come ready cut, so vectors are written literally and no text search configuration has a say. A vector holds
16,383 places and 256 of one word; longer exchanges take several rows that overlap by the longest phrase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import ScalarSelect, Text, bindparam, cast, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from specloop.db.context import Context
from specloop.record.search.keys import Keys, row_key
from specloop.record.search.query import PARTS_MAX, Term
from specloop.record.search.tables import ExchangeWordsRow
from specloop.record.search.words import cut
from specloop.record.sessions.compression import unpack
from specloop.record.sessions.tables import ExchangeRow

PLACES_MAX: Final = 12_000
SAME_WORD_MAX: Final = 200
BYTES_MAX: Final = 400_000
SCORED_MAX: Final = 2_000
_MATCHING: Final = (
    "SELECT array_agg(row_key) FROM (SELECT row_key FROM exchange_words"
    " WHERE part_count = 1 AND vector @@ CAST(:all AS tsquery)"
    " UNION ALL SELECT row_key FROM exchange_words"
    " WHERE part_count > 1 AND vector @@ CAST(:any AS tsquery)"
)
_OVERLAP: Final = PARTS_MAX - 1
_AT_ONCE: Final = 200


class PostgreSQLIndex:
    """tsvector and GIN."""

    async def update(self, ctx: Context, number: int, session_id: str) -> None:
        """See `TextIndex`."""
        table = ExchangeWordsRow
        known = select(table.exchange_id, table.row_key, table.text_sha256).where(
            table.session_id == session_id, table.part == 0
        )
        before = {row[0]: (row[1], row[2]) for row in await ctx.session.execute(known)}
        held = select(ExchangeRow.id, ExchangeRow.order_number, ExchangeRow.text_sha256)
        rows = await ctx.session.execute(held.where(ExchangeRow.session_id == session_id))
        now = {row[0]: (row_key(number, row[1]), row[2]) for row in rows}
        stale = [one for one, state in before.items() if now.get(one) != state]
        fresh = [one for one, state in now.items() if before.get(one) != state]
        for start in range(0, len(stale), _AT_ONCE):
            some = stale[start : start + _AT_ONCE]
            await ctx.session.execute(delete(table).where(table.exchange_id.in_(some)))
        for start in range(0, len(fresh), _AT_ONCE):
            await _put_in(ctx, number, fresh[start : start + _AT_ONCE])

    async def add(self, ctx: Context, number: int, session_id: str) -> None:
        """See `TextIndex`."""
        await self.update(ctx, number, session_id)

    async def remove(self, ctx: Context, numbers: Mapping[str, int]) -> None:
        """See `TextIndex`."""
        await ctx.session.execute(delete(ExchangeWordsRow).where(ExchangeWordsRow.session_id.in_(list(numbers))))

    async def abandon(self, ctx: Context, session_ids: Sequence[str]) -> None:
        """See `TextIndex`. Rows are known by their exchanges here, so nothing stays."""
        await ctx.session.execute(delete(ExchangeWordsRow).where(ExchangeWordsRow.session_id.in_(session_ids)))

    async def matching(self, ctx: Context, terms: Sequence[Term]) -> Keys:
        """See `TextIndex`."""
        each = [_expression(term) for term in terms]
        given = {"all": " & ".join(each), "any": " | ".join(each)} | {f"t{i}": one for i, one in enumerate(each)}
        everywhere = " AND ".join(f"bool_or(vector @@ CAST(:t{index} AS tsquery))" for index in range(len(each)))
        query = f"{_MATCHING} GROUP BY row_key HAVING {everywhere}) AS found"
        found = await ctx.session.scalar(text(query).bindparams(*_texts(given)))
        return np.sort(np.array(found or [], np.int64))

    async def scores(self, ctx: Context, terms: Sequence[Term], floor: int, *, is_whole: bool) -> dict[int, float]:
        """See `TextIndex`."""
        if is_whole:
            terms = [Term(term.parts, is_prefix=False) for term in terms]
        operator = " & " if len(terms) == 1 else " | "  # the terms of a long exchange may stand in different rows
        return await self._ranked(ctx, operator.join(map(_expression, terms)), floor, SCORED_MAX)

    async def any_scores(self, ctx: Context, terms: Sequence[Term], limit: int) -> dict[int, float]:
        """See `TextIndex`."""
        whole = [Term(term.parts, is_prefix=False) for term in terms]
        found = await self._ranked(ctx, " | ".join(map(_expression, whole)), 0, SCORED_MAX)
        return dict(sorted(found.items(), key=lambda item: -item[1])[:limit])

    def indexed(self) -> ScalarSelect[Any]:
        """See `TextIndex`."""
        return select(func.array_agg(ExchangeWordsRow.row_key)).where(ExchangeWordsRow.part == 0).scalar_subquery()

    async def clear(self, ctx: Context) -> None:
        """See `TextIndex`."""
        await ctx.session.execute(delete(ExchangeWordsRow))

    async def _ranked(self, ctx: Context, match: str, floor: int, limit: int) -> dict[int, float]:
        query = text(
            "SELECT row_key, max(ts_rank_cd(vector, CAST(:match AS tsquery), 1)) FROM (SELECT row_key, vector"
            " FROM exchange_words WHERE vector @@ CAST(:match AS tsquery) AND row_key >= :floor"
            " ORDER BY row_key DESC LIMIT :limit) AS newest GROUP BY row_key"
        ).bindparams(*_texts({"match": match}), floor=floor, limit=limit)
        return {key: float(score) for key, score in await ctx.session.execute(query)}


def vectors(words: Sequence[str]) -> Iterator[str]:
    """The literal tsvectors of an exchange, at least one; each word within the limits of the type."""
    start = 0
    while True:
        end, places = _stretch(words, start)
        yield " ".join(f"'{word}':{','.join(map(str, where))}" for word, where in places.items())
        if end >= len(words):
            return
        start = max(end - _OVERLAP, start + 1)


def _stretch(words: Sequence[str], start: int) -> tuple[int, dict[str, list[int]]]:
    places: dict[str, list[int]] = {}
    size = 0
    for index in range(start, min(len(words), start + PLACES_MAX)):
        word = words[index]
        where = places.setdefault(word, [])
        size += len(word.encode())
        if len(where) >= SAME_WORD_MAX or size > BYTES_MAX:
            if not where:
                del places[word]
            return index, places
        where.append(index - start + 1)
    return min(len(words), start + PLACES_MAX), places


async def _put_in(ctx: Context, number: int, exchange_ids: Sequence[str]) -> None:
    query = select(ExchangeRow).where(ExchangeRow.id.in_(exchange_ids))
    rows: list[dict[str, Any]] = []
    for row in (await ctx.session.scalars(query)).all():
        parts = list(vectors(cut(unpack(row.body).decode())))
        rows += [
            {
                "account_id": row.account_id,
                "workspace_id": row.workspace_id,
                "exchange_id": row.id,
                "session_id": row.session_id,
                "part": index,
                "part_count": len(parts),
                "row_key": row_key(number, row.order_number),
                "text_sha256": row.text_sha256,
                "words": vector,
            }
            for index, vector in enumerate(parts)
        ]
    if rows:
        statement = insert(ExchangeWordsRow).values(vector=cast(bindparam("words", type_=Text()), TSVECTOR()))
        await ctx.session.execute(statement, rows)


def _texts(values: Mapping[str, str]) -> list[Any]:
    return [bindparam(name, value, type_=Text()) for name, value in values.items()]


def _expression(term: Term) -> str:
    """A tsquery: parts are letters and digits only, so nothing in it can be an operator."""
    parts = [f"'{part}'" for part in term.parts]
    if term.is_prefix:
        parts[-1] += ":*"
    return f"({' <-> '.join(parts)})"
