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
        best: dict[int, float] = {}
        wanted: Vectors = np.empty(0, np.float32)
        async for keys, held in vectors.of_caller(ctx):
            if not wanted.size:  # not before there is something to compare it with: the first one loads the model
                wanted = (await self._embedder.embed([text]))[0]
            best = await asyncio.to_thread(_nearest, best, keys, held, wanted)
        return best


def _pieces(exchanges: list[Unembedded]) -> list[list[str]]:
    return [pieces(unpack(one.body).decode()) for one in exchanges]


def _nearest(best: dict[int, float], keys: Keys, held: NDArray[np.float16], wanted: Vectors) -> dict[int, float]:
    """The best of `best` and one more portion, best first and equal ones in order of key.

    Each vector is summed up by itself (a product of matrices adds in an order that depends on how many there are), so
    how the vectors were portioned changes nothing.
    """
    likeness = np.einsum("ij,j->i", held.astype(np.float32), wanted)
    known = np.fromiter(best, np.int64, len(best))
    scores = np.fromiter(best.values(), np.float32, len(best))
    keys, likeness = np.concatenate((known, keys)), np.concatenate((scores, likeness))
    chosen: dict[int, float] = {}
    for one in np.lexsort((keys, -likeness)):
        if likeness[one] < LIKENESS_MIN or len(chosen) == NEAREST_MAX:
            break
        chosen.setdefault(int(keys[one]), float(likeness[one]))
    return chosen
