"""Reads the exchanges of a page of hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, tuple_

from specloop.db.context import Context
from specloop.record.sessions.compression import unpack
from specloop.record.sessions.tables import ExchangeRow

_AT_ONCE: Final = 400
Place = tuple[str, int]
"""A session's id and the order of an exchange in it."""


@dataclass(frozen=True, slots=True)
class PackedText:
    """The text of an exchange, still packed: unpacking many is work for a thread."""

    body: bytes

    def text(self) -> str:
        """The text."""
        return unpack(self.body).decode()


async def exchange_ids(ctx: Context, orders: Mapping[str, Sequence[int]]) -> dict[Place, str]:
    """The ids of exchanges, asked for by session and order."""
    found: dict[Place, str] = {}
    wanted = [(session_id, order) for session_id, some in orders.items() for order in some]
    for start in range(0, len(wanted), _AT_ONCE):
        some = tuple_(ExchangeRow.session_id, ExchangeRow.order_number).in_(wanted[start : start + _AT_ONCE])
        query = select(ExchangeRow.session_id, ExchangeRow.order_number, ExchangeRow.id).where(some)
        found.update({(row[0], row[1]): row[2] for row in await ctx.session.execute(query)})
    return found


async def packed_texts(ctx: Context, places: Sequence[Place]) -> dict[Place, PackedText]:
    """The texts at these places."""
    found: dict[Place, PackedText] = {}
    for start in range(0, len(places), _AT_ONCE):
        some = tuple_(ExchangeRow.session_id, ExchangeRow.order_number).in_(places[start : start + _AT_ONCE])
        query = select(ExchangeRow.session_id, ExchangeRow.order_number, ExchangeRow.body).where(some)
        found.update({(row[0], row[1]): PackedText(row[2]) for row in await ctx.session.execute(query)})
    return found
