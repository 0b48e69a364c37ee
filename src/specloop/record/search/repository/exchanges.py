"""Reads the exchanges of a page of hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from specloop.db.context import Context
from specloop.record.search.keys import ORDER_BITS
from specloop.record.search.tables import SearchedSessionRow
from specloop.record.sessions.compression import unpack
from specloop.record.sessions.tables import ExchangeRow

_AT_ONCE: Final = 300


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key of the index leads."""

    session_id: str
    exchange_id: str


@dataclass(frozen=True, slots=True)
class PackedText:
    """The text of an exchange, still packed: unpacking many is work for a thread."""

    body: bytes

    def text(self) -> str:
        """The text."""
        return unpack(self.body).decode()


async def places(ctx: Context, keys: Mapping[int, Sequence[int]]) -> dict[int, Place]:
    """Sessions and exchanges by key, asked for by number of session; keys that lead nowhere are left out."""
    found: dict[int, Place] = {}
    numbers = [number for number, some in keys.items() if some]
    key = SearchedSessionRow.number * (1 << ORDER_BITS) + ExchangeRow.order_number
    query = select(key, ExchangeRow.session_id, ExchangeRow.id).join(
        SearchedSessionRow, SearchedSessionRow.session_id == ExchangeRow.session_id
    )
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        wanted = [one for number in some for one in keys[number]]
        rows = await ctx.session.execute(query.where(SearchedSessionRow.number.in_(some), key.in_(wanted)))
        found.update({row[0]: Place(row[1], row[2]) for row in rows})
    return found


async def packed_texts(ctx: Context, exchange_ids: Sequence[str]) -> dict[str, PackedText]:
    """The texts of these exchanges, by session."""
    found: dict[str, PackedText] = {}
    for start in range(0, len(exchange_ids), _AT_ONCE):
        some = ExchangeRow.id.in_(exchange_ids[start : start + _AT_ONCE])
        query = select(ExchangeRow.session_id, ExchangeRow.body).where(some)
        found.update({row[0]: PackedText(row[1]) for row in await ctx.session.execute(query)})
    return found
