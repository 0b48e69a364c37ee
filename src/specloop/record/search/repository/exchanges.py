"""Reads the exchanges of a page of hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, case, null, select

from specloop.db.context import Context
from specloop.record.search.keys import ORDER_BITS
from specloop.record.search.tables import SearchedSessionRow
from specloop.record.sessions.compression import unpack
from specloop.record.sessions.tables import ExchangeRow

_AT_ONCE: Final = 300


_KEY: Final = SearchedSessionRow.number * (1 << ORDER_BITS) + ExchangeRow.order_number
# Built once: putting a statement together costs more than running it.
_PLACES: Final = (
    select(
        _KEY,
        ExchangeRow.session_id,
        ExchangeRow.id,
        case((_KEY.in_(bindparam("first", expanding=True)), ExchangeRow.body), else_=null()),
    )
    .join(SearchedSessionRow, SearchedSessionRow.session_id == ExchangeRow.session_id)
    .where(
        SearchedSessionRow.number.in_(bindparam("numbers", expanding=True)),
        _KEY.in_(bindparam("wanted", expanding=True)),
    )
)


@dataclass(frozen=True, slots=True)
class PackedText:
    """The text of an exchange, still packed: unpacking many is work for a thread."""

    body: bytes

    def text(self) -> str:
        """The text."""
        return unpack(self.body).decode()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key of the index leads; with its text where it is the first of its session."""

    session_id: str
    exchange_id: str
    packed: PackedText | None


async def places(ctx: Context, keys: Mapping[int, Sequence[int]]) -> dict[int, Place]:
    """Sessions and exchanges by key, asked for by number of session; keys that lead nowhere are left out."""
    found: dict[int, Place] = {}
    numbers = [number for number, some in keys.items() if some]
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        given = {
            "numbers": some,
            "wanted": [one for number in some for one in keys[number]],
            "first": [keys[number][0] for number in some],
        }
        for key, session_id, exchange_id, body in await ctx.session.execute(_PLACES, given):
            found[key] = Place(session_id, exchange_id, None if body is None else PackedText(body))
    return found
