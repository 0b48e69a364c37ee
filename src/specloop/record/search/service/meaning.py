"""Search by meaning: vectors of exchanges are made after the upload by a job, and compared with the query's."""

from __future__ import annotations

import asyncio
from typing import Final

import numpy as np

from specloop.db.context import Context
from specloop.jobs import JobContext
from specloop.record.search.embedding import Embedder
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
            texts = await asyncio.to_thread(_texts, some)
            found = await self._embedder.embed(texts)
            async with job.writing() as ctx:
                await vectors.put(ctx, some, found)
            made, after = made + len(some), some[-1].exchange_id
            await job.progress(made)

    async def nearest(self, ctx: Context, text: str) -> dict[int, float]:
        """The keys of the caller's exchanges nearest in meaning to `text`, with their likeness 0..1; best first."""
        keys, held = await vectors.of_caller(ctx)
        if not keys.size:
            return {}
        wanted = (await self._embedder.embed([text]))[0]
        likeness = await asyncio.to_thread(np.dot, held, wanted)
        best = np.argsort(-likeness, kind="stable")[:NEAREST_MAX]
        return {int(keys[one]): float(likeness[one]) for one in best if likeness[one] >= LIKENESS_MIN}


def _texts(exchanges: list[Unembedded]) -> list[str]:
    return [unpack(one.body).decode() for one in exchanges]
