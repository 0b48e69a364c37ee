"""Search by meaning: vectors of exchanges are made after the upload by a job, and compared with the query's."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np
from numpy.typing import NDArray

from specloop.db.context import Context
from specloop.jobs import JobContext
from specloop.record.search.embedding import Embedder, Vectors, pieces
from specloop.record.search.keys import Keys
from specloop.record.search.repository import vectors
from specloop.record.search.repository.vectors import Unembedded
from specloop.record.sessions.compression import unpack

AT_ONCE: Final = 64
NEAREST_MAX: Final = 200
ROWS_AT_ONCE: Final = 16_384
LIKENESS_MIN: Final = 0.15
"""Below this the nearest exchange has nothing to do with the query."""


class ExchangeMeaning:
    """Makes and compares vectors."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def catch_up(self, job: JobContext) -> int:
        """Make every vector that the job's owner lacks; how many were made. Repeating it is harmless."""
        made, after = 0, ""
        while True:
            async with job.reading() as ctx:
                some = await vectors.unembedded(ctx, after=after, limit=AT_ONCE)
            if not some:
                return made
            texts = await asyncio.to_thread(_pieces, some)
            found = await self._embedder.embed([piece for one in texts for piece in one])
            ends = np.cumsum([len(one) for one in texts])
            async with job.writing() as ctx:
                await vectors.put(ctx, some, np.split(found, ends[:-1]))
            made, after = made + len(some), some[-1].exchange_id
            await job.progress(made)

    async def nearest(self, ctx: Context, text: str) -> dict[int, float]:
        """The keys of the caller's exchanges nearest in meaning to `text`, with their likeness 0..1; best first."""
        keys, held = await vectors.of_caller(ctx)
        if not keys.size:
            return {}
        wanted = (await self._embedder.embed([text]))[0]
        return await asyncio.to_thread(_nearest, keys, held, wanted)


def _pieces(exchanges: list[Unembedded]) -> list[list[str]]:
    return [pieces(unpack(one.body).decode()) for one in exchanges]


def _nearest(keys: Keys, held: NDArray[np.float16], wanted: Vectors) -> dict[int, float]:
    likeness = np.empty(keys.size, np.float32)
    for start in range(0, keys.size, ROWS_AT_ONCE):  # in portions, for each is widened to four bytes a number
        rows = slice(start, start + ROWS_AT_ONCE)
        np.dot(held[rows].astype(np.float32), wanted, out=likeness[rows])
    best: dict[int, float] = {}
    for one in np.argsort(-likeness, kind="stable"):
        if likeness[one] < LIKENESS_MIN or len(best) == NEAREST_MAX:
            break
        best.setdefault(int(keys[one]), float(likeness[one]))
    return best
