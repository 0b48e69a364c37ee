"""Durable work of the search: vectors for what was uploaded."""

from __future__ import annotations

from typing import Any, cast

from specloop.jobs import JobContext, Lane, Tasks
from specloop.kit.log import get_logger
from specloop.record.search.service.indexing import EMBED_TASK
from specloop.record.search.service.meaning import ExchangeMeaning

log = get_logger(__name__)
tasks = Tasks()


@tasks.job(EMBED_TASK, queue=Lane.MAINTENANCE)
async def embed(job: JobContext, payload: dict[str, Any]) -> None:
    """Make the vectors that the job's owner lacks."""
    meaning = cast(ExchangeMeaning, job.services[ExchangeMeaning.__name__])
    made = await meaning.catch_up(job)
    log.info("search.embedded", exchanges=made)
